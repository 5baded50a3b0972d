import { describe, expect, it } from 'vitest'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { Node as NodeKind } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { podInfo } from '../cache/pod-info.ts'
import { schedulerCache } from '../cache/scheduler-cache.ts'
import { schedulingCycle } from '../framework/scheduling-cycle.ts'
import { cluster, node, type Parts, pod, stored } from '../scheduler.fixture.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'

const namespaces: Readonly<Record<string, Readonly<Record<string, string>>>> = { a: { team: 'one' }, b: { team: 'two' } }
const labelsOf = (namespace: string) => namespaces[namespace]
const term = (more: Parts = {}) => ({ labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'zone', ...more })
const required = (kind: 'podAffinity' | 'podAntiAffinity', ...terms: Parts[]) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const preferred = (kind: 'podAffinity' | 'podAntiAffinity', weight: number, one = term()) => ({
  affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: one }] } },
})

/** Three zones with a node each (`z1 z2 z3`) and a node without a zone (`x`). */
function cacheWith(...pods: [name: string, nodeName: string, labels?: Parts, spec?: Parts, namespace?: string][]) {
  const cache = schedulerCache(labelsOf)
  for (const name of ['z1', 'z2', 'z3']) cache.setNode(stored<Node>(NodeKind, node(name, { labels: { zone: name } })))
  cache.setNode(stored<Node>(NodeKind, node('x')))
  for (const [name, nodeName, labels = {}, spec = {}, namespace = 'a'] of pods) {
    const one = pod(name, { ...spec, nodeName }, labels)
    cache.setPod(stored<Pod>(Pod, { ...one, metadata: { ...one.metadata, namespace } }))
  }
  return cache
}

const infoOf = (spec: Parts, labels: Parts = {}) => podInfo(stored<Pod>(Pod, pod('p', spec, labels)))

function fits(cache: ReturnType<typeof schedulerCache>, spec: Parts, labels: Parts = {}) {
  const plugin = interPodAffinity(labelsOf)
  const cycle = schedulingCycle(infoOf(spec, labels), cache)
  if (plugin.preFilter!(cycle)?.skip) return 'anywhere'
  return cache.nodes
    .filter(one => !plugin.filter!(cycle, one))
    .map(({ name }) => name)
    .sort()
    .join()
}

function scores(cache: ReturnType<typeof schedulerCache>, spec: Parts, labels: Parts = {}, plugin = interPodAffinity(labelsOf)) {
  const cycle = schedulingCycle(infoOf(spec, labels), cache)
  if (!plugin.preScore!(cycle, cache.nodes)) return undefined
  const nodes = ['z1', 'z2', 'z3', 'x'].map(name => cache.get(name)!)
  const raw = Float64Array.from(nodes, one => plugin.score!(cycle, one))
  plugin.normalize!(cycle, raw)
  return [...raw]
}

describe('required terms', () => {
  const web = ['w', 'z1', { app: 'web' }] as [string, string, Parts]

  it('keep a pod beside, or away from, the pods they mean', () => {
    expect(fits(cacheWith(web), required('podAffinity', term()))).toBe('z1')
    expect(fits(cacheWith(web), required('podAntiAffinity', term()))).toBe('x,z2,z3')
  })

  it('let the first of a group go anywhere that has the domain', () => {
    expect(fits(cacheWith(), required('podAffinity', term()), { app: 'web' })).toBe('z1,z2,z3')
    expect(fits(cacheWith(), required('podAffinity', term()), { app: 'other' })).toBe('')
  })

  it('of running pods keep others away from them', () => {
    const cache = cacheWith(['w', 'z2', {}, required('podAntiAffinity', term())])
    expect(fits(cache, {}, { app: 'web' })).toBe('x,z1,z3')
    expect(fits(cache, {}, { app: 'db' })).toBe('anywhere')
  })

  it('are about the namespaces they name and those whose labels they select, together', () => {
    const cache = cacheWith(
      ['w', 'z1', { app: 'web' }, {}, 'a'],
      ['v', 'z2', { app: 'web' }, {}, 'b'],
      ['u', 'z3', { app: 'web' }, {}, 'c'],
    )
    expect(fits(cache, required('podAntiAffinity', term()))).toBe('x,z2,z3')
    expect(fits(cache, required('podAntiAffinity', term({ namespaces: ['b'] })))).toBe('x,z1,z3')
    const union = term({ namespaces: ['c'], namespaceSelector: { matchLabels: { team: 'two' } } })
    expect(fits(cache, required('podAntiAffinity', union))).toBe('x,z1')
    expect(fits(cache, required('podAntiAffinity', term({ namespaceSelector: {} })))).toBe('x')
  })

  it('compare labels of the pod itself (matchLabelKeys, mismatchLabelKeys)', () => {
    const cache = cacheWith(['w1', 'z1', { app: 'web', version: '1' }], ['w2', 'z2', { app: 'web', version: '2' }])
    const labels = { app: 'web', version: '2' }
    expect(fits(cache, required('podAffinity', term({ matchLabelKeys: ['version'] })), labels)).toBe('z2')
    expect(fits(cache, required('podAntiAffinity', term({ mismatchLabelKeys: ['version'] })), labels)).toBe('x,z2,z3')
  })

  it('of affinity must all be about the same pods', () => {
    const cache = cacheWith(['w', 'z1', { app: 'web' }], ['d', 'z2', { app: 'web', tier: 'db' }])
    const both = required('podAffinity', term(), term({ labelSelector: { matchLabels: { tier: 'db' } } }))
    expect(fits(cache, both)).toBe('z2')
  })
})

describe('preferred terms', () => {
  it('raise and lower domains by their weight', () => {
    const cache = cacheWith(['w', 'z1', { app: 'web' }], ['w2', 'z2', { app: 'web' }], ['w3', 'z2', { app: 'web' }])
    expect(scores(cache, preferred('podAffinity', 10))).toEqual([50, 100, 0, 0])
    expect(scores(cache, preferred('podAntiAffinity', 10))).toEqual([50, 0, 100, 100])
  })

  it('of running pods count for the pods they mean, as required ones do a little', () => {
    const cache = cacheWith(['w', 'z1', {}, preferred('podAffinity', 5)], ['v', 'z2', {}, required('podAffinity', term())])
    expect(scores(cache, {}, { app: 'web' })).toEqual([100, 20, 0, 0])
    expect(scores(cache, {}, { app: 'web' }, interPodAffinity(labelsOf, { hardPodAffinityWeight: 5 }))).toEqual([100, 100, 0, 0])
    expect(scores(cache, {}, { app: 'web' }, interPodAffinity(labelsOf, { ignorePreferredTermsOfExistingPods: true }))).toBeUndefined()
    expect(scores(cache, {}, { app: 'db' })).toBeUndefined()
  })
})

describe('labels of namespaces', () => {
  it('count as they are now', async () => {
    const apart = required(
      'podAntiAffinity',
      term({ namespaceSelector: { matchLabels: { team: 'one' } }, topologyKey: 'kubernetes.io/hostname' }),
    )
    const space = (team: string) => ({ metadata: { name: 'a', uid: 'a', labels: { team } } })
    await using one = await cluster([node('n1')], [pod('w', { nodeName: 'n1' }, { app: 'web' }), pod('p1', apart)], {
      objects: [[Namespace, space('one')]],
    })
    expect(one.nodeOf('p1')).toBeUndefined()
    one.store(Namespace, space('two'), 'MODIFIED')
    one.store(Pod, pod('p2', apart), 'ADDED')
    await one.clock.advance(0)
    expect(one.nodeOf('p2')).toBe('n1')
  })
})
