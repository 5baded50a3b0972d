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

/*
 * An autoscaler on the API server itself: metrics come from what nodes count, by the API of metrics; the scale is read and written as a
 * subresource; pods are made, placed and run by everybody who does so.
 */

const MINUTE_MS = 60_000
const STEP_MS = 15_000
/** Each pod asks for 400m and is to use half of it. */
const PER_POD = 200
const MAX = 20

/** Thousandths of a CPU by the minute: quiet, a rise within ten minutes, a plateau with a dip of two minutes, and quiet again. */
function loadAt(minute: number): number {
  if (minute < 10) return 300
  if (minute < 20) return 300 + ((2400 - 300) * (minute - 10)) / 10
  if (minute >= 30 && minute < 32) return 600
  return minute < 45 ? 2400 : 300
}

it('an autoscaler follows the load through metrics, scale and pods of a whole cluster', async () => {
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
  const nodes = startSimulatedNodes({ names: ['n1', 'n2'], client, informers, clock, log, startDelayMs: 30_000 })
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

  const series: { readonly minute: number; readonly replicas: number; readonly ready: number }[] = []
  const from = clock.now()
  for (let ms = 0; ms < 60 * MINUTE_MS; ms += STEP_MS) {
    count()
    load = loadAt(ms / MINUTE_MS)
    await clock.advance(STEP_MS)
    const { replicas } = (await client.get(Deployment, { namespace: 'default', name: 'web' })).spec
    series.push({ minute: (clock.now() - from) / MINUTE_MS, replicas: replicas!, ready: pods.list().filter(isReady).length })
  }
  const between = (after: number, until: number) =>
    series.filter(({ minute }) => minute > after && minute <= until).map(({ replicas }) => replicas)

  expect(Math.min(...between(0, 60))).toBeGreaterThanOrEqual(2)
  expect(Math.max(...between(0, 60))).toBeLessThanOrEqual(MAX)
  expect(new Set(between(3, 10))).toEqual(new Set([2]))
  // The rise only adds; at its end there are enough, and they are really there.
  const rise = between(10, 24)
  expect(rise.every((replicas, index) => replicas >= (rise[index - 1] ?? 0))).toBe(true)
  const plateau = between(24, 30)
  // A tenth more than is aimed at is let be.
  expect(plateau[0]).toBeGreaterThanOrEqual(2400 / PER_POD / 1.1)
  expect(plateau[0]).toBeLessThanOrEqual((1.25 * 2400) / PER_POD)
  expect(series.find(({ minute }) => minute > 26)).toMatchObject({ ready: plateau[0] })
  // A dip shorter than the stabilization takes nothing away; quiet does, after five minutes, down to two.
  expect(new Set(between(24, 45))).toEqual(new Set([plateau[0]]))
  const fall = series.find(({ minute, replicas }) => minute > 45 && replicas < plateau[0]!)!
  expect(fall.minute - 45).toBeGreaterThan(4.5)
  expect(fall.minute - 45).toBeLessThan(8)
  expect(series.at(-1)).toMatchObject({ replicas: 2, ready: 2 })

  await duringStart(
    nodes
      .stop()
      .then(() => plane.stop())
      .then(() => store.close()),
  )
}, 120_000)
