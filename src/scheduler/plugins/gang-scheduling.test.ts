import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base/random/random.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { type ClusterMore, cluster, node, pod, requesting } from '../scheduler.fixture.ts'

const gangOf = (minCount: number, name = 'g') => ({
  metadata: { name, namespace: 'a', generation: 1 },
  spec: { schedulingPolicy: { gang: { minCount } } },
})
const basic = { metadata: { name: 'g', namespace: 'a' }, spec: { schedulingPolicy: { basic: {} } } }
const member = (name: string, cpu = '1', more: object = {}) =>
  pod(name, { ...requesting(cpu), schedulingGroup: { podGroupName: 'g' }, ...more })
const members = (count: number, cpu?: string) => Array.from({ length: count }, (_, index) => member(`p${index}`, cpu))

const featureGates = { GenericWorkload: true, GangScheduling: true }
const start = (nodes: readonly object[], pods: readonly object[], groups: readonly object[], more: ClusterMore = {}) =>
  cluster(nodes, pods, { objects: groups.map(group => [PodGroup, group] as const), ...more, options: { featureGates, ...more.options } })
type Started = Awaited<ReturnType<typeof start>>
const conditionOf = (one: Started) => one.find<PodGroup>('g', PodGroup).status.conditions?.[0]
const placesOf = (one: Started, count: number) => Array.from({ length: count }, (_, index) => one.nodeOf(`p${index}`))

describe('a gang of pods', () => {
  it('goes to its nodes once all fit, and its group says so', async () => {
    await using one = await start([node('n1'), node('n2')], members(3), [gangOf(3)])
    expect(placesOf(one, 3)).not.toContain(undefined)
    expect(conditionOf(one)).toMatchObject({ type: 'PodGroupScheduled', status: 'True', reason: 'Scheduled', observedGeneration: 1 })
  })

  it('takes no room while too few fit, says why, and goes as one when a node comes', async () => {
    await using one = await start([node('n1')], [...members(3), pod('other', requesting('2'))], [gangOf(3)])
    expect(placesOf(one, 3)).toEqual([undefined, undefined, undefined])
    expect(one.nodeOf('other')).toBe('n1')
    one.store(Node, node('n2'), 'ADDED')
    await one.clock.advance(20_000)
    expect(placesOf(one, 3)).toEqual([undefined, undefined, undefined])
    const message = 'pod group is unschedulable, waiting for minCount pods from a gang to be scheduled'
    expect(one.find('p0').status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }])
    expect(one.events).toContain(`FailedScheduling: ${message}`)
    expect(conditionOf(one)).toMatchObject({ status: 'False', reason: 'Unschedulable', message: 'pod group is unschedulable' })
    one.store(Node, node('n3'), 'ADDED')
    await one.clock.advance(20_000)
    expect(placesOf(one, 3)).not.toContain(undefined)
    expect(conditionOf(one)).toMatchObject({ status: 'True' })
  })

  it('costs nothing while it waits', async () => {
    // Without a generation, as nobody serves it: what is said of it is not to be taken for news.
    const { generation: _, ...metadata } = gangOf(3).metadata
    await using one = await start([node('n1')], members(3), [{ ...gangOf(3), metadata }])
    const told = one.events.length
    await one.clock.advance(200_000)
    expect(one.events).toHaveLength(told)
  })

  it('waits for its group, then for its pods', async () => {
    await using one = await start([node('n1', { cpu: '8' })], members(2), [])
    expect(placesOf(one, 2)).toEqual([undefined, undefined])
    one.store(PodGroup, gangOf(3), 'ADDED')
    await one.clock.advance(0)
    expect(placesOf(one, 2)).toEqual([undefined, undefined])
    expect(one.scheduler.pending()).toMatchObject({ gated: 2 })
    one.store(Pod, member('p2'), 'ADDED')
    await one.clock.advance(0)
    expect(placesOf(one, 3)).toEqual(['n1', 'n1', 'n1'])
  })

  it('counts those that have their nodes already, and those beyond minCount may wait alone', async () => {
    await using one = await start([node('n1')], [member('p0', '1', { nodeName: 'n1' }), member('p1'), member('p2')], [gangOf(2)])
    expect(placesOf(one, 3).filter(Boolean)).toEqual(['n1', 'n1'])
    expect(conditionOf(one)).toMatchObject({ status: 'True' })
    one.store(Node, node('n2'), 'ADDED')
    await one.clock.advance(20_000)
    expect(placesOf(one, 3)).not.toContain(undefined)
  })

  it('has others evicted only if that makes it complete, and then goes as one', async () => {
    const low = (name: string, on: string) => pod(name, { ...requesting('2'), nodeName: on, priority: 0 })
    const high = (name: string) => member(name, '2', { priority: 10 })
    const nodes = [node('n1'), node('n2')]
    const pods = [low('l1', 'n1'), low('l2', 'n2'), ...['p0', 'p1', 'p2'].map(high)]
    await using tooMany = await start(nodes, pods, [gangOf(3)])
    await tooMany.clock.advance(60_000)
    expect([tooMany.find('l1'), tooMany.find('p0')]).toMatchObject([{ spec: { nodeName: 'n1' } }, { spec: { schedulingGroup: {} } }])
    await using one = await start([...nodes, node('n3')], pods, [gangOf(3)], { graceMs: 5_000 })
    expect(placesOf(one, 3)).toEqual([undefined, undefined, undefined])
    expect(one.events.join('\n')).toContain('pod group is unschedulable, pod group is waiting for preemption to complete')
    await one.clock.advance(60_000)
    expect(new Set(placesOf(one, 3))).toEqual(new Set(['n1', 'n2', 'n3']))
    expect([one.find('l1'), one.find('l2')]).toEqual([undefined, undefined])
  })

  it('is refused whole if its pods name several schedulers', async () => {
    const configuration = { profiles: [{ schedulerName: 'default-scheduler' }, { schedulerName: 'other' }] } as never
    const pods = [member('p0'), member('p1', '1', { schedulerName: 'other' })]
    await using one = await start([node('n1')], pods, [gangOf(2)], { options: { configuration } })
    const message = 'all pods in a single pod group should have the same .spec.schedulerName set, got: "default-scheduler" and "other"'
    expect(placesOf(one, 2)).toEqual([undefined, undefined])
    expect(conditionOf(one)).toMatchObject({ reason: 'SchedulerError', message })
  })

  it('may ask extenders', async () => {
    const configuration = { extenders: [{ urlPrefix: 'http://x', filterVerb: 'filter', nodeCacheCapable: true }] } as never
    const callExtender = async () => ({ nodenames: ['n2'] })
    await using one = await start([node('n1'), node('n2', { cpu: '3' })], members(3), [gangOf(3)], {
      options: { configuration, callExtender } as never,
    })
    await one.clock.advance(0)
    expect(placesOf(one, 3)).toEqual(['n2', 'n2', 'n2'])
  })
})

describe('a group that is to stay in one domain', () => {
  const gates = { ...featureGates, TopologyAwareWorkloadScheduling: true }
  const inRacks = (minCount: number) => ({
    metadata: { name: 'g', namespace: 'a', generation: 1 },
    spec: { schedulingPolicy: { gang: { minCount } }, schedulingConstraints: { topology: [{ key: 'rack' }] } },
  })
  const inRack = (name: string, rack: string, cpu = '2') => node(name, { cpu, labels: { rack } })
  const racked = (nodes: readonly object[], pods: readonly object[], minCount: number) =>
    start(nodes, pods, [inRacks(minCount)], { options: { featureGates: gates } })

  it('goes to the rack that takes all of it', async () => {
    await using one = await racked(
      [inRack('a1', 'a', '8'), inRack('b1', 'b'), inRack('b2', 'b'), node('none', { cpu: '64' })],
      members(9),
      8,
    )
    expect(placesOf(one, 9).filter(Boolean)).toEqual(Array.from({ length: 8 }, () => 'a1'))
  })

  it('goes where more than its least number fits', async () => {
    await using one = await racked([inRack('a1', 'a'), inRack('b1', 'b'), inRack('b2', 'b')], members(4), 2)
    expect(new Set(placesOf(one, 4))).toEqual(new Set(['b1', 'b2']))
    expect(placesOf(one, 4)).not.toContain(undefined)
  })

  it('waits while no rack takes enough, though all together would, and goes when one grows', async () => {
    await using one = await racked([inRack('a1', 'a'), inRack('b1', 'b')], members(3), 3)
    expect(placesOf(one, 3)).toEqual([undefined, undefined, undefined])
    one.store(Node, inRack('b2', 'b'), 'ADDED')
    await one.clock.advance(20_000)
    expect(new Set(placesOf(one, 3))).toEqual(new Set(['b1', 'b2']))
  })

  it('stays where its first pods are', async () => {
    const pods = [member('p0', '1', { nodeName: 'a1' }), member('p1'), member('p2')]
    await using one = await racked([inRack('a1', 'a'), inRack('b1', 'b', '8')], pods, 1)
    expect(placesOf(one, 3).sort()).toEqual(['a1', 'a1', undefined])
    one.store(Node, inRack('a2', 'a'), 'ADDED')
    await one.clock.advance(20_000)
    expect(new Set(placesOf(one, 3))).toEqual(new Set(['a1', 'a2']))
  })

  it('goes nowhere while no node says where it is', async () => {
    await using one = await racked([node('n1')], members(1), 1)
    expect(one.nodeOf('p0')).toBeUndefined()
    expect(one.find('p0').status.conditions?.[0]?.message).toContain("didn't satisfy plugin(s) [TopologyPlacementGenerator]")
  })

  it('means nothing without the gate', async () => {
    await using one = await start([inRack('a1', 'a'), inRack('b1', 'b')], members(3), [inRacks(3)])
    expect(placesOf(one, 3)).not.toContain(undefined)
  })
})

it('pods of a group without a gang go one by one', async () => {
  await using one = await start([node('n1')], members(3), [basic])
  expect(placesOf(one, 3).filter(Boolean)).toEqual(['n1', 'n1'])
})

it('without the gate, a group means nothing', async () => {
  await using one = await start([node('n1')], members(1), [gangOf(3)], { options: { featureGates: {} } })
  expect(one.nodeOf('p0')).toBe('n1')
})

describe('SAFETY: whatever gangs come to whatever nodes', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('none is there in part (seed %i)', async seed => {
    const random = seededRandom(seed)
    const below = (most: number) => 1 + random.below(most)
    const nodes = Array.from({ length: below(5) }, (_, index) => node(`n${index}`, { cpu: String(below(4)) }))
    const gangs = Array.from({ length: below(4) }, (_, index) => ({ name: `g${index}`, size: below(5), priority: random.below(3) }))
    const pods = gangs.flatMap(({ name, size, priority }) =>
      Array.from({ length: size }, (_, index) =>
        pod(`${name}-${index}`, {
          ...requesting(String(below(2))),
          priority,
          preemptionPolicy: 'Never',
          schedulingGroup: { podGroupName: name },
        }),
      ),
    )
    await using one = await start(
      nodes,
      pods.sort(() => random.below(3) - 1),
      gangs.map(({ name, size }) => gangOf(Math.max(1, size - random.below(2)), name)),
    )
    const check = () => {
      for (const { name, size } of gangs) {
        const placed = Array.from({ length: size }, (_, index) => one.nodeOf(`${name}-${index}`)).filter(Boolean).length
        const { gang } = one.find<PodGroup>(name, PodGroup).spec.schedulingPolicy
        expect(placed === 0 || placed >= gang!.minCount, `${placed} of ${gang!.minCount} of ${name}`).toBe(true)
      }
    }
    check()
    one.store(Node, node('late', { cpu: String(below(8)) }), 'ADDED')
    await one.clock.advance(400_000)
    check()
    // LIVENESS: with room for all, all are there.
    one.store(Node, node('large', { cpu: '64' }), 'ADDED')
    await one.clock.advance(20_000)
    expect(pods.filter(({ metadata }) => !one.nodeOf(metadata.name))).toEqual([])
  })
})
