import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { timeOf } from '#machinery/time/time.ts'
import { podGarbageCollectorController } from './pod-garbage-collector.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { taintEvictionController } from './taint-eviction.ts'

const addPod = (cluster: TestCluster, name: string, spec: object = {}, status: object = { phase: 'Running' }) =>
  cluster.api.put(Pod, { metadata: { name, namespace: 'default' }, spec: { nodeName: 'n', containers: [], ...spec }, status })
const names = (cluster: TestCluster) =>
  cluster.api
    .all(Pod)
    .map(({ metadata }) => metadata.name)
    .sort()
const going = (cluster: TestCluster) =>
  cluster.api
    .all(Pod)
    .filter(pod => pod.metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.name)
    .sort()

describe('taint-eviction-controller', () => {
  const taint = (cluster: TestCluster) =>
    cluster.api.change(
      Node,
      'n',
      node => {
        node.spec.taints = [{ key: 'broken', effect: 'NoExecute', timeAdded: timeOf(cluster.clock.now()) }]
      },
      '',
    )
  const tolerate = (tolerationSeconds?: number) => ({
    tolerations: [{ key: 'broken', operator: 'Exists', ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) }],
  })

  it('deletes pods that do not tolerate, at once or when their patience ends, and says why', async () => {
    await using cluster = testCluster([taintEvictionController])
    cluster.api.put(Node, { metadata: { name: 'n' } })
    addPod(cluster, 'plain')
    addPod(cluster, 'patient', tolerate(60))
    addPod(cluster, 'stoic', tolerate())
    await cluster.settle()
    taint(cluster)
    await cluster.settle()
    expect(going(cluster)).toEqual(['plain'])
    expect(cluster.api.find(Pod, 'plain')!.status.conditions).toMatchObject([
      { type: 'DisruptionTarget', reason: 'DeletionByTaintManager' },
    ])
    await cluster.advance(60_000)
    expect(going(cluster)).toEqual(['patient', 'plain'])
  })

  it('lets pods stay when the taint goes in time', async () => {
    await using cluster = testCluster([taintEvictionController])
    cluster.api.put(Node, { metadata: { name: 'n' } })
    addPod(cluster, 'patient', tolerate(60))
    taint(cluster)
    await cluster.advance(30_000)
    cluster.api.change(
      Node,
      'n',
      node => {
        node.spec.taints = []
      },
      '',
    )
    await cluster.advance(60_000)
    expect(going(cluster)).toEqual([])
  })
})

describe('pod-garbage-collector-controller', () => {
  it('removes pods of a node that is gone, once it has been gone for a while', async () => {
    await using cluster = testCluster([podGarbageCollectorController])
    addPod(cluster, 'lost')
    await cluster.advance(40_000)
    expect(names(cluster)).toEqual(['lost'])
    await cluster.advance(40_000)
    expect(names(cluster)).toEqual([])
  })

  it('removes pods that are to go and have no node', async () => {
    await using cluster = testCluster([podGarbageCollectorController])
    const pod = addPod(cluster, 'unscheduled', { nodeName: '' }, { phase: 'Pending' })
    cluster.api.change(Pod, pod.metadata.name!, next => {
      next.metadata.deletionTimestamp = timeOf(cluster.clock.now())
      next.metadata.deletionGracePeriodSeconds = 30
    })
    await cluster.advance(20_000)
    expect(names(cluster)).toEqual([])
  })

  it('keeps no more pods that have ended than it may, the youngest', async () => {
    await using cluster = testCluster([podGarbageCollectorController], { terminatedPodLimit: 2 })
    cluster.api.put(Node, { metadata: { name: 'n' } })
    for (const name of ['a', 'b', 'c', 'd']) {
      addPod(cluster, name, {}, { phase: 'Succeeded' })
      await cluster.advance(1000)
    }
    addPod(cluster, 'running')
    await cluster.advance(20_000)
    expect(names(cluster)).toEqual(['c', 'd', 'running'])
  })
})
