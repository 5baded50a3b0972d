import { describe, expect, it } from 'vitest'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { cluster, node, pod, requesting } from '../scheduler.fixture.ts'
import { Verdicts } from './verdicts.ts'

const taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' }
const nodes = [
  node('small', { cpu: '1' }),
  node('tainted', { cpu: '8', spec: { taints: [taint] } }),
  node('off', { cpu: '8', spec: { unschedulable: true } }),
]

describe('a verdict', () => {
  it('tells which node failed which plugin, and why', async () => {
    await using one = await cluster(nodes, [pod('p', requesting('2'))])
    const verdict = one.scheduler.verdict('a', 'p')!
    expect(verdict).toMatchObject({
      pod: { namespace: 'a', name: 'p', uid: 'uid-p' },
      nodes: { all: 3, seen: 3, feasible: 0 },
      message: expect.stringContaining('0/3 nodes are available: 1 Insufficient cpu'),
      scores: [],
    })
    expect(verdict.refusals).toContainEqual({
      plugin: 'NodeResourcesFit',
      reasons: ['Insufficient cpu'],
      code: 'unresolvable',
      count: 1,
      nodes: ['small'],
    })
    expect(verdict.refusals.map(({ plugin }) => plugin).sort()).toEqual(['NodeResourcesFit', 'NodeUnschedulable', 'TaintToleration'])
  })

  it('tells what the best nodes got from each plugin', async () => {
    await using one = await cluster([node('n1'), node('n2', { cpu: '64' })], [pod('p', requesting('1'))])
    const { node: chosen, scores, nodes: counts } = one.scheduler.verdict('a', 'p')!
    expect([chosen, counts.feasible, scores.map(score => score.node)]).toEqual(['n2', 2, ['n2', 'n1']])
    expect(scores[0]!.plugins['NodeResourcesFit']).toBeGreaterThan(scores[1]!.plugins['NodeResourcesFit']!)
    for (const { total, plugins } of scores) expect(Object.values(plugins).reduce((sum, score) => sum + score, 0)).toBeCloseTo(total)
  })

  it('is kept for so many pods', () => {
    const kept = new Verdicts(2)
    const of = (name: string) => ({ pod: { namespace: 'a', name, uid: name } }) as Parameters<Verdicts['keep']>[0]
    for (const name of ['x', 'y', 'x', 'z']) kept.keep(of(name))
    expect(kept.list().map(verdict => verdict.pod.name)).toEqual(['x', 'z'])
    expect(kept.of('a', 'y')).toBeUndefined()
  })
})

describe('what if', () => {
  it.each([
    ['two more nodes', { moreNodes: { like: 'tainted', count: 2 }, withoutTaints: [{ node: 'none', key: 'dedicated' }] }, undefined],
    ['two more nodes without the taint', { moreNodes: { like: 'tainted', count: 2 }, withoutTaints: [{ key: 'dedicated' }] }, 'tainted'],
    ['no taint', { withoutTaints: [{ key: 'dedicated' }] }, 'tainted'],
    ['a node put back', { uncordoned: ['off'] }, 'off'],
    ['less CPU', { requests: { cpu: '500m' } }, 'small'],
    ['nothing', {}, undefined],
  ])('there were %s', async (_what, supposition, expected) => {
    await using one = await cluster(nodes, [pod('p', requesting('2'))])
    const before = one.events.length
    const verdict = one.scheduler.whatIf(one.find<Pod>('p'), supposition)
    expect(verdict.node?.split('-like')[0]).toBe(expected)
    expect([one.nodeOf('p'), one.events.length]).toEqual([undefined, before])
    expect(one.scheduler.whatIf(one.find<Pod>('p'), {}).nodes).toEqual({ all: 3, seen: 3, feasible: 0 })
  })

  it('a pod were gone', async () => {
    await using one = await cluster([node('n1')], [pod('big', { ...requesting('2'), nodeName: 'n1' }), pod('p', requesting('1'))])
    expect(one.scheduler.whatIf(one.find<Pod>('p'), { withoutPods: ['a/big'] }).node).toBe('n1')
    expect(one.nodeOf('p')).toBeUndefined()
  })
})
