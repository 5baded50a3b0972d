// How fast the scheduler is on its own: `bench/scheduler.bench.ts [nodes] [row] [uncounted]`. Bindings are answered at once, so that nothing else
// counts. It keeps metrics as `bin/kube-scheduler` does; `uncounted` shows what those cost.
//
//   choosing  one node for a plain pod, without taking it
//   pods/s    from the watch to the binding: plain, spread over zones, preferred and required (anti-)affinity, preemption on full nodes
import '#base/time/dispose.ts'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Client, WatchSink } from '#client/client.ts'
import { informers } from '#client/informers/informers.ts'
import { schedulerMetrics } from '#cluster/frame/scheduler-metrics.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { podInfo } from '#scheduler/cache/pod-info.ts'
import { schedulerCache } from '#scheduler/cache/scheduler-cache.ts'
import { nominations } from '#scheduler/framework/nominations.ts'
import { schedulingCycle } from '#scheduler/framework/scheduling-cycle.ts'
import { selectNode } from '#scheduler/framework/select-node.ts'
import { profilesOf } from '#scheduler/profiles.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import { UNCOUNTED } from '#scheduler/scheduler-metrics.ts'

type Parts = Record<string, unknown>
const NODES = Number(process.argv[2] ?? 5_000)

const read = (kind: AnyKind, object: object) => decode(kind.schema, object, { defaults: true, unknown: [] }) as unknown as ApiObject
const nodeOf = (index: number, cpu: string) =>
  read(Node, {
    metadata: {
      name: `node-${index}`,
      resourceVersion: '1',
      labels: { 'kubernetes.io/hostname': `node-${index}`, 'topology.kubernetes.io/zone': `zone-${index % 3}` },
    },
    spec: {},
    status: { allocatable: { cpu, memory: '32Gi', pods: '110' } },
  })
let serial = 0
const podOf = (labels: Parts, spec: Parts, cpu = '100m') =>
  read(Pod, {
    metadata: { name: `pod-${++serial}`, namespace: 'a', uid: `uid-${serial}`, labels, resourceVersion: '1' },
    spec: { containers: [{ name: 'c', image: 'pause:1', resources: { requests: { cpu, memory: '500Mi' } } }], ...spec },
  })

/** An API server that answers at once. */
function fakeServer(nodes: readonly ApiObject[]) {
  const sinks = new Map<AnyKind, WatchSink<ApiObject>>()
  let revision = 1
  let bound = 0
  let deleted = 0
  let waiting: { count: number; done: () => void } | undefined
  const tell = (kind: AnyKind, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ApiObject) => {
    const next = { ...object, metadata: { ...object.metadata, resourceVersion: String(++revision) } }
    sinks.get(kind)?.event({ type, object: next as ApiObject })
  }
  const client = {
    list: async (kind: AnyKind) => ({ metadata: { resourceVersion: '1' }, items: kind === Node ? nodes : [] }),
    watch(kind: AnyKind, _options: object, sink: WatchSink<ApiObject>) {
      sinks.set(kind, sink)
      return { [Symbol.dispose]: () => sinks.delete(kind) }
    },
    async subresource(_kind: AnyKind, pod: Pod, { body }: { body: { target: { name: string } } }) {
      await Promise.resolve()
      tell(Pod, 'MODIFIED', { ...pod, spec: { ...pod.spec, nodeName: body.target.name } } as unknown as ApiObject)
      if (++bound === waiting?.count) waiting.done()
    },
    patch: async () => undefined,
    async delete(_kind: AnyKind, pod: Pod) {
      deleted++
      tell(Pod, 'DELETED', pod as unknown as ApiObject)
    },
  }
  return {
    client: client as unknown as Client,
    create: (pods: readonly ApiObject[]) => {
      for (const pod of pods) tell(Pod, 'ADDED', pod)
    },
    until: (count: number) =>
      new Promise<void>(done => {
        waiting = { count, done }
        if (bound >= count) done()
      }),
    get deleted() {
      return deleted
    },
  }
}

async function measure(what: string, pods: number, make: (index: number) => ApiObject, before: readonly ApiObject[] = [], cpu = '16') {
  const server = fakeServer(Array.from({ length: NODES }, (_, index) => nodeOf(index, cpu)))
  const clock = realClock()
  const shared = informers({ client: server.client, clock, log: silentLogger })
  const scheduler = await startScheduler({
    client: server.client,
    informers: shared,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    events: { record() {} },
    metrics: process.argv[4] === 'uncounted' ? undefined : schedulerMetrics(() => undefined).counted,
  })
  server.create(before)
  await server.until(before.filter(pod => !(pod as unknown as Pod).spec.nodeName).length)
  const all = Array.from({ length: pods }, (_, index) => make(index))
  const start = performance.now()
  const cpuBefore = process.cpuUsage()
  const timeout = setTimeout(() => process.exit(1), 600_000)
  server.create(all)
  await server.until(before.filter(pod => !(pod as unknown as Pod).spec.nodeName).length + pods)
  clearTimeout(timeout)
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpuBefore)
  const cpuMs = (user + system) / 1000
  console.log(
    `${what.padEnd(34)} ${String(pods).padStart(6)} pods  ${((pods * 1000) / ms).toFixed(0).padStart(6)} pods/s  ${((cpuMs * 1000) / pods).toFixed(0).padStart(6)} µs CPU each${server.deleted ? `  ${server.deleted} evicted` : ''}`,
  )
  await scheduler.stop()
  await shared[Symbol.asyncDispose]()
}

/** Choosing alone, on nodes of which a third has pods; nothing is assumed. */
async function choose() {
  const cache = schedulerCache()
  for (let index = 0; index < NODES; index++) {
    const info = cache.setNode(nodeOf(index, '16') as unknown as Node)
    if (index % 3 === 0) cache.assume(podInfo(podOf({}, {}) as unknown as Pod), info)
  }
  const client = fakeServer([]).client
  const clock = realClock()
  const shared = informers({ client, clock, log: silentLogger })
  const waiting = nominations()
  const context = {
    client,
    informers: shared,
    clock,
    log: silentLogger,
    events: { record() {} },
    nominations: waiting,
    metrics: UNCOUNTED,
    retry() {},
    released() {},
    retryLater() {},
  }
  const profile = profilesOf({}, context).get('default-scheduler')!
  const random = seededRandom(1)
  const infos = Array.from({ length: 2_000 }, () => podInfo(podOf({}, {}) as unknown as Pod))
  let start = 0
  for (const round of ['warming up', 'choosing']) {
    const before = performance.now()
    for (const info of infos) start = (start + selectNode(schedulingCycle(info, cache), profile, waiting, start, random).seen) % NODES
    const us = ((performance.now() - before) * 1000) / infos.length
    if (round === 'choosing')
      console.log(`${'choosing among'.padEnd(34)} ${String(NODES).padStart(6)} nodes ${us.toFixed(0).padStart(6)} µs each`)
  }
  await shared[Symbol.asyncDispose]()
}

const term = (labels: Parts, topologyKey: string) => ({ labelSelector: { matchLabels: labels }, topologyKey })
const zone = 'topology.kubernetes.io/zone'
const host = 'kubernetes.io/hostname'
const spread = { maxSkew: 5, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { color: 'blue' } } }
const preferred = (kind: string) => ({
  affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term({ foo: 'bar' }, host) }] } },
})
const required = (kind: string, labels: Parts, key: string) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term(labels, key)] } },
})
const only = process.argv[3]
const rows: Record<string, () => Promise<void>> = {
  choosing: choose,
  plain: () => measure('plain', 10_000, () => podOf({}, {})),
  spread: () =>
    measure('topology spread (zone, hard)', 5_000, () => podOf({ color: 'blue' }, { topologySpreadConstraints: [spread] }), many(5_000)),
  softSpread: () =>
    measure('topology spread (host, soft)', 5_000, () =>
      podOf({ color: 'blue' }, { topologySpreadConstraints: [{ ...spread, topologyKey: host, whenUnsatisfiable: 'ScheduleAnyway' }] }),
    ),
  preferredAffinity: () => measure('preferred affinity (host)', 5_000, () => podOf({ foo: 'bar' }, preferred('podAffinity'))),
  preferredAnti: () => measure('preferred anti-affinity (host)', 5_000, () => podOf({ foo: 'bar' }, preferred('podAntiAffinity'))),
  requiredAffinity: () =>
    measure('required affinity (zone)', 5_000, () => podOf({ color: 'blue' }, required('podAffinity', { color: 'blue' }, zone))),
  requiredAnti: () =>
    measure('required anti-affinity (host)', 4_000, () => podOf({ color: 'green' }, required('podAntiAffinity', { color: 'green' }, host))),
  preemption: () =>
    measure(
      'preemption on full nodes',
      500,
      () => podOf({}, { priority: 100 }, '3'),
      Array.from({ length: NODES * 4 }, (_, index) => podOf({}, { priority: 1, nodeName: `node-${index % NODES}` }, '900m')),
      '4',
    ),
}
const many = (count: number) => Array.from({ length: count }, () => podOf({}, {}))
for (const [name, row] of Object.entries(rows)) if (!only || only === 'all' || only === name) await row()
