import { describe, expect, it } from 'vitest'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { HorizontalPodAutoscaler } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import { notFound } from '#machinery/status/failures.ts'
import { timeOf } from '#machinery/time/time.ts'
import { limit, noteChange, type ScalingMemory } from './horizontalpodautoscaler.scaling.ts'
import { horizontalPodAutoscalerController } from './horizontalpodautoscaler.ts'
import type { ControllerParameters } from './runtime/parameters.ts'
import { deployment, markReady, podTemplate } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }]
const autoscaler = (more: object = {}) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { scaleTargetRef: target, maxReplicas: 10, metrics, ...more },
})

function start(replicas: number, parameters: Partial<ControllerParameters> = {}): TestCluster {
  const cluster = testCluster([horizontalPodAutoscalerController], parameters)
  cluster.api.put(Deployment, deployment('web', replicas))
  cluster.api.subresources = {
    'deployments/scale': (object, body) => {
      const wanted = (body as { spec?: { replicas: number } } | undefined)?.spec?.replicas
      if (wanted !== undefined)
        cluster.api.change(Deployment, 'web', next => {
          next.spec.replicas = wanted
        })
      const present = (object as Deployment).spec.replicas
      return { metadata: object.metadata, spec: { replicas: wanted ?? present }, status: { replicas: present, selector: 'app=web' } }
    },
  }
  return cluster
}

/** So many ready pods, each using so much CPU of the 100m that it asks for. */
async function use(cluster: TestCluster, cpu: readonly string[]): Promise<void> {
  for (const [index, usage] of cpu.entries()) {
    const name = `web-${index}`
    if (!cluster.api.find(Pod, name)) {
      const container = { name: 'main', image: 'web', resources: { requests: { cpu: '100m' } } }
      const pod = cluster.api.put(Pod, {
        metadata: { name, namespace: 'default', labels: podTemplate('web').metadata.labels },
        spec: { containers: [container] },
      })
      markReady(cluster, pod)
      cluster.api.change(Pod, name, next => {
        next.status.startTime = timeOf(cluster.clock.now() - 3600_000)
      })
    }
    if (cluster.api.find(PodMetrics, name)) cluster.api.remove(PodMetrics, name)
    const timestamp = timeOf(cluster.clock.now())
    cluster.api.put(PodMetrics, {
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      timestamp,
      containers: [{ name: 'main', usage: { cpu: usage } }],
    })
  }
}

const replicas = (cluster: TestCluster) => cluster.api.find(Deployment, 'web')!.spec.replicas
const status = (cluster: TestCluster) => cluster.api.find(HorizontalPodAutoscaler, 'web')!.status
const condition = (cluster: TestCluster, type: string) => status(cluster).conditions?.find(one => one.type === type)

describe('horizontal-pod-autoscaler-controller', () => {
  it('adds pods when they use more than is aimed at', async () => {
    await using cluster = start(2)
    await use(cluster, ['80m', '80m'])
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler())
    await cluster.settle()
    expect(replicas(cluster)).toBe(4)
    expect(status(cluster)).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 4,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 80, averageValue: '80m' } } }],
    })
    expect(condition(cluster, 'ScalingActive')).toMatchObject({ status: 'True', reason: 'ValidMetricFound' })
    expect(cluster.events()).toContain(
      'SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
    )
  })

  it('lets small deviations be', async () => {
    await using cluster = start(2)
    await use(cluster, ['54m', '54m'])
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler())
    await cluster.advance(60_000)
    expect(replicas(cluster)).toBe(2)
  })

  it('takes pods away only after five quiet minutes', async () => {
    await using cluster = start(4)
    await use(cluster, ['50m', '50m', '50m', '50m'])
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler())
    await cluster.settle()
    await use(cluster, ['10m', '10m', '10m', '10m'])
    await cluster.advance(240_000)
    expect(replicas(cluster)).toBe(4)
    expect(condition(cluster, 'AbleToScale')).toMatchObject({ reason: 'ScaleDownStabilized' })
    await cluster.advance(90_000)
    expect(replicas(cluster)).toBe(1)
  })

  it('keeps within its bounds, whatever the metrics say', async () => {
    await using cluster = start(20)
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler({ minReplicas: 3 }))
    await cluster.settle()
    expect(replicas(cluster)).toBe(10)
  })

  it('changes nothing and says why when nothing can be measured', async () => {
    await using cluster = start(2)
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler())
    await cluster.settle()
    expect(replicas(cluster)).toBe(2)
    expect(condition(cluster, 'ScalingActive')).toMatchObject({ status: 'False', reason: 'FailedGetResourceMetric' })
  })

  it('counts pods without a measurement for what would change least', async () => {
    await using cluster = start(3)
    await use(cluster, ['100m', '100m', '100m'])
    cluster.api.remove(PodMetrics, 'web-2')
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler())
    await cluster.settle()
    expect(replicas(cluster)).toBe(4)
  })

  it('does nothing for a target that was scaled to zero by hand', async () => {
    await using cluster = start(0)
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler())
    await cluster.settle()
    expect(replicas(cluster)).toBe(0)
    expect(condition(cluster, 'ScalingActive')).toMatchObject({ reason: 'ScalingDisabled' })
  })
})

describe('behaviour', () => {
  const of = (behavior: object) =>
    ({ spec: { scaleTargetRef: target, minReplicas: 1, maxReplicas: 100, behavior } }) as unknown as HorizontalPodAutoscaler
  const memory = (): ScalingMemory => ({ wishes: [], changes: [] })

  it('limits how much is added in a time', () => {
    const policies = [{ type: 'Pods', value: 3, periodSeconds: 60 }]
    const remembered = memory()
    expect(limit(of({ scaleUp: { policies } }), 10, 50, remembered, 0, 0)).toMatchObject({ replicas: 13, reason: 'ScaleUpLimit' })
    noteChange(remembered, 3, 0)
    expect(limit(of({ scaleUp: { policies } }), 13, 50, remembered, 0, 30_000).replicas).toBe(13)
    expect(limit(of({ scaleUp: { policies } }), 13, 50, remembered, 0, 60_001).replicas).toBe(16)
  })

  it('takes the policy that changes most, or least, or none', () => {
    const policies = [
      { type: 'Pods', value: 1, periodSeconds: 60 },
      { type: 'Percent', value: 50, periodSeconds: 60 },
    ]
    const down = (selectPolicy: string) =>
      limit(of({ scaleDown: { policies, selectPolicy, stabilizationWindowSeconds: 0 } }), 10, 1, memory(), 0, 0).replicas
    expect([down('Max'), down('Min'), down('Disabled')]).toEqual([5, 9, 10])
  })

  it('at first adds four pods or as many as there are', () => {
    expect(limit(of({}), 1, 50, memory(), 300_000, 0).replicas).toBe(5)
    expect(limit(of({}), 10, 50, memory(), 300_000, 0).replicas).toBe(20)
  })
})

describe('metrics that others serve', () => {
  const item = (name: string, value: string) => ({ describedObject: { kind: 'Pod', name }, value, timestamp: '2026-01-01T00:00:00Z' })

  async function scaled(metric: object, answers: Readonly<Record<string, unknown>>, running = 2, behavior?: object) {
    const asked: string[] = []
    const cluster = start(running, {
      async readMetrics(path) {
        asked.push(decodeURIComponent(path))
        const answer = answers[decodeURIComponent(path)]
        if (!answer) throw notFound({ group: '', resource: 'metrics' }, path)
        return answer
      },
    })
    await using _ = cluster
    await use(
      cluster,
      Array.from({ length: running }, () => '50m'),
    )
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler({ metrics: [metric], ...(behavior ? { behavior } : {}) }))
    await cluster.settle()
    return { replicas: replicas(cluster), status: cluster.api.find(HorizontalPodAutoscaler, 'web')!.status, asked }
  }

  const pods = {
    type: 'Pods',
    pods: { metric: { name: 'hits', selector: { matchLabels: { verb: 'get' } } }, target: { type: 'AverageValue', averageValue: '10' } },
  }
  const PODS = '/namespaces/default/pods/*/hits?labelSelector=app=web&metricLabelSelector=verb=get'

  it('of pods: by the average, from the newest version that is served', async () => {
    const old = `/apis/custom.metrics.k8s.io/v1beta1${PODS}`
    const { replicas, status, asked } = await scaled(pods, { [old]: { items: [item('web-0', '30'), item('web-1', '10500m')] } })
    expect(asked).toEqual([`/apis/custom.metrics.k8s.io/v1beta2${PODS}`, old])
    expect(replicas).toBe(5)
    expect(status.currentMetrics).toMatchObject([{ type: 'Pods', pods: { metric: { name: 'hits' }, current: { averageValue: '20250m' } } }])
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ message: 'the HPA was able to successfully calculate a replica count from pods metric hits' }),
    )
  })

  it('of an object: as a whole, or for each pod', async () => {
    const object = (target: object) => ({
      type: 'Object',
      object: { metric: { name: 'queue' }, describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' }, target },
    })
    const answers = { '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/web/queue': { items: [item('web', '90')] } }
    expect((await scaled(object({ type: 'Value', value: '30' }), answers)).replicas).toBe(6)
    expect((await scaled(object({ type: 'AverageValue', averageValue: '30' }), answers)).replicas).toBe(3)
  })

  it('from outside: the sum of what is selected', async () => {
    const external = (target: object) => ({
      type: 'External',
      external: { metric: { name: 'jobs', selector: { matchLabels: { queue: 'a' } } }, target },
    })
    const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/jobs?labelSelector=queue=a'
    const answers = {
      [path]: {
        items: [
          { metricName: 'jobs', value: '25' },
          { metricName: 'jobs', value: '15' },
        ],
      },
    }
    const { replicas, status } = await scaled(external({ type: 'AverageValue', averageValue: '10' }), answers)
    expect(replicas).toBe(4)
    expect(status.currentMetrics).toMatchObject([{ type: 'External', external: { current: { averageValue: '20' } } }])
    expect((await scaled(external({ type: 'Value', value: '40' }), answers)).replicas).toBe(2)
  })

  it('count for a target whose pods are still to come', async () => {
    const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/jobs'
    await using cluster = start(1, { readMetrics: async asked => (asked === path ? { items: [{ value: '40' }] } : {}) })
    const scale = cluster.api.subresources['deployments/scale']!
    cluster.api.subresources = {
      'deployments/scale': (object, body) => ({ ...(scale(object, body) as object), status: { replicas: 0, selector: 'app=web' } }),
    }
    const external = { metric: { name: 'jobs' }, target: { type: 'AverageValue', averageValue: '10' } }
    await cluster.api.client().create(HorizontalPodAutoscaler, autoscaler({ metrics: [{ type: 'External', external }] }))
    await cluster.settle()
    expect(replicas(cluster)).toBe(4)
  })

  it('that nobody serves change nothing, and the condition says so', async () => {
    const { replicas, status } = await scaled(pods, {})
    expect(replicas).toBe(2)
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'ScalingActive', status: 'False', reason: 'FailedGetPodsMetric' }),
    )
  })

  it('may be as far off in each direction as the behaviour says', async () => {
    const path = `/apis/custom.metrics.k8s.io/v1beta2${PODS}`
    const answers = { [path]: { items: [item('web-0', '14'), item('web-1', '14')] } }
    expect((await scaled(pods, answers)).replicas).toBe(3)
    expect((await scaled(pods, answers, 2, { scaleUp: { tolerance: '500m' } })).replicas).toBe(2)
  })
})
