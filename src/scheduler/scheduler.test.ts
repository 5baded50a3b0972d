import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { cluster, node, pod, requesting } from './scheduler.fixture.ts'

describe('the scheduler', () => {
  it('spreads pods over equal nodes', async () => {
    await using one = await cluster([node('n1'), node('n2')], [pod('p1', requesting('1')), pod('p2', requesting('1'))])
    expect([one.nodeOf('p1'), one.nodeOf('p2')].sort()).toEqual(['n1', 'n2'])
    expect(one.events).toContain(`Scheduled: Successfully assigned a/p1 to ${one.nodeOf('p1')}`)
  })

  it('leaves a pod that asks for too much pending, says why, and places it once room appears', async () => {
    await using one = await cluster(
      [
        node('n1'),
        node('n2', { spec: { unschedulable: true } }),
        node('n3', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }),
      ],
      [pod('p', requesting('3'))],
    )
    const message =
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {k: v}, 1 node(s) were unschedulable. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'
    expect(one.events).toContain(`FailedScheduling: ${message}`)
    expect(one.find('p').status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }])
    one.store(Node, node('n4', { cpu: '8' }), 'ADDED')
    await one.clock.advance(1_000)
    expect(one.nodeOf('p')).toBe('n4')
  })

  it('does nothing about a pending pod while nothing changes that could help it', async () => {
    await using one = await cluster([node('n1')], [pod('p', requesting('3'))])
    one.store(Node, { ...node('n1'), metadata: { ...node('n1').metadata, annotations: { a: 'b' } } }, 'MODIFIED')
    await one.clock.advance(60_000)
    expect(one.events.filter(event => event.startsWith('FailedScheduling'))).toHaveLength(1)
  })

  it('keeps a gated pod out until its gates are gone', async () => {
    await using one = await cluster([node('n1')], [pod('p', { schedulingGates: [{ name: 'g' }] })])
    expect(one.nodeOf('p')).toBeUndefined()
    one.store(Pod, pod('p'), 'MODIFIED')
    await one.clock.advance(0)
    expect(one.nodeOf('p')).toBe('n1')
  })

  it('obeys node selectors, required affinity and host ports', async () => {
    const disk = { nodeSelector: { disk: 'ssd' } }
    const port = { containers: [{ name: 'c', image: 'i:1', ports: [{ containerPort: 80, hostPort: 80 }] }] }
    const affinity = {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }] }],
          },
        },
      },
    }
    await using one = await cluster(
      [node('n1'), node('n2', { labels: { disk: 'ssd' } })],
      [pod('p1', disk), pod('p2', affinity), pod('p3', port), pod('p4', port), pod('p5', port)],
    )
    expect(one.nodeOf('p1')).toBe('n2')
    expect(one.nodeOf('p2')).toBe('n1')
    expect([one.nodeOf('p3'), one.nodeOf('p4'), one.nodeOf('p5')].filter(Boolean).sort()).toEqual(['n1', 'n2'])
    expect(one.events.join()).toContain("2 node(s) didn't have free ports for the requested pod ports")
  })

  it('places a pod that came before the first node', async () => {
    await using one = await cluster([], [pod('p')])
    one.store(Node, node('n1'), 'ADDED')
    await one.clock.advance(0)
    expect(one.nodeOf('p')).toBe('n1')
  })

  it('places pods by what runs beside them', async () => {
    const term = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' }
    const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    const beside = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    await using one = await cluster(
      [node('n1'), node('n2')],
      [pod('w1', apart, { app: 'web' }), pod('w2', apart, { app: 'web' }), pod('w3', apart, { app: 'web' })],
    )
    const placed = ['w1', 'w2', 'w3'].filter(name => one.nodeOf(name))
    expect(placed).toHaveLength(2)
    expect(new Set(placed.map(one.nodeOf)).size).toBe(2)
    one.store(Pod, one.find(placed[1]!), 'DELETED')
    one.store(Pod, pod('friend', beside), 'ADDED')
    await one.clock.advance(0)
    expect(one.nodeOf('friend')).toBe(one.nodeOf(placed[0]!))
  })

  it('keeps the skew of hard spread constraints', async () => {
    const constraint = {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    }
    const names = ['p1', 'p2', 'p3', 'p4', 'p5']
    await using one = await cluster(
      [node('n1', { labels: { zone: 'a' } }), node('n2', { labels: { zone: 'b' } }), node('n3')],
      names.map(name => pod(name, { topologySpreadConstraints: [constraint] }, { app: 'web' })),
    )
    const on = (name: string) => names.filter(one_ => one.nodeOf(one_) === name).length
    expect(Math.abs(on('n1') - on('n2'))).toBe(1)
    expect(on('n3')).toBe(0)
  })

  it('evicts the fewest pods of lower priority to make room, and none if that would not help', async () => {
    const low = (name: string) => pod(name, { ...requesting('1'), priority: 1, nodeName: 'n1' })
    await using one = await cluster([node('n1')], [low('l1'), low('l2'), pod('big', { ...requesting('3'), priority: 100 })])
    expect(one.find('l1')).toBeDefined()
    one.store(Pod, pod('important', { ...requesting('1'), priority: 100 }), 'ADDED')
    await one.clock.advance(2_000)
    expect(one.nodeOf('important')).toBe('n1')
    expect([one.find('l1'), one.find('l2')].filter(Boolean)).toHaveLength(1)
    expect(one.nodeOf('big')).toBeUndefined()
  })
})
