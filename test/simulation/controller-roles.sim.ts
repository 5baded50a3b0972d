import { describe, expect, it } from 'vitest'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { DeviceClass } from '#kinds/resource/v1/device-class.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceClaimTemplate } from '#kinds/resource/v1/resource-claim-template.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import { startCluster } from '#testing/testing.ts'

/*
 * Controllers of a whole control plane, each as the service account that upstream's role is bound to: what a role does not say fails here.
 */

const meta = (name: string) => ({ name, namespace: 'default' })
const containers = [{ name: 'main', image: 'work' }]

describe('controllers act within the roles that upstream gives them', () => {
  it('persistentvolume-attach-detach-controller attaches for a pod and detaches after it', async () => {
    await using cluster = await startCluster()
    const { client } = cluster
    const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
    await client.patch(Node, { name: 'node-1' }, { type: 'merge', body: { metadata: { annotations } } })
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' }
    await client.create(PersistentVolume, {
      metadata: { name: 'disk' },
      spec: { ...common, capacity: { storage: '1Gi' }, csi: { driver: 'disk.example', volumeHandle: 'h' } },
    } as never)
    await client.create(PersistentVolumeClaim, {
      metadata: meta('data'),
      spec: { ...common, resources: { requests: { storage: '1Gi' } } },
    } as never)
    await client.create(Pod, {
      metadata: meta('web'),
      spec: { containers, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
    } as never)
    const attachments = async () => (await client.list(VolumeAttachment)).items
    await cluster.until(async () => (await attachments()).length === 1)
    const [attachment] = await attachments()
    expect(attachment!.spec).toMatchObject({ attacher: 'disk.example', nodeName: 'node-1', source: { persistentVolumeName: 'disk' } })
    await client.updateStatus(VolumeAttachment, { ...attachment!, status: { attached: true } })
    const attached = async () => (await client.get(Node, { name: 'node-1' })).status.volumesAttached ?? []
    await cluster.until(async () => (await attached()).length === 1)
    await client.delete(Pod, meta('web'), { gracePeriodSeconds: 0 })
    await cluster.until(async () => (await attachments()).length === 0 && (await attached()).length === 0)
  })

  it('resourceclaim-controller and device-taint-eviction-controller see a claim from its template to its end', async () => {
    await using cluster = await startCluster()
    const { client } = cluster
    await client.create(DeviceClass, { metadata: { name: 'gpu' }, spec: {} })
    const pool = { name: 'node-1', generation: 1, resourceSliceCount: 1 }
    await client.create(ResourceSlice, {
      metadata: { name: 's' },
      spec: { driver: 'gpu.example', nodeName: 'node-1', pool, devices: [{ name: 'g0' }] },
    } as never)
    const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } }
    await client.create(ResourceClaimTemplate, { metadata: meta('one-gpu'), spec: { spec } } as never)
    await client.create(Pod, {
      metadata: meta('train'),
      spec: { containers, resourceClaims: [{ name: 'dev', resourceClaimTemplateName: 'one-gpu' }] },
    } as never)
    const claims = async () => (await client.list(ResourceClaim, { namespace: 'default' })).items
    await cluster.until(async () => (await client.get(Pod, meta('train'))).status.phase === 'Running')
    expect((await claims())[0]).toMatchObject({ status: { allocation: {}, reservedFor: [{ name: 'train' }] } })
    const slice = await client.get(ResourceSlice, { name: 's' })
    const devices = [{ name: 'g0', taints: [{ key: 'broken', effect: 'NoExecute' }] }]
    await client.update(ResourceSlice, { ...slice, spec: { ...slice.spec, devices } } as never)
    await cluster.until(async () => (await client.list(Pod, { namespace: 'default' })).items.length === 0)
    await cluster.until(async () => (await claims()).length === 0)
  }, 20_000)

  it('each acts as itself alone: one whose role is taken away can do nothing more, the others go on', async () => {
    await using cluster = await startCluster()
    const { client } = cluster
    await client.delete(ClusterRoleBinding, { name: 'system:controller:replicaset-controller' })
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
    const spec = { replicas: 1, selector: { matchLabels: { app: 'web' } }, template }
    await client.create(Deployment, { metadata: meta('web'), spec } as never)
    await client.create(Job, { metadata: meta('task'), spec: { template: { spec: { restartPolicy: 'Never', containers } } } } as never)
    const made = async (kind: typeof ReplicaSet | typeof Pod) => (await client.list(kind, { namespace: 'default' })).items.length
    // The Deployment's controller makes a set and the Job's a pod; the set's controller may not even say that it has failed.
    await cluster.until(async () => (await made(ReplicaSet)) === 1 && (await made(Pod)) === 1)
    const [set] = (await client.list(ReplicaSet, { namespace: 'default' })).items
    expect(set!.status.observedGeneration ?? 0).toBe(0)
    await client.create(ClusterRoleBinding, {
      metadata: { name: 'system:controller:replicaset-controller' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:controller:replicaset-controller' },
      subjects: [{ kind: 'ServiceAccount', name: 'replicaset-controller', namespace: 'kube-system' }],
    })
    await cluster.until(async () => (await client.get(Deployment, meta('web'))).status.readyReplicas === 1, 20_000)
  }, 40_000)
})
