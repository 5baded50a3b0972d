import { describe, expect, it } from 'vitest'
import { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { daemonSetController } from './daemonset.ts'
import { nodeNameOf } from './daemonset-pod.ts'
import { kubeletStep, markReady, podTemplate } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const set = (more: object = {}) => ({
  metadata: { name: 'agent', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'agent' } }, template: podTemplate('agent'), ...more },
})
const addNode = (cluster: TestCluster, name: string, more: object = {}, labels = {}) =>
  cluster.api.put(Node, { metadata: { name, labels }, spec: more })
const nodesWithPods = (cluster: TestCluster) =>
  cluster.api
    .all(Pod)
    .filter(pod => !pod.metadata.deletionTimestamp)
    .map(nodeNameOf)
    .sort()
const status = (cluster: TestCluster) => cluster.api.find(DaemonSet, 'agent')!.status

/** What scheduler and kubelet do. */
function run(cluster: TestCluster): void {
  for (const pod of cluster.api.all(Pod))
    if (!pod.spec.nodeName)
      cluster.api.change(Pod, pod.metadata.name!, next => {
        next.spec.nodeName = nodeNameOf(pod)
      })
  kubeletStep(cluster)
}

async function rest(cluster: TestCluster): Promise<void> {
  for (let round = 0; round < 40; round++) {
    await cluster.settle()
    const before = cluster.api.writes.length
    run(cluster)
    await cluster.advance(1000)
    if (cluster.api.writes.length === before && cluster.api.all(Pod).every(pod => isReady(pod) && !pod.metadata.deletionTimestamp)) return
  }
  throw new Error('the cluster did not come to rest')
}

describe('daemonset-controller', () => {
  it('puts a pod on every node that it fits, and follows as nodes come and go', async () => {
    await using cluster = testCluster([daemonSetController])
    addNode(cluster, 'a')
    addNode(cluster, 'b')
    await cluster.api.client().create(DaemonSet, set())
    await rest(cluster)
    expect(nodesWithPods(cluster)).toEqual(['a', 'b'])
    expect(status(cluster)).toMatchObject({
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      numberReady: 2,
      numberAvailable: 2,
      updatedNumberScheduled: 2,
    })
    addNode(cluster, 'c')
    await rest(cluster)
    expect(nodesWithPods(cluster)).toEqual(['a', 'b', 'c'])
    cluster.api.remove(Node, 'a', '')
    await rest(cluster)
    expect(nodesWithPods(cluster)).toEqual(['b', 'c'])
  })

  it('minds selectors and taints, and tolerates nodes in trouble', async () => {
    await using cluster = testCluster([daemonSetController])
    addNode(cluster, 'plain', {}, { disk: 'ssd' })
    addNode(cluster, 'tainted', { taints: [{ key: 'own', effect: 'NoSchedule' }] }, { disk: 'ssd' })
    addNode(cluster, 'sick', { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }] }, { disk: 'ssd' })
    addNode(cluster, 'other')
    const template = { ...podTemplate('agent'), spec: { ...podTemplate('agent').spec, nodeSelector: { disk: 'ssd' } } }
    await cluster.api.client().create(DaemonSet, set({ template }))
    await rest(cluster)
    expect(nodesWithPods(cluster)).toEqual(['plain', 'sick'])
  })

  it('keeps a pod where a taint only keeps new ones away, and removes it where one drives it out', async () => {
    await using cluster = testCluster([daemonSetController])
    addNode(cluster, 'a')
    await cluster.api.client().create(DaemonSet, set())
    await rest(cluster)
    const taint = (effect: 'NoSchedule' | 'NoExecute') =>
      cluster.api.change(
        Node,
        'a',
        node => {
          node.spec.taints = [{ key: 'own', effect }]
        },
        '',
      )
    taint('NoSchedule')
    await rest(cluster)
    expect(nodesWithPods(cluster)).toEqual(['a'])
    expect(status(cluster)).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 1 })
    taint('NoExecute')
    await rest(cluster)
    expect(nodesWithPods(cluster)).toEqual([])
  })

  it('updates as many nodes at a time as may be without a pod', async () => {
    await using cluster = testCluster([daemonSetController])
    for (const name of ['a', 'b', 'c']) addNode(cluster, name)
    await cluster.api.client().create(DaemonSet, set())
    await rest(cluster)
    cluster.api.change(DaemonSet, 'agent', next => {
      next.spec.template.spec.containers[0]!.image = 'agent:2'
    })
    await cluster.settle()
    expect(cluster.api.all(Pod).filter(pod => pod.metadata.deletionTimestamp)).toHaveLength(1)
    await rest(cluster)
    expect(cluster.api.all(Pod).map(pod => pod.spec.containers[0]!.image)).toEqual(['agent:2', 'agent:2', 'agent:2'])
  })

  it('with a surge starts the new pod before the old one goes', async () => {
    await using cluster = testCluster([daemonSetController])
    addNode(cluster, 'a')
    await cluster.api
      .client()
      .create(DaemonSet, set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }))
    await rest(cluster)
    cluster.api.change(DaemonSet, 'agent', next => {
      next.spec.template.spec.containers[0]!.image = 'agent:2'
    })
    await cluster.settle()
    expect(cluster.api.all(Pod).filter(pod => !pod.metadata.deletionTimestamp)).toHaveLength(2)
    await rest(cluster)
    expect(cluster.api.all(Pod).map(pod => pod.spec.containers[0]!.image)).toEqual(['agent:2'])
  })

  it('replaces a pod that has failed, but not at once for ever', async () => {
    await using cluster = testCluster([daemonSetController])
    addNode(cluster, 'a')
    await cluster.api.client().create(DaemonSet, set())
    await rest(cluster)
    const [pod] = cluster.api.all(Pod)
    markReady(cluster, pod!)
    cluster.api.change(Pod, pod!.metadata.name!, next => {
      next.status.phase = 'Failed'
    })
    await cluster.advance(1_000)
    expect(cluster.api.find(Pod, pod!.metadata.name!)).toBeDefined()
    await cluster.advance(10_000)
    await rest(cluster)
    expect(cluster.api.all(Pod).map(({ metadata }) => metadata.name)).not.toContain(pod!.metadata.name)
    expect(nodesWithPods(cluster)).toEqual(['a'])
  })
})
