import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { podInfo } from '../cache/pod-info.ts'
import { cluster, node, type Parts, pod, requesting, stored } from '../scheduler.fixture.ts'
import { UNCOUNTED } from '../scheduler-metrics.ts'
import { bestOf, type Candidate } from './preemption.plan.ts'

const running = (name: string, nodeName: string, priority: number, more: Parts = {}, labels: Parts = {}) =>
  pod(name, { ...requesting('1'), priority, nodeName, ...more }, labels)
const important = (name: string, spec: Parts = {}) => pod(name, { ...requesting('1'), priority: 100, ...spec })
const left = (one: { find(name: string): unknown }, ...names: string[]) => names.filter(name => one.find(name))

const NOW = '2026-01-01T00:00:00Z'

describe('preemption', () => {
  it('takes the node whose pods matter least', async () => {
    await using one = await cluster(
      [node('n1', { cpu: '1' }), node('n2', { cpu: '1' })],
      [running('a', 'n1', 5), running('b', 'n2', 3), important('p')],
    )
    await one.clock.advance(2_000)
    expect(left(one, 'a', 'b')).toEqual(['a'])
    expect(one.nodeOf('p')).toBe('n2')
    expect(one.events).toContain('Preempted: Preempted by pod uid-p on node n2')
  })

  it('spares what a budget protects, if it can', async () => {
    const budget = {
      metadata: { name: 'b', namespace: 'a' },
      spec: { selector: { matchLabels: { app: 'kept' } }, minAvailable: 1 },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    }
    await using one = await cluster(
      [node('n1', { cpu: '1' }), node('n2', { cpu: '1' })],
      [running('kept', 'n1', 1, {}, { app: 'kept' }), running('other', 'n2', 5), important('p')],
      { objects: [[PodDisruptionBudget, budget]] },
    )
    await one.clock.advance(2_000)
    expect(left(one, 'kept', 'other')).toEqual(['kept'])
  })

  it.each([
    ['one that selects it', { matchLabels: { app: 'kept' } }, { app: 'kept' }, {}, true],
    ['one that selects it by an expression', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, { app: 'kept' }, {}, true],
    ['one that selects others', { matchLabels: { app: 'else' } }, { app: 'kept' }, {}, false],
    ['one that allows a disruption', { matchLabels: { app: 'kept' } }, { app: 'kept' }, { disruptionsAllowed: 1 }, false],
    ['one that knows of its eviction', { matchLabels: { app: 'kept' } }, { app: 'kept' }, { disruptedPods: { kept: NOW } }, false],
    ['one with an empty selector', {}, { app: 'kept' }, {}, false],
    ['one with no selector', undefined, { app: 'kept' }, {}, false],
    [
      'one that selects what has no label, as a pod without labels',
      { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] },
      {},
      {},
      false,
    ],
  ])('counts a pod as protected by a budget as upstream does: %s', async (_what, selector, labels, status, isSpared) => {
    const budget = {
      metadata: { name: 'b', namespace: 'a' },
      spec: { ...(selector ? { selector } : {}), minAvailable: 1 },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, ...status },
    }
    await using one = await cluster(
      [node('n1', { cpu: '1' }), node('n2', { cpu: '1' })],
      [running('kept', 'n1', 1, {}, labels), running('other', 'n2', 5), important('p')],
      { objects: [[PodDisruptionBudget, budget]] },
    )
    await one.clock.advance(2_000)
    expect(left(one, 'kept', 'other')).toEqual([isSpared ? 'kept' : 'other'])
  })

  it('undoes what anti-affinity and spread constraints forbid', async () => {
    const apart = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' },
          ],
        },
      },
    }
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'y' } },
        },
      ],
    }
    await using one = await cluster(
      [node('n1')],
      [running('x', 'n1', 1, { containers: [{ name: 'c', image: 'i' }] }, { app: 'x' }), important('p', apart)],
    )
    await one.clock.advance(2_000)
    expect([left(one, 'x'), one.nodeOf('p')]).toEqual([[], 'n1'])
    await using two = await cluster(
      [node('n1'), node('n2', { cpu: '0' })],
      [
        running('y', 'n1', 1, { containers: [{ name: 'c', image: 'i' }] }, { app: 'y' }),
        { ...important('p', spread), metadata: { ...important('p').metadata, labels: { app: 'y' } } },
      ],
    )
    await two.clock.advance(2_000)
    expect([left(two, 'y'), two.nodeOf('p')]).toEqual([[], 'n1'])
  })

  it('keeps the room it made for the pod it made it for', async () => {
    await using one = await cluster([node('n1', { cpu: '1' })], [running('a', 'n1', 1), important('p')])
    one.store(Pod, pod('late', { ...requesting('1'), priority: 50 }), 'ADDED')
    await one.clock.advance(3_000)
    expect([one.nodeOf('p'), one.nodeOf('late')]).toEqual(['n1', undefined])
  })

  it('gives the room up again when the pod cannot use it any more', async () => {
    const p = important('p', { nodeSelector: { disk: 'ssd' } })
    await using one = await cluster([node('n1', { cpu: '1' })], [{ ...p, status: { nominatedNodeName: 'n1' } }])
    expect(one.find('p').status.nominatedNodeName).toBeUndefined()
    one.store(Pod, pod('small', { ...requesting('1'), priority: 1 }), 'ADDED')
    await one.clock.advance(0)
    expect(one.nodeOf('small')).toBe('n1')
  })

  it('lets those have the room that wait for it when the pod is deleted', async () => {
    await using one = await cluster([node('n1', { cpu: '1' })], [running('a', 'n1', 1), important('p')], { graceMs: 10_000 })
    one.store(Pod, pod('small', { ...requesting('1'), priority: 1 }), 'ADDED')
    await one.clock.advance(5_000)
    one.store(Pod, one.find('p'), 'DELETED')
    await one.clock.advance(10_000)
    expect(one.nodeOf('small')).toBe('n1')
  })

  it('[SAFETY] evicts for a pod once, however long the evictions and the victims take', async () => {
    const low = ['n1', 'n2', 'n3'].flatMap(name => [running(`${name}-a`, name, 1), running(`${name}-b`, name, 1)])
    await using one = await cluster([node('n1'), node('n2'), node('n3')], [...low, important('p', requesting('2'))], {
      latencyMs: 3_000,
      graceMs: 20_000,
    })
    const taints = [{ key: 'k', value: 'v', effect: 'NoSchedule' }]
    for (let seconds = 0; seconds < 40; seconds++) {
      one.store(Node, node(`useless-${seconds}`, { spec: { taints } }), 'ADDED')
      await one.clock.advance(1_000)
    }
    const names = low.map(({ metadata }) => metadata.name)
    expect(left(one, ...names)).toHaveLength(4)
    expect(one.nodeOf('p')).toBe(one.find('p').status.nominatedNodeName)
    expect(one.events.join('\n')).toContain('preemption: not eligible due to a terminating pod on the nominated node.')
  })

  it('tries a pod twice: to make room, and once it is there', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`)
    const low = names.flatMap(name => ['a', 'b', 'c'].map(letter => running(`${name}-${letter}`, name, 1)))
    const pods = names.map(name => important(`p-${name}`, requesting('3')))
    const attempts: string[] = []
    await using one = await cluster(
      names.map(name => node(name, { cpu: '3' })),
      [...low, ...pods],
      { latencyMs: 10, graceMs: 500, options: { metrics: { ...UNCOUNTED, attempted: result => attempts.push(result) } } },
    )
    await one.clock.advance(5_000)
    expect(new Set(pods.map(({ metadata }) => one.nodeOf(metadata.name))).size).toBe(20)
    expect(attempts).toHaveLength(40)
  })

  it('tries again when an eviction is refused', async () => {
    await using one = await cluster([node('n1', { cpu: '1' })], [running('a', 'n1', 1), important('p')], { failingDeletes: 2 })
    await one.clock.advance(10_000)
    expect(one.nodeOf('p')).toBe('n1')
  })

  it('does not insist where evictions are refused again and again', async () => {
    const attempts: string[] = []
    await using one = await cluster([node('n1', { cpu: '1' })], [running('a', 'n1', 1), important('p')], {
      failingDeletes: Number.POSITIVE_INFINITY,
      options: { metrics: { ...UNCOUNTED, attempted: result => attempts.push(result) } },
    })
    await one.clock.advance(60_000)
    expect(attempts.length).toBeGreaterThan(5)
    expect(attempts.length).toBeLessThan(12)
  })

  it('sends pods of lower priority elsewhere that hoped for the node', async () => {
    await using one = await cluster([node('n1', { cpu: '1' })], [running('a', 'n1', 1), important('p', { priority: 50 })], {
      graceMs: 9_000,
    })
    await one.clock.advance(1_000)
    expect(one.find('p').status.nominatedNodeName).toBe('n1')
    one.store(Pod, important('q'), 'ADDED')
    await one.clock.advance(1_000)
    expect(one.find('p').status.nominatedNodeName).toBeUndefined()
    await one.clock.advance(10_000)
    expect([one.nodeOf('p'), one.nodeOf('q')]).toEqual([undefined, 'n1'])
  })

  it('makes room for each of several pods', async () => {
    const names = ['n1', 'n2', 'n3']
    const low = names.flatMap(name => [running(`${name}-a`, name, 1), running(`${name}-b`, name, 1)])
    await using one = await cluster(
      names.map(name => node(name)),
      [...low, ...['p', 'q', 'r'].map(name => important(name, requesting('2')))],
    )
    await one.clock.advance(5_000)
    expect(['p', 'q', 'r'].map(one.nodeOf).sort()).toEqual(names)
  })

  it('is not for pods that must not', async () => {
    await using one = await cluster([node('n1', { cpu: '1' })], [running('a', 'n1', 1), important('p', { preemptionPolicy: 'Never' })])
    await one.clock.advance(3_000)
    expect(left(one, 'a')).toEqual(['a'])
    expect(one.events.join('\n')).toContain('preemption: not eligible due to preemptionPolicy=Never.')
  })
})

describe('the choice among candidates', () => {
  const victim = (priority: number, startTime = '2026-01-01T00:00:00Z') =>
    podInfo({ ...stored<Pod>(Pod, pod(`v${priority}`, { priority })), status: { startTime } } as Pod)
  const candidate = (name: string, violations: number, ...victims: ReturnType<typeof victim>[]) =>
    ({ node: { name }, violations, victims }) as unknown as Candidate
  it.each([
    ['fewest violated budgets', candidate('a', 1, victim(1)), candidate('b', 0, victim(9))],
    ['lowest of the highest priorities', candidate('a', 0, victim(9)), candidate('b', 0, victim(5), victim(5))],
    ['lowest sum of priorities', candidate('a', 0, victim(5), victim(4)), candidate('b', 0, victim(5))],
    [
      'latest start of the most important',
      candidate('a', 0, victim(5, '2026-01-01T00:00:00Z')),
      candidate('b', 0, victim(5, '2026-02-01T00:00:00Z')),
    ],
  ])('goes by %s', (_rule, worse, better) => {
    expect(bestOf([worse, better])!.node.name).toBe('b')
    expect(bestOf([better, worse])!.node.name).toBe('b')
  })
})
