import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { kubeletStep, markReady, podTemplate } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { statefulSetController } from './statefulset.ts'

const set = (replicas: number, more: object = {}) => ({
  metadata: { name: 'db', namespace: 'default' },
  spec: { replicas, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: podTemplate('db'), ...more },
})

const names = (cluster: TestCluster) =>
  cluster.api
    .all(Pod)
    .map(({ metadata }) => metadata.name!)
    .sort()
const images = (cluster: TestCluster) =>
  Object.fromEntries(cluster.api.all(Pod).map(pod => [pod.metadata.name!, pod.spec.containers[0]!.image]))
const status = (cluster: TestCluster) => cluster.api.find(StatefulSet, 'db')!.status
const start = () => testCluster([statefulSetController])

async function rest(cluster: TestCluster): Promise<void> {
  for (let round = 0; round < 60; round++) {
    await cluster.settle()
    const before = cluster.api.writes.length
    kubeletStep(cluster)
    await cluster.advance(1000)
    if (cluster.api.writes.length === before && cluster.api.all(Pod).every(pod => isReady(pod) && !pod.metadata.deletionTimestamp)) return
  }
  throw new Error('the cluster did not come to rest')
}

const change = (cluster: TestCluster, image: string) =>
  cluster.api.change(StatefulSet, 'db', next => {
    next.spec.template.spec.containers[0]!.image = image
  })

describe('statefulset-controller', () => {
  it('starts pods in order, each when the one before is well, with names of their own', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(3))
    await cluster.settle()
    expect(names(cluster)).toEqual(['db-0'])
    const [first] = cluster.api.all(Pod)
    expect(first!.spec).toMatchObject({ hostname: 'db-0', subdomain: 'db' })
    expect(first!.metadata.labels).toMatchObject({ 'statefulset.kubernetes.io/pod-name': 'db-0', 'apps.kubernetes.io/pod-index': '0' })
    markReady(cluster, first!)
    await cluster.settle()
    expect(names(cluster)).toEqual(['db-0', 'db-1'])
    await rest(cluster)
    expect(names(cluster)).toEqual(['db-0', 'db-1', 'db-2'])
    expect(status(cluster)).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, currentReplicas: 3, updatedReplicas: 3 })
    expect(cluster.events()).toContain('SuccessfulCreate: create Pod db-0 in StatefulSet db successful')
  })

  it('starts all at once when it may, from the ordinal that it is told', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(3, { podManagementPolicy: 'Parallel', ordinals: { start: 5 } }))
    await cluster.settle()
    expect(names(cluster)).toEqual(['db-5', 'db-6', 'db-7'])
  })

  it('scales down from the highest ordinal, one by one', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(3))
    await rest(cluster)
    cluster.api.change(StatefulSet, 'db', next => {
      next.spec.replicas = 1
    })
    await cluster.settle()
    expect(
      cluster.api
        .all(Pod)
        .filter(pod => pod.metadata.deletionTimestamp)
        .map(pod => pod.metadata.name),
    ).toEqual(['db-2'])
    await rest(cluster)
    expect(names(cluster)).toEqual(['db-0'])
  })

  it('rolls an update out from the highest ordinal, one by one', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(3))
    await rest(cluster)
    const before = status(cluster).currentRevision
    change(cluster, 'db:2')
    await cluster.settle()
    expect(
      cluster.api
        .all(Pod)
        .filter(pod => pod.metadata.deletionTimestamp)
        .map(pod => pod.metadata.name),
    ).toEqual(['db-2'])
    await rest(cluster)
    expect(images(cluster)).toEqual({ 'db-0': 'db:2', 'db-1': 'db:2', 'db-2': 'db:2' })
    expect(status(cluster).currentRevision).not.toBe(before)
    expect(status(cluster).currentRevision).toBe(status(cluster).updateRevision)
  })

  it('leaves what is below the partition as it was, even when it comes back', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(3, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }))
    await rest(cluster)
    change(cluster, 'db:2')
    await rest(cluster)
    cluster.api.remove(Pod, 'db-0')
    await rest(cluster)
    expect(images(cluster)).toEqual({ 'db-0': 'web:1', 'db-1': 'web:1', 'db-2': 'db:2' })
  })

  it('updates several at a time when it may', async () => {
    await using cluster = start()
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } }
    await cluster.api.client().create(StatefulSet, set(4, { updateStrategy, podManagementPolicy: 'Parallel' }))
    await rest(cluster)
    change(cluster, 'db:2')
    await cluster.settle()
    expect(
      cluster.api
        .all(Pod)
        .filter(pod => pod.metadata.deletionTimestamp)
        .map(pod => pod.metadata.name),
    ).toEqual(['db-2', 'db-3'])
  })

  it('waits for users to delete pods with OnDelete', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(2, { updateStrategy: { type: 'OnDelete' } }))
    await rest(cluster)
    change(cluster, 'db:2')
    await rest(cluster)
    expect(images(cluster)).toEqual({ 'db-0': 'web:1', 'db-1': 'web:1' })
    cluster.api.remove(Pod, 'db-0')
    await rest(cluster)
    expect(images(cluster)).toEqual({ 'db-0': 'db:2', 'db-1': 'web:1' })
  })

  it('gives each pod claims of its own, and keeps or drops them as its policy says', async () => {
    await using cluster = start()
    const volumeClaimTemplates = [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ]
    const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
    await cluster.api.client().create(StatefulSet, set(2, { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy }))
    await rest(cluster)
    const owners = () =>
      cluster.api
        .all(PersistentVolumeClaim)
        .map(({ metadata }) => `${metadata.name} ${metadata.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`)}`)
    expect(owners()).toEqual(['data-db-0 StatefulSet/db', 'data-db-1 StatefulSet/db'])
    expect(cluster.api.find(Pod, 'db-0')!.spec.volumes).toMatchObject([{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }])
    cluster.api.change(StatefulSet, 'db', next => {
      next.spec.replicas = 1
    })
    await cluster.settle()
    expect(owners()).toEqual(['data-db-0 StatefulSet/db', 'data-db-1 Pod/db-1'])
  })

  it('replaces a pod that has failed', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(1))
    await rest(cluster)
    const before = cluster.api.find(Pod, 'db-0')!
    cluster.api.change(Pod, 'db-0', pod => {
      pod.status.phase = 'Failed'
    })
    await rest(cluster)
    expect(cluster.api.find(Pod, 'db-0')!.metadata.uid).not.toBe(before.metadata.uid)
  })

  it('takes away pods that have ended when it is scaled down, though they will never be well', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(3))
    await rest(cluster)
    for (const name of names(cluster))
      cluster.api.change(Pod, name, pod => {
        pod.status.phase = 'Failed'
        pod.status.conditions = []
      })
    cluster.api.change(StatefulSet, 'db', next => {
      next.spec.replicas = 0
    })
    await rest(cluster)
    expect(names(cluster)).toEqual([])
  })

  it('leaves a cluster alone that is as it should be', async () => {
    await using cluster = start()
    await cluster.api.client().create(StatefulSet, set(2))
    await rest(cluster)
    const writes = cluster.api.writes.length
    cluster.api.change(StatefulSet, 'db', next => {
      next.metadata.annotations = { touched: 'yes' }
    })
    await cluster.settle()
    expect(cluster.api.writes.length).toBe(writes)
  })

  it('SAFETY: ordered sets never skip a place and lose one at a time. LIVENESS: every place is taken by the new template', async () => {
    const action = fc.oneof(
      fc.record({ scale: fc.nat({ max: 5 }) }),
      fc.record({ image: fc.constantFrom('db:1', 'db:2') }),
      fc.record({ fail: fc.nat({ max: 5 }) }),
      fc.record({ step: fc.constant(true) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(action, { maxLength: 14 }), async (replicas, actions) => {
        await using cluster = start()
        await cluster.api.client().create(StatefulSet, set(replicas))
        await rest(cluster)
        for (const act of actions) {
          const terminatingBefore = cluster.api.all(Pod).filter(pod => pod.metadata.deletionTimestamp).length
          if ('scale' in act)
            cluster.api.change(StatefulSet, 'db', next => {
              next.spec.replicas = act.scale
            })
          if ('image' in act) change(cluster, act.image)
          if ('fail' in act && cluster.api.find(Pod, `db-${act.fail}`))
            cluster.api.change(Pod, `db-${act.fail}`, pod => {
              pod.status.phase = 'Failed'
              pod.status.conditions = []
            })
          if ('step' in act) kubeletStep(cluster)
          await cluster.settle()
          // SAFETY
          const ordinals = cluster.api.all(Pod).map(pod => Number(pod.metadata.name!.slice(3)))
          expect(new Set(ordinals).size).toBe(ordinals.length)
          const going = cluster.api.all(Pod).filter(pod => pod.metadata.deletionTimestamp).length
          expect(going - terminatingBefore).toBeLessThanOrEqual(1)
        }
        // LIVENESS
        await rest(cluster)
        const { spec } = cluster.api.find(StatefulSet, 'db')!
        expect(names(cluster)).toEqual(Array.from({ length: spec.replicas }, (_, index) => `db-${index}`))
        for (const image of Object.values(images(cluster))) expect(image).toBe(spec.template.spec.containers[0]!.image)
      }),
      { numRuns: 30 },
    )
  }, 30_000)
})
