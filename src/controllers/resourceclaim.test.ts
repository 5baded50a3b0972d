import { describe, expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceClaimTemplate } from '#kinds/resource/v1/resource-claim-template.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { timeOf } from '#machinery/time/time.ts'
import { deviceTaintEvictionController } from './device-taint-eviction.ts'
import { FINALIZER } from './resourceclaim.plan.ts'
import { resourceClaimController } from './resourceclaim.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more })
const request = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } }
const allocation = { devices: { results: [{ request: 'gpu', driver: 'gpu.example', pool: 'n1', device: 'g0' }] } }

function template({ api }: TestCluster): void {
  api.put(ResourceClaimTemplate, { metadata: meta('one-gpu'), spec: { metadata: { labels: { size: 'l' } }, spec: request } })
}

const fromTemplate = { resourceClaims: [{ name: 'dev', resourceClaimTemplateName: 'one-gpu' }], containers: [] }
const named = (name: string) => ({ resourceClaims: [{ name: 'dev', resourceClaimName: name }], containers: [] })

function reserve({ api }: TestCluster, claim: string, pod: string): void {
  const { uid = '' } = api.find(Pod, pod)!.metadata
  api.change(ResourceClaim, claim, next => {
    next.metadata.finalizers = [FINALIZER]
    next.status.allocation = structuredClone(allocation) as never
    next.status.reservedFor = [...(next.status.reservedFor ?? []), { resource: 'pods', name: pod, uid }]
  })
}

describe('resourceclaim-controller', () => {
  it("makes a pod's claim from its template, and says in the pod's status which it is", async () => {
    await using cluster = testCluster([resourceClaimController])
    template(cluster)
    const pod = cluster.api.put(Pod, { metadata: meta('web'), spec: fromTemplate })
    await cluster.settle()
    const [claim] = cluster.api.all(ResourceClaim)
    expect(claim!.metadata.name).toMatch(/^web-dev-/)
    expect(claim).toMatchObject({
      metadata: {
        labels: { size: 'l' },
        annotations: { 'resource.kubernetes.io/pod-claim-name': 'dev' },
        ownerReferences: [{ kind: 'Pod', uid: pod.metadata.uid, controller: true }],
      },
      spec: request,
    })
    expect(cluster.api.find(Pod, 'web')!.status.resourceClaimStatuses).toEqual([{ name: 'dev', resourceClaimName: claim!.metadata.name }])
  })

  it('tells why it cannot, and does it once the template is there', async () => {
    await using cluster = testCluster([resourceClaimController])
    cluster.api.put(Pod, { metadata: meta('web'), spec: fromTemplate })
    await cluster.advance(10)
    expect(cluster.events()).toContain(
      'FailedResourceClaimCreation: PodResourceClaim dev: resource claim template "one-gpu": resourceclaimtemplate.resource.k8s.io "one-gpu" not found',
    )
    template(cluster)
    await cluster.settle()
    expect(cluster.api.all(ResourceClaim)).toHaveLength(1)
  })

  it.each(['removed', 'ended'])('gives back what a pod held that was %s', async what => {
    await using cluster = testCluster([resourceClaimController])
    cluster.api.put(ResourceClaim, { metadata: meta('shared'), spec: request })
    for (const name of ['a', 'b']) {
      cluster.api.put(Pod, { metadata: meta(name), spec: { ...named('shared'), nodeName: 'n1' }, status: { phase: 'Running' } })
      reserve(cluster, 'shared', name)
    }
    const end = (name: string) => {
      if (what === 'removed') cluster.api.remove(Pod, name)
      else
        cluster.api.change(Pod, name, next => {
          next.status.phase = 'Succeeded'
        })
    }
    end('a')
    await cluster.settle()
    expect(cluster.api.find(ResourceClaim, 'shared')!.status).toMatchObject({ allocation, reservedFor: [{ name: 'b' }] })
    end('b')
    await cluster.settle()
    const claim = cluster.api.find(ResourceClaim, 'shared')!
    expect(claim.status).toEqual({})
    expect(claim.metadata.finalizers ?? []).toEqual([])
  })

  it('leaves the finalizer of a claim that is about to be allocated', async () => {
    await using cluster = testCluster([resourceClaimController])
    cluster.api.put(ResourceClaim, { metadata: meta('new', { finalizers: [FINALIZER] }), spec: request })
    await cluster.settle()
    expect(cluster.api.find(ResourceClaim, 'new')!.metadata.finalizers).toEqual([FINALIZER])
    await cluster.api.client().delete(ResourceClaim, meta('new'))
    await cluster.settle()
    expect(cluster.api.all(ResourceClaim)).toEqual([])
  })

  it('deletes the claim that was made for a pod once that pod has ended', async () => {
    await using cluster = testCluster([resourceClaimController])
    template(cluster)
    cluster.api.put(Pod, { metadata: meta('web'), spec: fromTemplate, status: { phase: 'Running' } })
    await cluster.settle()
    cluster.api.change(Pod, 'web', next => {
      next.status.phase = 'Succeeded'
    })
    await cluster.settle()
    expect(cluster.api.all(ResourceClaim)).toEqual([])
  })

  it('reserves an allocated claim for a pod that has a node without the scheduler', async () => {
    await using cluster = testCluster([resourceClaimController])
    cluster.api.put(ResourceClaim, { metadata: meta('mine'), spec: request, status: { allocation } })
    const pod = cluster.api.put(Pod, { metadata: meta('static'), spec: { ...named('mine'), nodeName: 'n1' }, status: { phase: 'Pending' } })
    await cluster.settle()
    expect(cluster.api.find(ResourceClaim, 'mine')!.status.reservedFor).toEqual([
      { resource: 'pods', name: 'static', uid: pod.metadata.uid },
    ])
  })
})

describe('device-taint-eviction-controller', () => {
  async function used(tolerations: readonly object[]): Promise<TestCluster> {
    const cluster = testCluster([deviceTaintEvictionController])
    slice(cluster, [])
    cluster.api.put(Pod, { metadata: meta('web'), spec: { ...named('mine'), nodeName: 'n1' }, status: { phase: 'Running' } })
    cluster.api.put(ResourceClaim, { metadata: meta('mine'), spec: request })
    reserve(cluster, 'mine', 'web')
    cluster.api.change(ResourceClaim, 'mine', next => {
      next.status.allocation!.devices.results![0]!.tolerations = tolerations as never
    })
    await cluster.settle()
    return cluster
  }

  function slice({ api }: TestCluster, taints: readonly object[]): void {
    if (api.find(ResourceSlice, 's', '')) api.remove(ResourceSlice, 's', '')
    const pool = { name: 'n1', generation: 1, resourceSliceCount: 1 }
    api.put(ResourceSlice, { metadata: { name: 's' }, spec: { driver: 'gpu.example', pool, devices: [{ name: 'g0', taints }] } })
  }

  const isLeaving = ({ api }: TestCluster) => api.find(Pod, 'web')?.metadata.deletionTimestamp !== undefined

  it('deletes the pods of a device that is tainted, and says so', async () => {
    await using cluster = await used([])
    expect(isLeaving(cluster)).toBe(false)
    slice(cluster, [{ key: 'broken', effect: 'NoExecute', timeAdded: timeOf(cluster.clock.now()) }])
    await cluster.advance(10)
    expect(isLeaving(cluster)).toBe(true)
    expect(cluster.api.find(Pod, 'web')!.status.conditions).toMatchObject([
      { type: 'DisruptionTarget', reason: 'DeletionByDeviceTaintManager' },
    ])
    expect(cluster.events()).toEqual(['DeviceTaintManagerEviction: Marking for deletion Pod default/web'])
  })

  it('waits as long as the claim tolerates it, and lets be what it tolerates for ever or what only keeps new pods away', async () => {
    await using cluster = await used([
      { key: 'hot', operator: 'Exists', tolerationSeconds: 60 },
      { key: 'old', operator: 'Exists' },
    ])
    const timeAdded = timeOf(cluster.clock.now())
    slice(cluster, [
      { key: 'old', effect: 'NoExecute', timeAdded },
      { key: 'full', effect: 'NoSchedule', timeAdded },
    ])
    await cluster.advance(600_000)
    expect(isLeaving(cluster)).toBe(false)
    slice(cluster, [{ key: 'hot', effect: 'NoExecute', timeAdded: timeOf(cluster.clock.now()) }])
    await cluster.advance(58_000)
    expect(isLeaving(cluster)).toBe(false)
    await cluster.advance(3_000)
    expect(isLeaving(cluster)).toBe(true)
  })
})
