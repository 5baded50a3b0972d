import { describe, expect, it } from 'vitest'
import type { Node } from '#kinds/core/v1/node.ts'
import { Node as NodeKind } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { podInfo } from '../cache/pod-info.ts'
import { schedulerCache } from '../cache/scheduler-cache.ts'
import { schedulingCycle } from '../framework/scheduling-cycle.ts'
import { node, type Parts, pod, stored } from '../scheduler.fixture.ts'
import { podTopologySpread } from './pod-topology-spread.ts'

const zone = 'zone'
const host = 'kubernetes.io/hostname'
const constraint = (more: Parts) => ({
  maxSkew: 1,
  topologyKey: zone,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'w' } },
  ...more,
})
const plugin = podTopologySpread(() => undefined)

/** Nodes `a1 a2 b1` with so many pods each. */
function cacheOf(counts: Readonly<Record<string, number>>, more: (name: string) => Parameters<typeof node>[1] = () => ({})) {
  const cache = schedulerCache()
  for (const [name, count] of Object.entries(counts)) {
    const own = more(name)
    cache.setNode(stored<Node>(NodeKind, node(name, { ...own, labels: name.startsWith('x') ? {} : { zone: name[0]!, ...own?.labels } })))
    for (let index = 0; index < count; index++)
      cache.setPod(stored<Pod>(Pod, pod(`${name}-${index}`, { nodeName: name }, { app: 'w', version: `v${index % 2}` })))
  }
  return cache
}

function verdicts(cache: ReturnType<typeof schedulerCache>, constraints: object[], spec: Parts = {}, labels: Parts = { app: 'w' }) {
  const cycle = schedulingCycle(podInfo(stored<Pod>(Pod, pod('p', { topologySpreadConstraints: constraints, ...spec }, labels))), cache)
  plugin.preFilter!(cycle)
  return Object.fromEntries(cache.nodes.map(one => [one.name, plugin.filter!(cycle, one)?.reasons[0] ?? 'fits']))
}

function scores(cache: ReturnType<typeof schedulerCache>, constraints: object[], names: string[]) {
  const cycle = schedulingCycle(podInfo(stored<Pod>(Pod, pod('p', { topologySpreadConstraints: constraints }, { app: 'w' }))), cache)
  const nodes = names.map(name => cache.get(name)!)
  plugin.preScore!(cycle, nodes)
  const raw = Float64Array.from(nodes, one => plugin.score!(cycle, one))
  plugin.normalize!(cycle, raw)
  return [...raw]
}

const SKEWED = "node(s) didn't match pod topology spread constraints"
const MISSING = "node(s) didn't match pod topology spread constraints (missing required label)"

describe('hard spread constraints', () => {
  it('keep the skew between domains', () => {
    expect(verdicts(cacheOf({ a1: 1, a2: 1, b1: 1 }), [constraint({})])).toEqual({ a1: SKEWED, a2: SKEWED, b1: 'fits' })
  })

  it('ask for the label', () => {
    expect(verdicts(cacheOf({ a1: 0, x1: 0 }), [constraint({})])).toEqual({ a1: 'fits', x1: MISSING })
  })

  it('count domains that are missing as empty ones (minDomains)', () => {
    expect(verdicts(cacheOf({ a1: 1, b1: 1 }), [constraint({ minDomains: 3 })])).toEqual({ a1: SKEWED, b1: SKEWED })
    expect(verdicts(cacheOf({ a1: 1, b1: 1 }), [constraint({ minDomains: 2 })])).toEqual({ a1: 'fits', b1: 'fits' })
  })

  it('leave out nodes that the pod’s affinity excludes, unless told otherwise', () => {
    const cache = cacheOf({ a1: 1, b1: 1, c1: 0 }, name => ({ labels: { disk: name === 'c1' ? 'hdd' : 'ssd' } }))
    const spec = { nodeSelector: { disk: 'ssd' } }
    expect(verdicts(cache, [constraint({})], spec)).toMatchObject({ a1: 'fits', b1: 'fits' })
    expect(verdicts(cache, [constraint({ nodeAffinityPolicy: 'Ignore' })], spec)).toMatchObject({ a1: SKEWED, b1: SKEWED })
  })

  it('count nodes with taints, unless told to honour them', () => {
    const cache = cacheOf({ a1: 1, b1: 1, c1: 0 }, name =>
      name === 'c1' ? { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } } : {},
    )
    expect(verdicts(cache, [constraint({})])).toMatchObject({ a1: SKEWED, b1: SKEWED })
    expect(verdicts(cache, [constraint({ nodeTaintsPolicy: 'Honor' })])).toMatchObject({ a1: 'fits', b1: 'fits' })
  })

  it('compare pods of one revision (matchLabelKeys)', () => {
    const cache = cacheOf({ a1: 3, b1: 2 })
    const verdict = verdicts(cache, [constraint({ matchLabelKeys: ['version'] })], {}, { app: 'w', version: 'v1' })
    expect(verdict).toEqual({ a1: 'fits', b1: 'fits' })
    expect(verdicts(cache, [constraint({})], {}, { app: 'w', version: 'v1' })).toEqual({ a1: SKEWED, b1: 'fits' })
  })

  it('hold all together, over nodes that have all keys', () => {
    const cache = cacheOf({ a1: 2, a2: 1, b1: 2, b2: 1, x1: 0 })
    const both = [constraint({}), constraint({ topologyKey: host })]
    expect(verdicts(cache, both)).toEqual({ a1: SKEWED, a2: 'fits', b1: SKEWED, b2: 'fits', x1: MISSING })
  })
})

describe('soft spread constraints', () => {
  const soft = (more: Parts) => constraint({ whenUnsatisfiable: 'ScheduleAnyway', ...more })

  it('prefer domains with few pods', () => {
    // Upstream: 3 and 0 pods in 2 zones: raw scores round(3·ln 4) = 4 and 0.
    expect(scores(cacheOf({ a1: 2, a2: 1, b1: 0 }), [soft({})], ['a1', 'a2', 'b1'])).toEqual([0, 0, 100])
    // 4 and 2 pods: 6 and 3 of a range whose lowest is not zero.
    expect(scores(cacheOf({ a1: 4, b1: 2 }), [soft({})], ['a1', 'b1'])).toEqual([50, 100])
  })

  it('count on single nodes for the key of host names', () => {
    expect(scores(cacheOf({ a1: 2, a2: 1, b1: 0 }), [soft({ topologyKey: host })], ['a1', 'a2', 'b1'])).toEqual([0, 33, 100])
  })

  it('give nothing to nodes that lack a key', () => {
    expect(scores(cacheOf({ a1: 1, x1: 0 }), [soft({})], ['a1', 'x1'])).toEqual([100, 0])
  })
})
