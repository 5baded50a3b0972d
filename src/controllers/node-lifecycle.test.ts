import { describe, expect, it } from 'vitest'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { nodeCondition } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { microTimeOf, timeOf } from '#machinery/time/time.ts'
import { nodeIpamController } from './node-ipam.ts'
import { nodeLifecycleController } from './node-lifecycle.ts'
import { markReady } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

function addNode(cluster: TestCluster, name: string, zone = 'east'): void {
  const at = timeOf(cluster.clock.now())
  cluster.api.put(Node, {
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
    status: {
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastHeartbeatTime: at, lastTransitionTime: at }],
    },
  })
  cluster.api.put(Lease, { metadata: { name, namespace: 'kube-node-lease' }, spec: { renewTime: microTimeOf(cluster.clock.now()) } })
}

/** Lets time pass in which only these nodes renew their leases. */
async function pass(cluster: TestCluster, seconds: number, alive: readonly string[]): Promise<void> {
  for (let second = 0; second < seconds; second += 5) {
    for (const name of alive) {
      cluster.api.change(
        Lease,
        name,
        lease => {
          lease.spec.renewTime = microTimeOf(cluster.clock.now())
        },
        'kube-node-lease',
      )
    }
    await cluster.advance(5_000)
  }
}

const node = (cluster: TestCluster, name: string) => cluster.api.find(Node, name, '')!
const taints = (cluster: TestCluster, name: string) =>
  (node(cluster, name).spec.taints ?? []).map(({ key, effect }) => `${key.split('/')[1]}:${effect}`)

describe('node-lifecycle-controller', () => {
  it('notices a node that falls silent, marks its pods and taints it', async () => {
    await using cluster = testCluster([nodeLifecycleController])
    for (const name of ['a', 'b', 'c']) addNode(cluster, name)
    const pod = cluster.api.put(Pod, { metadata: { name: 'web', namespace: 'default' }, spec: { nodeName: 'a', containers: [] } })
    markReady(cluster, pod)
    await pass(cluster, 45, ['b', 'c'])
    expect(nodeCondition(node(cluster, 'a'), 'Ready')!.status).toBe('True')
    await pass(cluster, 15, ['b', 'c'])
    expect(nodeCondition(node(cluster, 'a'), 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    })
    expect(taints(cluster, 'a')).toEqual(['unreachable:NoSchedule', 'unreachable:NoExecute'])
    expect(isReady(cluster.api.find(Pod, 'web')!)).toBe(false)
    expect(taints(cluster, 'b')).toEqual([])
    expect(cluster.events()).toContain('NodeNotReady: Node a status is now: NodeNotReady')
  })

  it('takes the taints back when the node speaks again', async () => {
    await using cluster = testCluster([nodeLifecycleController])
    for (const name of ['a', 'b', 'c']) addNode(cluster, name)
    await pass(cluster, 60, ['b', 'c'])
    cluster.api.change(
      Node,
      'a',
      next => {
        const ready = next.status.conditions!.find(({ type }) => type === 'Ready')!
        ready.status = 'True'
        ready.lastHeartbeatTime = timeOf(cluster.clock.now())
      },
      '',
    )
    await cluster.settle()
    expect(taints(cluster, 'a')).toEqual([])
  })

  it('taints by conditions at once', async () => {
    await using cluster = testCluster([nodeLifecycleController])
    addNode(cluster, 'a')
    addNode(cluster, 'b')
    cluster.api.change(
      Node,
      'a',
      next => {
        next.spec.unschedulable = true
        next.status.conditions!.push({ type: 'DiskPressure', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null } as never)
      },
      '',
    )
    await cluster.settle()
    expect(taints(cluster, 'a').sort()).toEqual(['disk-pressure:NoSchedule', 'unschedulable:NoSchedule'])
  })

  it('evicts node by node, not all at once', async () => {
    await using cluster = testCluster([nodeLifecycleController])
    for (const name of ['a', 'b', 'c', 'd', 'e']) addNode(cluster, name)
    await pass(cluster, 55, ['c', 'd', 'e'])
    const evicted = () => ['a', 'b'].filter(name => taints(cluster, name).includes('unreachable:NoExecute'))
    expect(evicted()).toHaveLength(1)
    await pass(cluster, 10, ['c', 'd', 'e'])
    expect(evicted()).toHaveLength(2)
  })

  it('evicts nothing when no node at all is heard of', async () => {
    await using cluster = testCluster([nodeLifecycleController])
    for (const name of ['a', 'b', 'c']) addNode(cluster, name)
    await pass(cluster, 120, [])
    for (const name of ['a', 'b', 'c']) expect(taints(cluster, name)).toEqual(['unreachable:NoSchedule'])
  })

  it('uses no time when nodes are well', async () => {
    await using cluster = testCluster([nodeLifecycleController])
    addNode(cluster, 'a')
    await pass(cluster, 300, ['a'])
    expect(cluster.api.writes.filter(({ kind }) => kind !== 'Event')).toEqual([])
  })
})

describe('node-ipam-controller', () => {
  const parameters = { clusterCIDRs: ['10.244.0.0/22', 'fd00::/56'], serviceCIDRs: ['10.244.0.0/24'], nodeCIDRMaskSizeIPv6: 64 }

  it('gives every node a part of its own, and none that is taken', async () => {
    await using cluster = testCluster([nodeIpamController], parameters)
    cluster.api.put(Node, { metadata: { name: 'old' }, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd00::/64'] } })
    await cluster.api.client().create(Node, { metadata: { name: 'a' } })
    await cluster.api.client().create(Node, { metadata: { name: 'b' } })
    await cluster.settle()
    expect(node(cluster, 'a').spec).toMatchObject({ podCIDR: '10.244.2.0/24', podCIDRs: ['10.244.2.0/24', 'fd00:0:0:1::/64'] })
    expect(node(cluster, 'b').spec.podCIDR).toBe('10.244.3.0/24')
  })

  it('says when nothing is left, and gives what a deleted node had to the next', async () => {
    await using cluster = testCluster([nodeIpamController], parameters)
    for (const name of ['a', 'b', 'c', 'd']) await cluster.api.client().create(Node, { metadata: { name } })
    await cluster.settle()
    expect(node(cluster, 'd').spec.podCIDR).toBeUndefined()
    expect(cluster.events()).toContain('CIDRNotAvailable: Node d status is now: CIDRNotAvailable')
    cluster.api.remove(Node, 'b', '')
    await cluster.advance(60_000)
    expect(node(cluster, 'd').spec.podCIDR).toBe('10.244.2.0/24')
  })

  it('gives a node the same again when the answer got lost', async () => {
    await using cluster = testCluster([nodeIpamController], parameters)
    let lost = 0
    cluster.api.faults = {
      before({ verb }) {
        if (verb === 'patch' && lost++ === 0) throw new Error('connection lost')
      },
    }
    await cluster.api.client().create(Node, { metadata: { name: 'a' } })
    await cluster.advance(1000)
    expect(node(cluster, 'a').spec.podCIDR).toBe('10.244.1.0/24')
  })
})
