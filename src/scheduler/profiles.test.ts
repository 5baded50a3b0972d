import { describe, expect, it } from 'vitest'
import { planPlugins } from './configuration/plugin-names.plan.ts'
import { cluster, node, pod, requesting } from './scheduler.fixture.ts'

/** Every plugin filters and scores, one sorts and one binds. */
const has = (name: string, point: string) => {
  if (name === 'Unknown') return undefined
  return point === 'queueSort' ? name === 'PrioritySort' : point === 'bind' ? name === 'DefaultBinder' : ['filter', 'score'].includes(point)
}
const plan = (plugins: Parameters<typeof planPlugins>[0]) => planPlugins(plugins, has, 'p')

describe('the plugins of a profile', () => {
  it('are the default ones with upstream’s weights', () => {
    const { names, weights } = plan(undefined)
    expect(names.queueSort).toEqual(['PrioritySort'])
    expect(names.filter.slice(2, 6)).toEqual(['NodeUnschedulable', 'NodeName', 'TaintToleration', 'NodeAffinity'])
    expect(weights).toMatchObject({ TaintToleration: 3, PodTopologySpread: 2, ImageLocality: 1 })
  })

  it('can be left out and added at one point', () => {
    const { names, weights } = plan({
      score: {
        disabled: [{ name: '*' }],
        enabled: [
          { name: 'ImageLocality', weight: 9 },
          { name: 'Mine', weight: 4 },
        ],
      },
    })
    expect(names.score).toEqual(['ImageLocality', 'Mine'])
    expect(names.filter).toContain('NodeAffinity')
    expect(weights).toMatchObject({ ImageLocality: 9, Mine: 4 })
  })

  it('can be left out, weighed and added at all points', () => {
    const { names, weights } = plan({
      multiPoint: { disabled: [{ name: 'ImageLocality' }], enabled: [{ name: 'NodeAffinity', weight: 7 }, { name: 'Mine' }] },
    })
    expect(names.score).not.toContain('ImageLocality')
    expect(names.score.at(-1)).toBe('Mine')
    expect(weights['NodeAffinity']).toBe(7)
  })

  it('are asked first at a point that enables them itself', () => {
    expect(plan({ filter: { enabled: [{ name: 'InterPodAffinity' }] } }).names.filter[0]).toBe('InterPodAffinity')
  })

  it.each([
    [{ score: { enabled: [{ name: 'Unknown' }] } }, 'p.score: there is no plugin "Unknown"'],
    [{ permit: { enabled: [{ name: 'NodeName' }] } }, 'p.permit: the plugin NodeName has nothing to say at permit'],
    [{ queueSort: { disabled: [{ name: '*' }] } }, 'p.queueSort: one plugin has to sort the queue'],
    [{ bind: { disabled: [{ name: '*' }] } }, 'p.bind: at least one plugin has to bind'],
    [{ filter: { enabled: [{ name: 'NodeName' }, { name: 'NodeName' }] } }, 'p.filter: a plugin is enabled twice'],
  ])('are refused where they make no sense: %j', (plugins, message) => expect(() => plan(plugins)).toThrow(message))
})

describe('profiles', () => {
  const packing = {
    schedulerName: 'packing',
    pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy: { type: 'MostAllocated' } } }],
    plugins: { multiPoint: { disabled: [{ name: 'NodeResourcesBalancedAllocation' }] } },
  }

  it('are chosen by pods, and place them each in its way', async () => {
    const named = (name: string, schedulerName: string) => pod(name, { ...requesting('500m'), schedulerName })
    const pods = ['a', 'b', 'c'].map(name => named(name, 'packing'))
    await using one = await cluster([node('n1'), node('n2')], [...pods, named('d', 'nobody')], {
      options: { configuration: { profiles: [{ schedulerName: 'default-scheduler' }, packing] } },
    })
    expect(new Set(['a', 'b', 'c'].map(one.nodeOf)).size).toBe(1)
    expect(one.nodeOf('d')).toBeUndefined()
  })

  it.each([
    [[packing, packing], 'profiles[1].schedulerName: packing stands twice'],
    [[packing, {}], 'profiles[1].schedulerName: a name is needed'],
    [[{ percentageOfNodesToScore: 101 }], 'profiles[0].percentageOfNodesToScore: it must be from 0 to 100'],
    [[{ pluginConfig: [{ name: 'NodeName', args: {} }] }], 'profiles[0].pluginConfig[0].name: no plugin "NodeName" takes arguments'],
    [
      [{ pluginConfig: [{ name: 'VolumeBinding', args: { bindTimeout: 1 } }] }],
      'profiles[0].pluginConfig[0].args.bindTimeout: unknown field',
    ],
  ])('are refused where they make no sense', async (profiles, message) => {
    await expect(cluster([], [], { options: { configuration: { profiles } } })).rejects.toThrow(message)
  })
})
