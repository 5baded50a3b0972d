import { describe, expect, it } from 'vitest'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { replicaSetController } from './replicaset.ts'
import { markReady, replicaSet } from './runtime/samples.ts'
import { testCluster } from './runtime/test-cluster.ts'

describe('replicaset-controller', () => {
  it('creates the pods that are missing and says so', async () => {
    await using cluster = testCluster([replicaSetController])
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 3))
    await cluster.settle()
    const pods = cluster.api.all(Pod)
    expect(pods).toHaveLength(3)
    expect(pods[0]!.metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
    expect(pods[0]!.metadata.ownerReferences).toMatchObject([
      { kind: 'ReplicaSet', name: 'web', controller: true, blockOwnerDeletion: true },
    ])
    expect(cluster.api.find(ReplicaSet, 'web')!.status).toMatchObject({ replicas: 3, fullyLabeledReplicas: 3, observedGeneration: 1 })
    expect(cluster.events().sort()).toEqual(pods.map(pod => `SuccessfulCreate: Created pod: ${pod.metadata.name}`).sort())
  })

  it('writes nothing more once it is done', async () => {
    await using cluster = testCluster([replicaSetController])
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 3))
    await cluster.settle()
    const writes = cluster.api.writes.length
    cluster.api.change(ReplicaSet, 'web', set => {
      set.metadata.annotations = { touched: 'yes' }
    })
    await cluster.settle()
    expect(cluster.api.writes.length).toBe(writes)
  })

  it('deletes the pods that are too many, those not ready first', async () => {
    await using cluster = testCluster([replicaSetController])
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 3))
    await cluster.settle()
    const [first, second] = cluster.api.all(Pod)
    markReady(cluster, first!)
    markReady(cluster, second!)
    cluster.api.change(ReplicaSet, 'web', set => {
      set.spec.replicas = 2
    })
    await cluster.settle()
    expect(
      cluster.api
        .all(Pod)
        .map(pod => pod.metadata.name)
        .sort(),
    ).toEqual([first, second].map(pod => pod!.metadata.name).sort())
    expect(cluster.api.find(ReplicaSet, 'web')!.status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2 })
  })

  it('adopts a pod that its selector selects and releases one whose labels changed', async () => {
    await using cluster = testCluster([replicaSetController])
    cluster.api.put(Pod, { metadata: { name: 'lone', labels: { app: 'web' } }, spec: { containers: [] } })
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 1))
    await cluster.settle()
    expect(cluster.api.find(Pod, 'lone')!.metadata.ownerReferences).toMatchObject([{ name: 'web' }])
    cluster.api.change(Pod, 'lone', pod => {
      pod.metadata.labels = { app: 'debugged' }
    })
    await cluster.settle()
    expect(cluster.api.find(Pod, 'lone')!.metadata.ownerReferences).toBeUndefined()
    expect(cluster.api.all(Pod)).toHaveLength(2)
  })

  it('never creates a pod twice when the cache is behind', async () => {
    await using cluster = testCluster([replicaSetController])
    await cluster.settle()
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 2))
    await cluster.settle()
    cluster.api.held = true
    cluster.api.change(ReplicaSet, 'web', set => {
      set.spec.replicas = 4
    })
    await cluster.settle()
    cluster.api.held = false
    await cluster.settle()
    expect(cluster.api.all(Pod)).toHaveLength(4)
  })

  it('does not create a pod again when the answer to its creation got lost', async () => {
    await using cluster = testCluster([replicaSetController])
    let lost = 0
    cluster.api.faults = {
      after({ verb, kind }) {
        if (verb === 'create' && kind === 'Pod' && lost++ < 2) throw new Error('connection reset')
      },
    }
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 3))
    await cluster.advance(1000)
    expect(cluster.api.all(Pod)).toHaveLength(3)
  })

  it('tells of pods that cannot be created, and forgets it when they can', async () => {
    await using cluster = testCluster([replicaSetController])
    cluster.api.faults = {
      before({ verb, kind }) {
        if (verb === 'create' && kind === 'Pod') throw new Error('quota exceeded')
      },
    }
    await cluster.api.client().create(ReplicaSet, replicaSet('web', 3))
    await cluster.settle()
    expect(cluster.api.find(ReplicaSet, 'web')!.status.conditions).toMatchObject([
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota exceeded' },
    ])
    cluster.api.faults = {}
    await cluster.advance(60_000)
    expect(cluster.api.find(ReplicaSet, 'web')!.status.conditions).toBeUndefined()
  })

  it('counts a pod as available only after minReadySeconds', async () => {
    await using cluster = testCluster([replicaSetController])
    await cluster.api.client().create(ReplicaSet, { ...replicaSet('web', 1), spec: { ...replicaSet('web', 1).spec, minReadySeconds: 10 } })
    await cluster.settle()
    markReady(cluster, cluster.api.all(Pod)[0]!)
    await cluster.advance(9_000)
    expect(cluster.api.find(ReplicaSet, 'web')!.status.availableReplicas).toBeUndefined()
    await cluster.advance(1_000)
    expect(cluster.api.find(ReplicaSet, 'web')!.status.availableReplicas).toBe(1)
  })
})
