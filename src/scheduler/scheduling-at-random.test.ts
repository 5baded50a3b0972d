import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
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

const APPS = ['web', 'db', 'batch'] as const
const running = fc.record({
  app: fc.constantFrom(...APPS),
  tier: fc.constantFrom('front', 'back'),
  millis: fc.constantFrom(250, 500, 1000),
  priority: fc.constantFrom(0, 5),
  startedAt: fc.integer({ min: 10, max: 59 }),
})
const guarded = fc.record({
  nodes: fc.array(fc.record({ millis: fc.constantFrom(1000, 2000, 3000), pods: fc.array(running, { maxLength: 6 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
  /** By app, how many pods may be disrupted; undefined: no budget. */
  budgets: fc.record(Object.fromEntries(APPS.map(app => [app, fc.option(fc.nat(2), { nil: undefined })]))),
  /** A budget across apps, over those of one tier. */
  tierBudget: fc.option(fc.nat(2), { nil: undefined }),
  arriving: fc.array(fc.constantFrom(500, 1000, 2000), { minLength: 1, maxLength: 4 }),
})

/** A budget for `labels` under which so many pods may go. */
const budget = (name: string, labels: Parts, disruptionsAllowed: number) => ({
  metadata: { name, namespace: 'a' },
  spec: { selector: { matchLabels: labels }, minAvailable: 1 },
  status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
})
type Budget = ReturnType<typeof budget>

const covers = ({ spec }: Budget, { metadata }: Pod) =>
  Object.entries(spec.selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value)
const millisOf = ({ spec }: Pod) => milli(spec.containers[0]!.resources.requests?.['cpu'])
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** Those that may go without a budget being broken: the most important ones first have what it allows, as upstream counts. */
function expendable(pods: readonly Pod[], budgets: readonly Budget[]): readonly Pod[] {
  const left = new Map(budgets.map(one => [one, one.status.disruptionsAllowed]))
  const sorted = [...pods].sort(
    (a, b) =>
      b.spec.priority! - a.spec.priority! ||
      (a.status.startTime! < b.status.startTime! ? -1 : a.status.startTime! > b.status.startTime! ? 1 : 0),
  )
  return sorted.filter(one => {
    const its = budgets.filter(covering => covers(covering, one))
    for (const covering of its) left.set(covering, left.get(covering)! - 1)
    return its.every(covering => left.get(covering)! >= 0)
  })
}

describe('preemption', () => {
  it('[SAFETY] breaks a budget only where nobody else could make room, and evicts no pod in vain; [LIVENESS] makes room if it can', async () => {
    await fc.assert(
      fc.asyncProperty(guarded, async ({ nodes, budgets: allowed, tierBudget, arriving }) => {
        const names = nodes.map((_, index) => `n${index}`)
        const low = nodes.flatMap(({ millis, pods }, index) => {
          const fitting = pods.filter((_, place) => sum(pods.slice(0, place + 1).map(one => one.millis)) <= millis)
          return fitting.map(({ app, tier, millis: own, priority, startedAt }, place) => ({
            ...pod(`n${index}-${place}`, { ...requesting(`${own}m`), priority, nodeName: `n${index}` }, { app, tier }),
            status: { startTime: `2026-01-01T00:00:${startedAt}Z` },
          }))
        })
        let budgets = [
          ...APPS.flatMap(app => (allowed[app] === undefined ? [] : [budget(app, { app }, allowed[app])])),
          ...(tierBudget === undefined ? [] : [budget('tier', { tier: 'front' }, tierBudget)]),
        ]
        await using one = await cluster(
          nodes.map(({ millis }, index) => node(names[index]!, { cpu: `${millis}m` })),
          low,
          { objects: budgets.map(object => [PodDisruptionBudget, object] as const), latencyMs: 5 },
        )
        const all: string[] = low.map(({ metadata }) => metadata.name)
        for (const [index, millis] of arriving.entries()) {
          const before = all.flatMap(name => (one.find(name) ? [one.find(name)] : []))
          const on = (name: string) => before.filter(({ spec }) => spec.nodeName === name)
          const freeOn = (name: string) => nodes[names.indexOf(name)]!.millis - sum(on(name).map(millisOf))
          const lowerOn = (name: string) => on(name).filter(({ spec }) => spec.priority! < 9)
          const makesRoom = (name: string, gone: readonly Pod[]) => freeOn(name) + sum(gone.map(millisOf)) >= millis
          const name = `p${index}`
          all.push(name)
          one.store(Pod, pod(name, { ...requesting(`${millis}m`), priority: 9 }), 'ADDED')
          await one.clock.advance(20_000)

          const victims = before.filter(({ metadata }) => !one.find(metadata.name!))
          const node_ = one.nodeOf(name)
          const fits = names.some(candidate => makesRoom(candidate, []))
          const mayFit = names.filter(candidate => makesRoom(candidate, lowerOn(candidate)))
          expect(node_ !== undefined).toBe(mayFit.length > 0)
          if (!node_ || fits) {
            expect(victims).toEqual([])
            continue
          }
          expect(victims.map(({ spec }) => [spec.nodeName, spec.priority! < 9])).toEqual(victims.map(() => [node_, true]))
          for (const victim of victims)
            expect(
              makesRoom(
                node_,
                victims.filter(other => other !== victim),
              ),
            ).toBe(false)
          const spared = expendable(lowerOn(node_), budgets)
          const isBroken = victims.some(victim => !spared.includes(victim))
          if (isBroken)
            for (const other of mayFit) expect([other, makesRoom(other, expendable(lowerOn(other), budgets))]).toEqual([other, false])
          // The disruption controller counts what has gone.
          budgets = budgets.map(known => {
            const gone = victims.filter(victim => covers(known, victim)).length
            return { ...known, status: { ...known.status, disruptionsAllowed: Math.max(0, known.status.disruptionsAllowed - gone) } }
          })
          for (const known of budgets) one.store(PodDisruptionBudget, known, 'MODIFIED')
          await one.clock.advance(0)
        }
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})
