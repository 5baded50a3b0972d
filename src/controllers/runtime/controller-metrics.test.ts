import { describe, expect, it } from 'vitest'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { cronJobController } from '../cronjob.ts'
import { endpointSliceController } from '../endpointslice.ts'
import { jobController } from '../job.ts'
import { persistentVolumeAttachDetachController } from '../persistentvolume-attach-detach.ts'
import { persistentVolumeBinderController } from '../persistentvolume-binder.ts'
import { rootCACertificatePublisherController } from '../root-ca-certificate-publisher.ts'
import { taintEvictionController } from '../taint-eviction.ts'
import { ttlAfterFinishedController } from '../ttl-after-finished.ts'
import type { ControllerMetrics, GaugeMetric } from './controller-metrics.ts'
import { testCluster } from './test-cluster.ts'

/** Keeps what is counted and observed, by metric and labels. */
function kept() {
  const values = new Map<string, number[]>()
  const gauges = new Map<string, GaugeMetric>()
  const add = (name: string, labels: readonly string[] = [], value: number) => {
    const key = [name, ...labels].join(' ')
    values.set(key, [...(values.get(key) ?? []), value])
  }
  const metrics: ControllerMetrics = {
    queue: () => undefined,
    count: ({ name }, labels, by = 1) => add(name, labels, by),
    observe: ({ name }, labels, value) => add(name, labels, value),
    gauge: metric => void gauges.set(metric.name, metric),
  }
  const total = (key: string) => (values.get(key) ?? []).reduce((sum, value) => sum + value, 0)
  return { metrics, values, gauges, total }
}

const container = { name: 'main', image: 'work' }

describe('what controllers count', () => {
  it('jobs and their pods are counted once, and how late a finished job is deleted', async () => {
    const { metrics, values, total } = kept()
    await using cluster = testCluster([jobController, ttlAfterFinishedController], {}, 1, undefined, undefined, metrics)
    const labels = { job: 'task', 'batch.kubernetes.io/job-name': 'task' }
    const template = { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [container] } }
    await cluster.api.client().create(Job, {
      metadata: { name: 'task', namespace: 'default' },
      spec: { parallelism: 2, completions: 2, ttlSecondsAfterFinished: 60, selector: { matchLabels: { job: 'task' } }, template },
    } as never)
    await cluster.settle()
    expect(total('job_controller_job_pods_creation_total new succeeded')).toBe(2)
    for (const pod of cluster.api.all(Pod))
      cluster.api.change(Pod, pod.metadata.name!, next => {
        next.status.phase = 'Succeeded'
      })
    await cluster.settle()
    expect(total('job_controller_jobs_finished_total NonIndexed succeeded CompletionsReached')).toBe(1)
    expect(total('job_controller_job_pods_finished_total NonIndexed succeeded')).toBe(2)
    expect(total('job_controller_job_syncs_total NonIndexed success pods_created')).toBe(1)
    await cluster.advance(61_000)
    expect(values.get('ttl_after_finished_controller_job_deletion_duration_seconds')).toEqual([expect.closeTo(0, 0)])
  })

  it('a cron job tells how late its job was made', async () => {
    const { metrics, values } = kept()
    await using cluster = testCluster([cronJobController], {}, 1, undefined, undefined, metrics)
    const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } }
    await cluster.api.client().create(CronJob, {
      metadata: { name: 'hourly', namespace: 'default' },
      spec: { schedule: '0 * * * *', jobTemplate },
    } as never)
    await cluster.advance(2 * 3600_000 + 1_000)
    const late = values.get('cronjob_controller_job_creation_skew_duration_seconds')!
    expect(late.length).toBe(2)
    for (const seconds of late) expect(seconds).toBeLessThan(1)
  })

  it('a service tells what its slices gained and lost', async () => {
    const { metrics, total, gauges } = kept()
    await using cluster = testCluster([endpointSliceController], {}, 1, undefined, undefined, metrics)
    const spec = { selector: { app: 'web' }, ports: [{ port: 80 }], ipFamilies: ['IPv4'], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }
    cluster.api.put(Service, { metadata: { name: 'web', namespace: 'default' }, spec })
    cluster.api.put(Pod, {
      metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } },
      spec: { nodeName: 'n', containers: [container] },
      status: { phase: 'Running', podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }], conditions: [{ type: 'Ready', status: 'True' }] },
    })
    await cluster.settle()
    expect(total('endpoint_slice_controller_endpoints_added_per_sync')).toBe(1)
    expect(total('endpoint_slice_controller_changes create')).toBe(1)
    const read = (name: string) => [...gauges.get(`endpoint_slice_controller_${name}`)!.read()][0]![1]
    expect(['num_endpoint_slices', 'desired_endpoint_slices', 'endpoints_desired'].map(read)).toEqual([1, 1, 1])
    cluster.api.remove(Pod, 'p')
    await cluster.settle()
    expect(total('endpoint_slice_controller_endpoints_removed_per_sync')).toBe(1)
    expect(['desired_endpoint_slices', 'endpoints_desired'].map(read)).toEqual([1, 0])
  })

  it('a job counts its indexes, the failures that a policy decided over, and pods that it holds', async () => {
    const { metrics, total } = kept()
    await using cluster = testCluster([jobController], {}, 1, undefined, undefined, metrics)
    const template = { metadata: { labels: { job: 'task' } }, spec: { restartPolicy: 'Never', containers: [container] } }
    const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }]
    const selector = { matchLabels: { job: 'task' } }
    const indexed = { completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimit: 1, podFailurePolicy: { rules } }
    await cluster.api.client().create(Job, {
      metadata: { name: 'task', namespace: 'default' },
      spec: { ...indexed, selector, template },
    } as never)
    await cluster.api.client().create(Job, {
      metadata: { name: 'theirs', namespace: 'default' },
      spec: { managedBy: 'example.com/queue', selector: { matchLabels: { job: 'theirs' } }, template },
    } as never)
    await cluster.settle()
    const [first, second] = cluster.api.all(Pod)
    cluster.api.change(Pod, first!.metadata.name!, next => {
      next.status.phase = 'Succeeded'
    })
    cluster.api.change(Pod, second!.metadata.name!, next => {
      next.status.phase = 'Failed'
      next.status.conditions = [{ type: 'DisruptionTarget', status: 'True' }] as never
    })
    await cluster.advance(60_000)
    expect(total('job_controller_job_finished_indexes_total succeeded global')).toBe(1)
    expect(total('job_controller_pod_failures_handled_by_failure_policy_total Ignore')).toBe(1)
    expect(total('job_controller_jobs_by_external_controller_total example.com/queue')).toBe(1)
    expect(total('job_controller_terminated_pods_tracking_finalizer_total add')).toBe(2)
    expect(total('job_controller_terminated_pods_tracking_finalizer_total delete')).toBe(2)
  })

  it('taints that people set drive out pods when their time is over, and tell how many and how late', async () => {
    const { metrics, values, total } = kept()
    await using cluster = testCluster([taintEvictionController], {}, 1, undefined, undefined, metrics)
    cluster.api.put(Node, { metadata: { name: 'n' }, spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } })
    const tolerations = [{ key: 'k', operator: 'Exists', tolerationSeconds: 30 }]
    for (const [name, spec] of [
      ['p', {}],
      ['q', { tolerations }],
    ] as const)
      cluster.api.put(Pod, { metadata: { name, namespace: 'default' }, spec: { nodeName: 'n', containers: [container], ...spec } })
    await cluster.settle()
    expect(total('taint_eviction_controller_pod_deletions_total')).toBe(1)
    await cluster.advance(31_000)
    expect(total('taint_eviction_controller_pod_deletions_total')).toBe(2)
    for (const late of values.get('taint_eviction_controller_pod_deletion_duration_seconds')!) expect(late).toBeLessThan(1)
  })

  it('the publisher of the root certificate counts namespaces, by what came of them', async () => {
    const { metrics, total } = kept()
    await using cluster = testCluster([rootCACertificatePublisherController], { rootCA: 'pem' }, 1, undefined, undefined, metrics)
    cluster.api.put(Namespace, { metadata: { name: 'shop' } })
    await cluster.settle()
    expect(total('root_ca_cert_publisher_sync_total 200')).toBeGreaterThan(0)
    expect(total('root_ca_cert_publisher_sync_total 500')).toBe(0)
  })

  it('volumes and claims are counted when somebody asks', async () => {
    const { metrics, gauges } = kept()
    await using cluster = testCluster(
      [persistentVolumeBinderController, persistentVolumeAttachDetachController],
      {},
      1,
      undefined,
      undefined,
      metrics,
    )
    const capacity = { storage: '1Gi' }
    const csi = { driver: 'ebs.example.com', volumeHandle: 'h' }
    const accessModes = ['ReadWriteOnce']
    cluster.api.put(PersistentVolumeClaim, {
      metadata: { name: 'data', namespace: 'default', annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
      spec: { accessModes, volumeName: 'v1', storageClassName: 'fast', resources: { requests: capacity } },
      status: { phase: 'Bound' },
    })
    const claim = cluster.api.find(PersistentVolumeClaim, 'data', 'default')!
    const claimRef = { namespace: 'default', name: 'data', uid: claim.metadata.uid }
    cluster.api.put(PersistentVolume, {
      metadata: { name: 'v1', annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
      spec: { capacity, csi, accessModes, claimRef, storageClassName: 'fast' },
      status: { phase: 'Bound' },
    })
    cluster.api.put(PersistentVolume, {
      metadata: { name: 'v2' },
      spec: { capacity, accessModes, hostPath: { path: '/x' }, volumeMode: 'Block' },
      status: { phase: 'Available' },
    })
    cluster.api.put(Pod, {
      metadata: { name: 'p', namespace: 'default' },
      spec: { nodeName: 'n', containers: [container], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
    })
    await cluster.settle()
    const read = (name: string) => [...gauges.get(name)!.read()]
    expect(read('pv_collector_bound_pv_count')).toEqual([[{ storage_class: 'fast' }, 1]])
    expect(read('pv_collector_unbound_pv_count')).toEqual([[{ storage_class: '' }, 1]])
    expect(read('pv_collector_bound_pvc_count')).toEqual([
      [{ namespace: 'default', storage_class: 'fast', volume_attributes_class: '' }, 1],
    ])
    expect(read('pv_collector_unbound_pvc_count')).toEqual([])
    expect(read('pv_collector_total_pv_count')).toEqual([
      [{ plugin_name: 'kubernetes.io/csi:ebs.example.com', volume_mode: 'Filesystem' }, 1],
      [{ plugin_name: 'kubernetes.io/host-path', volume_mode: 'Block' }, 1],
    ])
    expect(read('storage_count_attachable_volumes_in_use')).toEqual([
      [{ node: 'n', volume_plugin: 'kubernetes.io/csi:ebs.example.com' }, 1],
    ])
    expect(read('attachdetach_controller_total_volumes')).toEqual([
      [{ plugin_name: 'kubernetes.io/csi:ebs.example.com', state: 'desired_state_of_world' }, 1],
    ])
  })
})
