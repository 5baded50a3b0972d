import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { informers } from '#client/informers/informers.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { podInfo } from '../cache/pod-info.ts'
import { schedulerCache } from '../cache/scheduler-cache.ts'
import { profilesOf } from '../profiles.ts'
import { node, type Parts, pod, stored } from '../scheduler.fixture.ts'
import { UNCOUNTED } from '../scheduler-metrics.ts'
import { LocalVerdicts } from './local-verdicts.ts'
import { nominations } from './nominations.ts'
import type { Refusals } from './refusals.ts'
import { schedulingCycle } from './scheduling-cycle.ts'
import { selectNode } from './select-node.ts'

const client = { list: async () => ({ items: [] }), watch: () => ({ [Symbol.dispose]() {} }) } as unknown as Client
const clock = virtualClock()
const nominated = nominations()
const profile = profilesOf(
  {},
  {
    client,
    informers: informers({ client, clock, log: silentLogger }),
    clock,
    log: silentLogger,
    events: { record() {} },
    nominations: nominated,
    metrics: UNCOUNTED,
    retry() {},
    released() {},
    retryLater() {},
  },
).get('default-scheduler')!

const container = (cpu: string, more: Parts = {}) => ({
  containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } }, ...more }],
})
const apart = (app: string, topologyKey: string) => ({
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }] },
  },
})
const spread = {
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } },
  ],
}
const tolerant = { tolerations: [{ key: 'k', operator: 'Exists' }] }
const preference = { weight: 3, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['z1'] }] } }
const shapes: readonly Parts[] = [
  container('100m'),
  container('1'),
  { ...container('100m'), ...tolerant },
  container('100m', { ports: [{ containerPort: 80, hostPort: 80 }] }),
  { ...container('100m'), nodeSelector: { zone: 'z1' } },
  { ...container('100m'), affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preference] } } },
  { ...container('100m'), ...apart('web', 'kubernetes.io/hostname') },
  { ...container('100m'), ...apart('web', 'zone') },
  { ...container('100m'), ...spread },
]
const names = ['n1', 'n2', 'n3', 'n4', 'n5']
const taint = (effect: string) => ({ key: 'k', value: 'v', effect })
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('node' as const),
      name: fc.constantFrom(...names),
      zone: fc.constantFrom('z1', 'z2', undefined),
      cpu: fc.constantFrom('1', '2'),
      taints: fc.constantFrom([], [taint('NoSchedule')], [taint('PreferNoSchedule')]),
      unschedulable: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no node' as const), name: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no pod' as const), which: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('place' as const), shape: fc.nat(1) }) },
)

/** Pods of two shapes: they come again and again. */
const some = fc.tuple(fc.constantFrom(...shapes), fc.constantFrom(...shapes))

describe('what is known of nodes from pods of the same signature', () => {
  it('is what looking at every node anew would say', () => {
    fc.assert(
      fc.property(some, fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), fc.nat(), (kinds, steps, seed) => {
        const cache = schedulerCache()
        const known = new LocalVerdicts(profile)
        const placed: Pod[] = []
        let serial = 0
        for (const one of steps) {
          if (one.do === 'node') {
            const { name, zone, cpu, taints, unschedulable } = one
            cache.setNode(stored<Node>(Node, node(name, { labels: zone ? { zone } : {}, cpu, spec: { taints, unschedulable } })))
          } else if (one.do === 'no node') cache.removeNode(one.name)
          else if (one.do === 'no pod') {
            const [gone] = placed.splice(one.which, 1)
            if (gone) cache.removePod(gone)
          } else {
            const object = stored<Pod>(Pod, pod(`p${++serial}`, kinds[one.shape]!, { app: 'web' }))
            const info = podInfo(object)
            const attempt = (memory?: LocalVerdicts) => {
              const cycle = schedulingCycle(info, cache, memory?.of(info))
              let scores: unknown
              const note = {
                witness: { scored() {} },
                selected(_node: unknown, among: readonly { name: string }[], totals: Float64Array, refusals: Refusals) {
                  scores = [among.map(({ name }) => name), [...totals], [...refusals].map(([{ name }, why]) => [name, why])]
                },
              }
              const result = selectNode(cycle, profile, nominated, serial, seededRandom(seed), note)
              return result.node
                ? { node: result.node.name, scores }
                : { refusals: [...result.refusals].map(([{ name }, why]) => [name, why]), refusal: result.refusal }
            }
            const remembered = attempt(known)
            expect(remembered).toEqual(attempt())
            const target = 'node' in remembered ? cache.get(remembered.node!) : undefined
            if (!target) continue
            cache.assume(info, target)
            placed.push(object)
          }
        }
      }),
    )
  })
})
