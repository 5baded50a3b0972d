import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { cluster, node, type Parts, pod, requesting } from './scheduler.fixture.ts'

const zones = ['z1', 'z2']
const term = (app: string, topologyKey: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey })
const apart = (app: string, topologyKey: string) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app, topologyKey)] } },
})
const beside = (app: string) => ({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app, 'zone')] } } })
const spread = {
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } },
  ],
}
const port = { containers: [{ name: 'c', image: 'i:1', ports: [{ containerPort: 80, hostPort: 80 }] }] }
const shapes: readonly Parts[] = [
  requesting('500m'),
  requesting('1'),
  requesting('2'),
  { ...requesting('500m'), ...apart('web', 'kubernetes.io/hostname') },
  { ...requesting('500m'), ...apart('web', 'zone') },
  { ...requesting('500m'), ...beside('web') },
  { ...requesting('500m'), ...spread },
  { ...requesting('500m'), nodeSelector: { zone: 'z1' } },
  port,
]

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pod' as const),
      shape: fc.nat(shapes.length - 1),
      app: fc.constantFrom('web', 'db'),
      priority: fc.constantFrom(0, 0, 5, 9),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('no pod' as const), which: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('node' as const),
      name: fc.constantFrom('n1', 'n2', 'n3', 'n4'),
      zone: fc.constantFrom(...zones),
      cpu: fc.constantFrom('1', '2'),
      unschedulable: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 500, 5_000) }) },
)

/** What must hold of the pods that have a node, whatever happens. */
function check(pods: readonly Pod[], nodes: ReadonlyMap<string, Node>): void {
  const placed = pods.filter(({ spec }) => spec.nodeName)
  for (const one of placed) {
    const node_ = nodes.get(one.spec.nodeName!)!
    const rules = one.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    for (const { topologyKey, labelSelector } of rules) {
      const domain = node_.metadata.labels?.[topologyKey]
      for (const other of placed) {
        const isMeant = other !== one && other.metadata.labels?.['app'] === labelSelector?.matchLabels?.['app']
        if (isMeant && domain !== undefined) expect(nodes.get(other.spec.nodeName!)!.metadata.labels?.[topologyKey]).not.toBe(domain)
      }
    }
  }
  for (const [name, { status }] of nodes) {
    const here = placed.filter(({ spec }) => spec.nodeName === name)
    let millis = 0
    for (const { spec } of here) millis += milli(spec.containers[0]!.resources.requests?.['cpu'])
    expect(millis).toBeLessThanOrEqual(milli(status.allocatable?.['cpu']))
    expect(here.filter(({ spec }) => spec.containers[0]!.ports?.length).length).toBeLessThanOrEqual(1)
  }
}

const milli = (cpu = '0') => (cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000)

describe('scheduling', () => {
  it('[SAFETY] overfills no node and keeps apart what is to be apart; [LIVENESS] leaves no pod waiting that would fit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), fc.boolean(), async (steps, isGraceful) => {
        // Nodes keep their zones and do not shrink: what is placed stays where it may be.
        const nodes = new Map<string, Parts>()
        await using one = await cluster([], [], { latencyMs: 5, graceMs: isGraceful ? 2_000 : 0 })
        const names: string[] = []
        const all = () => names.flatMap(name => (one.find(name) ? [one.find(name)] : []))
        const state = () => new Map([...nodes.keys()].map(name => [name, one.find<Node>(name, Node)]))
        for (const action of steps) {
          if (action.do === 'pod') {
            const name = `p${names.length}`
            names.push(name)
            one.store(Pod, pod(name, { ...shapes[action.shape], priority: action.priority }, { app: action.app }), 'ADDED')
          } else if (action.do === 'no pod') {
            const gone = all()[action.which]
            if (gone) one.store(Pod, gone, 'DELETED')
          } else if (action.do === 'node') {
            const { name, zone, cpu, unschedulable } = action
            const known = nodes.get(name)
            const made = { cpu: known?.['cpu'] === '2' ? '2' : cpu, zone: (known?.['zone'] as string | undefined) ?? zone }
            one.store(
              Node,
              node(name, { cpu: made.cpu, labels: { zone: made.zone }, spec: { unschedulable } }),
              known ? 'MODIFIED' : 'ADDED',
            )
            nodes.set(name, made)
          } else await one.clock.advance(action.ms)
          await one.clock.advance(0)
          check(all(), state())
        }
        // Less than what brings back pods that no event has woken.
        await one.clock.advance(60_000)
        check(all(), state())
        const waiting = all().filter(({ spec }) => !spec.nodeName)
        // What is kept for somebody is not to be had.
        if (waiting.some(({ status }) => status.nominatedNodeName)) return
        for (const pending of waiting)
          expect([pending.metadata.name, one.scheduler.whatIf(pending, {}).node]).toEqual([pending.metadata.name, undefined])
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
