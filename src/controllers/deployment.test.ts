import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { isActive, isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { rolloutBounds } from './deployment.plan.ts'
import { deploymentController } from './deployment.ts'
import { replicaSetController } from './replicaset.ts'
import { deployment, kubeletStep, markReady } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const start = () => testCluster([deploymentController, replicaSetController])

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

const conditionOf = (cluster: TestCluster, type: string) =>
  cluster.api.find(Deployment, 'web')!.status.conditions?.find(condition => condition.type === type)

const setImage = (cluster: TestCluster, image: string) =>
  cluster.api.change(Deployment, 'web', next => {
    next.spec.template.spec.containers[0]!.image = image
  })

describe('deployment-controller', () => {
  it('makes a set of the template, notes the revision and reports progress', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 3))
    await cluster.settle()
    const [set] = cluster.api.all(ReplicaSet)
    expect(set!.metadata.name).toMatch(/^web-[a-z0-9]{4,10}$/)
    expect(set!.metadata.annotations).toEqual({
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    })
    expect(set!.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': set!.metadata.labels!['pod-template-hash'] })
    expect(cluster.events()).toContain(`ScalingReplicaSet: Scaled up replica set ${set!.metadata.name} from 0 to 3`)
    expect(conditionOf(cluster, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
    await rest(cluster)
    const done = cluster.api.find(Deployment, 'web')!
    expect(done.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' })
    expect(done.status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 })
    expect(conditionOf(cluster, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${set!.metadata.name}" has successfully progressed.`,
    })
    expect(conditionOf(cluster, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' })
  })

  it('rolls a new template out and keeps the old set at zero', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 4))
    await rest(cluster)
    setImage(cluster, 'web:2')
    await rest(cluster)
    expect(cluster.api.all(ReplicaSet).map(set => set.spec.replicas)).toEqual([0, 4])
    expect(cluster.api.all(Pod).map(pod => pod.spec.containers[0]!.image)).toEqual(['web:2', 'web:2', 'web:2', 'web:2'])
    expect(cluster.api.find(Deployment, 'web')!.metadata.annotations!['deployment.kubernetes.io/revision']).toBe('2')
  })

  it('goes back to a former template under a new revision, with the same set', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 2))
    await rest(cluster)
    const [first] = cluster.api.all(ReplicaSet)
    setImage(cluster, 'web:2')
    await rest(cluster)
    setImage(cluster, 'web:1')
    await rest(cluster)
    const again = cluster.api.find(ReplicaSet, first!.metadata.name!)!
    expect(again.spec.replicas).toBe(2)
    expect(again.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    })
    expect(cluster.api.all(ReplicaSet)).toHaveLength(2)
  })

  it('with Recreate starts no new pod before the last old one is gone', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 2, { strategy: { type: 'Recreate' } }))
    await rest(cluster)
    setImage(cluster, 'web:2')
    await cluster.settle()
    expect(cluster.api.all(Pod).every(pod => pod.metadata.deletionTimestamp && pod.spec.containers[0]!.image === 'web:1')).toBe(true)
    await rest(cluster)
    expect(cluster.api.all(Pod).map(pod => pod.spec.containers[0]!.image)).toEqual(['web:2', 'web:2'])
  })

  it('says that a rollout has timed out, and goes on when it can', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 1, { progressDeadlineSeconds: 60 }))
    await cluster.advance(55_000)
    expect(conditionOf(cluster, 'Progressing')).toMatchObject({ status: 'True' })
    await cluster.advance(10_000)
    expect(conditionOf(cluster, 'Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
    await rest(cluster)
    expect(conditionOf(cluster, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
  })

  it('while paused scales but does not roll out', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 2))
    await rest(cluster)
    cluster.api.change(Deployment, 'web', next => {
      next.spec.paused = true
      next.spec.replicas = 3
      next.spec.template.spec.containers[0]!.image = 'web:2'
    })
    await rest(cluster)
    expect(cluster.api.all(Pod).map(pod => pod.spec.containers[0]!.image)).toEqual(['web:1', 'web:1', 'web:1'])
    expect(conditionOf(cluster, 'Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' })
  })

  it('shares a scaling in the middle of a rollout between the sets in proportion', async () => {
    await using cluster = start()
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
    await cluster.api.client().create(Deployment, deployment('web', 10, { strategy }))
    await rest(cluster)
    setImage(cluster, 'web:2')
    await cluster.settle()
    expect(cluster.api.all(ReplicaSet).map(set => set.spec.replicas)).toEqual([8, 5])
    cluster.api.change(Deployment, 'web', next => {
      next.spec.replicas = 15
    })
    await cluster.settle()
    expect(cluster.api.all(ReplicaSet).map(set => set.spec.replicas)).toEqual([11, 7])
  })

  it('keeps no more old sets than the history may hold', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 1, { revisionHistoryLimit: 2 }))
    await rest(cluster)
    for (const image of ['web:2', 'web:3', 'web:4', 'web:5']) {
      setImage(cluster, image)
      await rest(cluster)
    }
    const images = cluster.api.all(ReplicaSet).map(set => set.spec.template.spec.containers[0]!.image)
    expect(images.sort()).toEqual(['web:3', 'web:4', 'web:5'])
  })

  it('takes another hash when a foreign set has its name', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 1))
    await cluster.settle()
    const [set] = cluster.api.all(ReplicaSet)
    cluster.api.remove(Deployment, 'web')
    cluster.api.change(ReplicaSet, set!.metadata.name!, next => {
      next.metadata.ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other', uid: 'other', controller: true }]
    })
    await cluster.settle()
    await cluster.api.client().create(Deployment, deployment('web', 1))
    await cluster.advance(1000)
    expect(cluster.api.all(ReplicaSet)).toHaveLength(2)
    expect(cluster.api.find(Deployment, 'web')!.status.collisionCount).toBe(1)
  })

  it('does not touch a cluster that is as it should be', async () => {
    await using cluster = start()
    await cluster.api.client().create(Deployment, deployment('web', 2))
    await rest(cluster)
    const writes = cluster.api.writes.length
    await cluster.advance(3600_000)
    expect(cluster.api.writes.length).toBe(writes)
  })
})

describe('any rollout', () => {
  const percentOrNumber = fc.oneof(fc.nat({ max: 5 }), fc.constantFrom('0%', '10%', '25%', '50%', '100%'))
  const action = fc.oneof(
    fc.record({ scale: fc.nat({ max: 8 }) }),
    fc.record({ image: fc.constantFrom('web:1', 'web:2', 'web:3') }),
    fc.record({ ready: fc.nat({ max: 12 }) }),
    fc.record({ unready: fc.nat({ max: 12 }) }),
    fc.record({ gone: fc.nat({ max: 12 }) }),
    fc.constant({ settle: true }),
  )

  it('SAFETY: stays within maxSurge and maxUnavailable. LIVENESS: ends with every pod of the new template', async () => {
    const surge = fc.tuple(percentOrNumber, percentOrNumber).filter(([a, b]) => a !== 0 || b !== 0)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), surge, fc.array(action, { maxLength: 15 }), async (replicas, bounds, actions) => {
        await using cluster = start()
        const [maxSurge, maxUnavailable] = bounds
        const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
        await cluster.api.client().create(Deployment, deployment('web', replicas, { strategy }))
        await rest(cluster)
        let isScaled = false
        for (const step of actions) {
          const pods = cluster.api.all(Pod)
          const pick = (index: number) => pods[index % Math.max(1, pods.length)]
          if ('image' in step) setImage(cluster, step.image)
          if ('scale' in step) {
            isScaled = true
            cluster.api.change(Deployment, 'web', next => {
              next.spec.replicas = step.scale
            })
          }
          if ('ready' in step && pick(step.ready)) markReady(cluster, pick(step.ready)!)
          if ('unready' in step && pick(step.unready)?.spec.nodeName) markReady(cluster, pick(step.unready)!, false)
          if ('gone' in step && pick(step.gone)?.metadata.deletionTimestamp) cluster.api.remove(Pod, pick(step.gone)!.metadata.name!)
          const readyBefore = cluster.api.all(Pod).filter(pod => isActive(pod) && isReady(pod)).length
          await cluster.settle()
          const now = cluster.api.find(Deployment, 'web')!
          const limit = rolloutBounds(now)
          const active = cluster.api.all(Pod).filter(isActive)
          // SAFETY: never more pods than surge allows; what was available is only given up as far as it may be missing.
          if (!isScaled) {
            expect(active.length).toBeLessThanOrEqual(now.spec.replicas + limit.maxSurge)
            const ready = active.filter(isReady).length
            expect(ready).toBeGreaterThanOrEqual(Math.min(readyBefore, now.spec.replicas - limit.maxUnavailable))
          }
        }
        // LIVENESS: once the kubelets do their work, the rollout ends.
        await rest(cluster)
        const { spec, status } = cluster.api.find(Deployment, 'web')!
        const images = cluster.api.all(Pod).map(pod => pod.spec.containers[0]!.image)
        expect(images).toEqual(Array(spec.replicas).fill(spec.template.spec.containers[0]!.image))
        expect(status.updatedReplicas ?? 0).toBe(spec.replicas)
        expect(status.unavailableReplicas ?? 0).toBe(0)
      }),
      { numRuns: 25 },
    )
  }, 30_000)
})
