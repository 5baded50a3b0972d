import { describe, expect, it } from 'vitest'
import { controllers } from '#controllers/controllers.ts'
import { deployment, markReady } from '#controllers/runtime/samples.ts'
import { type TestCluster, testCluster } from '#controllers/runtime/test-cluster.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { HorizontalPodAutoscaler } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import { timeOf } from '#machinery/time/time.ts'
import { loadAt, PER_POD } from '../support/day-of-load.ts'

/* A day of an autoscaler, its Deployment and its pods, under a load that goes up and down: what matters is the shape of the replicas over time. */

const MINUTE_MS = 60_000
const STEP_MS = 15_000
/** A pod is ready so long after it was made. */
const STARTS_IN_MS = 30_000

const container = { name: 'main', image: 'web:1', resources: { requests: { cpu: '400m' } } }
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } }
const MAX = 30

function start(behavior: object): TestCluster {
  const wanted = ['deployment-controller', 'replicaset-controller', 'horizontal-pod-autoscaler-controller']
  const cluster = testCluster(controllers.filter(({ name }) => wanted.includes(name)))
  const { api } = cluster
  api.put(Deployment, deployment('web', 2, { template }))
  api.subresources = {
    'deployments/scale'(object, body) {
      const asked = (body as { spec?: { replicas: number } } | undefined)?.spec?.replicas
      if (asked !== undefined)
        api.change(Deployment, 'web', next => {
          next.spec.replicas = asked
        })
      const { replicas } = (object as Deployment).spec
      return { metadata: object.metadata, spec: { replicas: asked ?? replicas }, status: { replicas, selector: 'app=web' } }
    },
  }
  const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }
  api.put(HorizontalPodAutoscaler, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: MAX,
      metrics: [cpu],
      behavior,
    },
  })
  return cluster
}

/** Kubelets and the load balancer: pods come up, and share the load. */
function serve({ api, clock }: TestCluster, load: number): void {
  const at = clock.now()
  for (const pod of api.all(Pod)) {
    const { name = '', creationTimestamp = '', deletionTimestamp } = pod.metadata
    if (deletionTimestamp) {
      api.remove(Pod, name)
      if (api.find(PodMetrics, name)) api.remove(PodMetrics, name)
    } else if (!isReady(pod) && Date.parse(creationTimestamp) + STARTS_IN_MS <= at) {
      api.change(Pod, name, next => {
        next.status.startTime = creationTimestamp
      })
      markReady({ api, clock }, api.find(Pod, name)!)
    }
  }
  const ready = api.all(Pod).filter(isReady)
  for (const { metadata } of ready) {
    const name = metadata.name!
    const measured = {
      timestamp: timeOf(at),
      window: '15s',
      containers: [{ name: 'main', usage: { cpu: `${Math.round(load / ready.length)}m` } }],
    }
    if (api.find(PodMetrics, name))
      api.change(PodMetrics, name, next => {
        Object.assign(next, measured)
      })
    else api.put(PodMetrics, { metadata: { name, namespace: 'default', labels: { app: 'web' } }, ...measured })
  }
}

/** A day from midnight: the wanted number of replicas at every step, by the hour. */
async function day(behavior: object) {
  await using cluster = start(behavior)
  const { api, clock } = cluster
  const midnight = clock.now()
  const series: { readonly hour: number; readonly replicas: number }[] = []
  const reasons = new Set<string>()
  for (let ms = 0; ms < 24 * 60 * MINUTE_MS; ms += STEP_MS) {
    serve(cluster, loadAt(ms / (60 * MINUTE_MS)))
    await cluster.advance(STEP_MS)
    if (ms % (30 * MINUTE_MS) === 0) api.compact()
    series.push({ hour: (clock.now() - midnight) / (60 * MINUTE_MS), replicas: api.find(Deployment, 'web')!.spec.replicas! })
    const limited = api.find(HorizontalPodAutoscaler, 'web')!.status.conditions?.find(({ type }) => type === 'ScalingLimited')
    if (limited?.reason) reasons.add(limited.reason)
  }
  const between = (from: number, to: number) => series.filter(({ hour }) => hour > from && hour <= to).map(({ replicas }) => replicas)
  const firstAt = (from: number, holds: (replicas: number) => boolean) =>
    series.find(({ hour, replicas }) => hour > from && holds(replicas))?.hour ?? Number.POSITIVE_INFINITY
  return { series, between, firstAt, reasons }
}

/** The largest change up and down within any stretch of so many steps. */
function steepest(replicas: readonly number[], steps: number) {
  let [up, down] = [0, 0]
  for (let index = steps; index < replicas.length; index++) {
    const change = replicas[index]! - replicas[index - steps]!
    up = Math.max(up, change)
    down = Math.max(down, -change)
  }
  return { up, down }
}

const minutes = (count: number) => count / 60

describe('a day of an autoscaler', () => {
  it('follows the load within its bounds and policies, and does not mind trembling and a short dip', async () => {
    const { series, between, firstAt, reasons } = await day({
      scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] },
      scaleDown: { stabilizationWindowSeconds: 300, selectPolicy: 'Max', policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
    })
    const all = series.map(({ replicas }) => replicas)
    // SAFETY: never out of bounds, never steeper than a policy allows.
    expect([Math.min(...all), Math.max(...all)]).toEqual([2, MAX])
    expect(steepest(all, MINUTE_MS / STEP_MS).up).toBeLessThanOrEqual(4)
    for (let index = 4; index < all.length; index++) expect(all[index]!).toBeGreaterThanOrEqual(Math.floor(all[index - 4]! * 0.9))

    // The night needs one pod and keeps two.
    expect(new Set(between(0.5, 7))).toEqual(new Set([2]))
    // The morning only rises, and there are enough pods when it ends.
    const morning = between(8, 10)
    expect(morning.every((replicas, index) => replicas >= (morning[index - 1] ?? 0))).toBe(true)
    expect(between(10.2, 10.3)[0]).toBeGreaterThanOrEqual(3000 / PER_POD)
    expect(between(10.2, 10.3)[0]).toBeLessThanOrEqual((1.15 * 3000) / PER_POD)
    // A load that trembles within the tolerance moves nothing, and neither does a dip shorter than the stabilization.
    expect(new Set(between(10.5, 12)).size).toBe(1)
    expect(new Set(between(11.5, 13.9)).size).toBe(1)
    // The news take as many as there may be: four a minute, from 15 on.
    const peak = firstAt(14, replicas => replicas === MAX)
    expect(peak - 14).toBeGreaterThan(minutes(3))
    expect(peak - 14).toBeLessThan(minutes(7))
    expect(new Set(between(peak, 16))).toEqual(new Set([MAX]))
    // After it the pods stay five minutes, then go, a tenth a minute.
    const fall = firstAt(16, replicas => replicas < MAX)
    expect(fall - 16).toBeGreaterThan(minutes(5) - minutes(0.5))
    expect(fall - 16).toBeLessThan(minutes(6.5))
    expect(between(17, 17.1)[0]).toBeLessThanOrEqual((1.15 * 3000) / PER_POD)
    expect(between(17, 17.1)[0]).toBeGreaterThanOrEqual(3000 / PER_POD)
    // The evening goes down to two, and stays there.
    const evening = firstAt(20, replicas => replicas < between(19, 19.1)[0]!)
    expect(evening - 20).toBeGreaterThan(minutes(5) - minutes(0.5))
    expect(new Set(between(22, 24))).toEqual(new Set([2]))
    expect([...reasons].sort()).toEqual(['DesiredWithinRange', 'ScaleDownLimit', 'ScaleUpLimit', 'TooFewReplicas', 'TooManyReplicas'])
  }, 120_000)

  it('without behaviour of its own doubles within seconds and lets go after five minutes', async () => {
    const { between, firstAt } = await day({})
    const peak = firstAt(14, replicas => replicas === MAX)
    expect(peak - 14).toBeLessThan(minutes(2.5))
    const fall = firstAt(16, replicas => replicas < MAX)
    expect(fall - 16).toBeGreaterThan(minutes(5) - minutes(0.5))
    // All at once: there is no other policy.
    expect(firstAt(16, replicas => replicas <= (1.15 * 3000) / PER_POD) - fall).toBeLessThan(minutes(0.5))
    expect(new Set(between(11.5, 13.9)).size).toBe(1)
  }, 120_000)

  it('moves less with a wider tolerance, and never down where that is disabled', async () => {
    const narrow = await day({ scaleUp: { tolerance: '0' }, scaleDown: { tolerance: '0', stabilizationWindowSeconds: 0 } })
    const wide = await day({ scaleUp: { tolerance: '0.3' }, scaleDown: { selectPolicy: 'Disabled' } })
    const moves = (replicas: readonly number[]) => replicas.filter((count, index) => index > 0 && count !== replicas[index - 1]).length
    expect(moves(narrow.between(10.5, 11.9))).toBeGreaterThan(5)
    expect(moves(wide.between(10.5, 11.9))).toBe(0)
    // With a third more than is aimed at it has not moved yet.
    expect(wide.between(10.2, 10.3)[0]).toBeLessThan(narrow.between(10.2, 10.3)[0]!)
    const all = wide.between(0, 24)
    expect(all.every((count, index) => index === 0 || count >= all[index - 1]!)).toBe(true)
    expect(all.at(-1)).toBe(MAX)
  }, 240_000)
})
