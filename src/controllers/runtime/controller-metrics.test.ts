import { describe, expect, it } from 'vitest'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { cronJobController } from '../cronjob.ts'
import { endpointSliceController } from '../endpointslice.ts'
import { jobController } from '../job.ts'
import { ttlAfterFinishedController } from '../ttl-after-finished.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { testCluster } from './test-cluster.ts'

/** Keeps what is counted and observed, by metric and labels. */
function kept() {
  const values = new Map<string, number[]>()
  const add = (name: string, labels: readonly string[] = [], value: number) => {
    const key = [name, ...labels].join(' ')
    values.set(key, [...(values.get(key) ?? []), value])
  }
  const metrics: ControllerMetrics = {
    queue: () => undefined,
    count: ({ name }, labels, by = 1) => add(name, labels, by),
    observe: ({ name }, labels, value) => add(name, labels, value),
    gauge() {},
  }
  const total = (key: string) => (values.get(key) ?? []).reduce((sum, value) => sum + value, 0)
  return { metrics, values, total }
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
    const { metrics, total } = kept()
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
    cluster.api.remove(Pod, 'p')
    await cluster.settle()
    expect(total('endpoint_slice_controller_endpoints_removed_per_sync')).toBe(1)
  })
})
