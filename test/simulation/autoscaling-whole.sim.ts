import { expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { startControlPlane } from '#cluster/components/control-plane.ts'
import { deployment } from '#controllers/runtime/samples.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { HorizontalPodAutoscaler } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { timeOf } from '#machinery/time/time.ts'
import { resourceMetrics } from '#metrics/resource-metrics.ts'
import type { StatsSummary } from '#metrics/stats-summary.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { loadAt, PER_POD } from '../support/day-of-load.ts'

/*
 * A day of an autoscaler on the API server itself: metrics come from what nodes count, by the API of metrics; the scale is read and written as a
 * subresource; pods are made, placed and run by everybody who does so.
 */

const HOUR_MS = 3_600_000
const STEP_MS = 15_000
const MAX = 30

it('an autoscaler follows the load of a day through metrics, scale and pods of a whole cluster', async () => {
  const clock = virtualClock()
  const log = silentLogger
  const store = new MemoryStore({ clock })
  const duringStart = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false
    void work.finally(() => {
      isOver = true
    })
    while (!isOver) await clock.advance(10)
    return work
  }
  const wanted = [
    'deployment-controller',
    'replicaset-controller',
    'horizontal-pod-autoscaler-controller',
    'node-lifecycle-controller',
    'serviceaccount-controller',
  ]
  const plane = await duringStart(
    startControlPlane({ store, clock, random: seededRandom(1), log, serviceAccountKeys: newKeyPair(), controllers: wanted }),
  )
  const client = plane.clientFor({ name: 'admin', groups: ['system:masters'] }, 'test')
  const { informers } = plane
  const nodes = startSimulatedNodes({ names: ['n1', 'n2', 'n3'], client, informers, clock, log, startDelayMs: 30_000 })
  await duringStart(nodes.ready)

  // What pods have used up to now: the load is shared among those that are ready.
  const used = new Map<string, number>()
  const pods = informers.of(Pod)
  let load = 0
  let countedMs = clock.now()
  const count = () => {
    const ready = pods.list().filter(isReady)
    const seconds = (clock.now() - countedMs) / 1000
    countedMs = clock.now()
    for (const { metadata } of ready) used.set(metadata.uid!, (used.get(metadata.uid!) ?? 0) + (load / 1000 / ready.length) * seconds * 1e9)
  }
  const readSummary = async (node: Node): Promise<StatsSummary> => {
    count()
    const time = timeOf(clock.now())
    const here = pods.list().filter(pod => pod.spec.nodeName === node.metadata.name && isReady(pod))
    return {
      node: { nodeName: node.metadata.name! },
      pods: here.map(({ metadata: { name = '', namespace = '', uid = '' } }) => ({
        podRef: { name, namespace, uid },
        containers: [
          { name: 'main', cpu: { time, usageCoreNanoSeconds: Math.round(used.get(uid) ?? 0) }, memory: { workingSetBytes: 1 << 20 } },
        ],
      })),
    }
  }
  const metrics = resourceMetrics({ informers, clock, log, readSummary })
  plane.server.addComputed(metrics.nodes)
  plane.server.addComputed(metrics.pods)

  const container = { name: 'main', image: 'web:1', resources: { requests: { cpu: '400m' } } }
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } }
  await client.create(Deployment, deployment('web', 2, { template }) as never)
  await client.create(HorizontalPodAutoscaler, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: MAX,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
    },
  } as never)

  const series: { readonly hour: number; readonly replicas: number; readonly ready: number }[] = []
  const from = clock.now()
  for (let ms = 0; ms < 24 * HOUR_MS; ms += STEP_MS) {
    count()
    load = loadAt(ms / HOUR_MS)
    await clock.advance(STEP_MS)
    const { replicas } = (await client.get(Deployment, { namespace: 'default', name: 'web' })).spec
    series.push({ hour: (clock.now() - from) / HOUR_MS, replicas: replicas!, ready: pods.list().filter(isReady).length })
  }
  const between = (after: number, until: number) =>
    series.filter(({ hour }) => hour > after && hour <= until).map(({ replicas }) => replicas)
  const firstAt = (after: number, holds: (replicas: number) => boolean) =>
    series.find(({ hour, replicas }) => hour > after && holds(replicas))?.hour ?? Number.POSITIVE_INFINITY
  const minutes = (count: number) => count / 60
  const isEnough = (replicas: number, load: number) => {
    // A tenth more than is aimed at is let be.
    expect(replicas).toBeGreaterThanOrEqual(load / PER_POD / 1.1)
    expect(replicas).toBeLessThanOrEqual((1.25 * load) / PER_POD)
  }

  const all = between(0, 24)
  expect([Math.min(...all), Math.max(...all)]).toEqual([2, MAX])
  expect(new Set(between(0.5, 7))).toEqual(new Set([2]))
  // The morning only adds; at its end there are enough, and they are really there.
  const morning = between(8, 10)
  expect(morning.every((replicas, index) => replicas >= (morning[index - 1] ?? 0))).toBe(true)
  isEnough(between(10.2, 10.3)[0]!, 3000)
  expect(series.find(({ hour }) => hour > 10.5)).toMatchObject({ ready: between(10.5, 10.6)[0] })
  // Trembling and a dip shorter than the stabilization move nothing.
  expect(new Set(between(10.5, 13.9)).size).toBe(1)
  // The news take as many as there may be, and they come up.
  const peak = firstAt(14, replicas => replicas === MAX)
  expect(peak - 14).toBeLessThan(minutes(5))
  expect(series.find(({ hour }) => hour > peak + minutes(2))).toMatchObject({ replicas: MAX, ready: MAX })
  // After it they stay five minutes, then go.
  const fall = firstAt(16, replicas => replicas < MAX)
  expect(fall - 16).toBeGreaterThan(minutes(4.5))
  expect(fall - 16).toBeLessThan(minutes(8))
  isEnough(between(17, 17.1)[0]!, 3000)
  // The evening goes down to two, and stays there.
  expect(new Set(between(22, 24))).toEqual(new Set([2]))
  expect(series.at(-1)).toMatchObject({ replicas: 2, ready: 2 })

  await duringStart(
    nodes
      .stop()
      .then(() => plane.stop())
      .then(() => store.close()),
  )
}, 600_000)
