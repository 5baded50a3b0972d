import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import { persistentVolumeAttachDetachController } from './persistentvolume-attach-detach.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const MANAGED = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
const UNIQUE = 'kubernetes.io/csi/disk.example^h-data'

function node(cluster: TestCluster, name: string, more: object = {}): void {
  cluster.api.put(Node, {
    metadata: { name, annotations: MANAGED },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    ...more,
  })
}

function claim(cluster: TestCluster, name: string, accessModes = ['ReadWriteOnce']): void {
  const { uid } = cluster.api.put(PersistentVolumeClaim, {
    metadata: { name, namespace: 'default' },
    spec: { volumeName: `pv-${name}`, accessModes, resources: { requests: { storage: '1Gi' } } },
    status: { phase: 'Bound' },
  }).metadata
  cluster.api.put(PersistentVolume, {
    metadata: { name: `pv-${name}` },
    spec: {
      accessModes,
      capacity: { storage: '1Gi' },
      csi: { driver: 'disk.example', volumeHandle: `h-${name}` },
      claimRef: { namespace: 'default', name, uid },
    },
  })
}

function pod(cluster: TestCluster, name: string, nodeName: string, claimName = 'data'): void {
  cluster.api.put(Pod, {
    metadata: { name, namespace: 'default' },
    spec: { nodeName, containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] },
    status: { phase: 'Running' },
  })
}

/** What a driver's attacher does: whatever is asked for is attached at once. */
function attachAll({ api }: TestCluster): void {
  for (const { metadata, status } of api.all(VolumeAttachment))
    if (!status.attached)
      api.change(
        VolumeAttachment,
        metadata.name!,
        next => {
          next.status.attached = true
        },
        '',
      )
}

const attachedTo = ({ api }: TestCluster, name: string) => api.find(Node, name, '')?.status.volumesAttached?.map(one => one.name)

async function started(): Promise<TestCluster> {
  const cluster = testCluster([persistentVolumeAttachDetachController])
  node(cluster, 'n1')
  node(cluster, 'n2')
  claim(cluster, 'data')
  pod(cluster, 'web', 'n1')
  await cluster.settle()
  return cluster
}

describe('persistentvolume-attach-detach-controller', () => {
  it('asks for the attachment under the name that every part of Kubernetes computes, and tells the node once it is done', async () => {
    await using cluster = await started()
    const [attachment] = cluster.api.all(VolumeAttachment)
    expect(attachment).toMatchObject({
      // SHA-256 of handle, driver and node.
      metadata: { name: 'csi-ea0b8c44f1a0465b933345ce7bbec73c8caa3900acbd9ac9feecb510bdca8423' },
      spec: { attacher: 'disk.example', nodeName: 'n1', source: { persistentVolumeName: 'pv-data' } },
    })
    expect(attachedTo(cluster, 'n1')).toBeUndefined()
    attachAll(cluster)
    await cluster.advance(10)
    expect(attachedTo(cluster, 'n1')).toEqual([UNIQUE])
    expect(cluster.events()).toContain('SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv-data" ')
  })

  it('detaches when the pod is gone: first the node is told, then the attachment goes', async () => {
    await using cluster = await started()
    attachAll(cluster)
    await cluster.settle()
    cluster.api.remove(Pod, 'web')
    await cluster.settle()
    expect(attachedTo(cluster, 'n1') ?? []).toEqual([])
    expect(cluster.api.all(VolumeAttachment)).toEqual([])
    const verbs = cluster.api.writes.filter(({ kind }) => kind !== 'Event').map(({ verb, kind }) => `${verb} ${kind}`)
    expect(verbs.slice(-2)).toEqual(['patch Node', 'delete VolumeAttachment'])
  })

  it('leaves attached what the kubelet still has mounted', async () => {
    await using cluster = await started()
    attachAll(cluster)
    cluster.api.change(
      Node,
      'n1',
      next => {
        next.status.volumesInUse = [UNIQUE]
      },
      '',
    )
    await cluster.settle()
    cluster.api.remove(Pod, 'web')
    await cluster.advance(20 * 60_000)
    expect(cluster.api.all(VolumeAttachment)).toHaveLength(1)
    expect(attachedTo(cluster, 'n1')).toEqual([UNIQUE])
    cluster.api.change(
      Node,
      'n1',
      next => {
        next.status.volumesInUse = []
      },
      '',
    )
    await cluster.settle()
    expect(cluster.api.all(VolumeAttachment)).toEqual([])
  })

  it.each([
    ['after six minutes when the node is not well', 6 * 60_000, [{ type: 'Ready', status: 'Unknown' }], []],
    [
      'at once when the node is out of service',
      0,
      [{ type: 'Ready', status: 'Unknown' }],
      [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }],
    ],
  ] as const)('takes away what is in use %s', async (_, afterMs, conditions, taints) => {
    await using cluster = await started()
    attachAll(cluster)
    cluster.api.change(
      Node,
      'n1',
      next => {
        next.status.volumesInUse = [UNIQUE]
        next.status.conditions = [...conditions] as never
        next.spec.taints = [...taints] as never
      },
      '',
    )
    await cluster.settle()
    cluster.api.remove(Pod, 'web')
    await cluster.settle()
    if (afterMs > 0) {
      await cluster.advance(afterMs - 1000)
      expect(cluster.api.all(VolumeAttachment)).toHaveLength(1)
      await cluster.advance(2000)
    }
    expect(cluster.api.all(VolumeAttachment)).toEqual([])
  })

  it('gives a volume for one node to another only when the first has let go', async () => {
    await using cluster = await started()
    attachAll(cluster)
    pod(cluster, 'other', 'n2')
    await cluster.advance(10)
    expect(cluster.api.all(VolumeAttachment).map(({ spec }) => spec.nodeName)).toEqual(['n1'])
    expect(cluster.events()).toContain('FailedAttachVolume: Multi-Attach error for volume "pv-data" Volume is already used by pod(s) web')
    cluster.api.remove(Pod, 'web')
    await cluster.settle()
    expect(cluster.api.all(VolumeAttachment).map(({ spec }) => spec.nodeName)).toEqual(['n2'])
  })

  it('attaches nothing of a driver that needs no attaching, of pods that have ended, or for a kubelet that does it itself', async () => {
    await using cluster = testCluster([persistentVolumeAttachDetachController])
    cluster.api.put(CSIDriver, { metadata: { name: 'disk.example' }, spec: { attachRequired: false } })
    node(cluster, 'n1')
    cluster.api.put(Node, { metadata: { name: 'own' } })
    claim(cluster, 'data')
    pod(cluster, 'web', 'n1')
    await cluster.settle()
    cluster.api.remove(CSIDriver, 'disk.example', '')
    cluster.api.change(Pod, 'web', next => {
      next.status.phase = 'Succeeded'
    })
    pod(cluster, 'lone', 'own')
    await cluster.settle()
    expect(cluster.api.all(VolumeAttachment)).toEqual([])
  })

  it('detaches from a node that is gone after six minutes', async () => {
    await using cluster = await started()
    attachAll(cluster)
    await cluster.settle()
    cluster.api.remove(Node, 'n1', '')
    cluster.api.remove(Pod, 'web')
    await cluster.advance(5 * 60_000)
    expect(cluster.api.all(VolumeAttachment)).toHaveLength(1)
    await cluster.advance(2 * 60_000)
    expect(cluster.api.all(VolumeAttachment)).toEqual([])
  })

  it('leaves attachments that somebody else has made', async () => {
    await using cluster = await started()
    cluster.api.put(VolumeAttachment, {
      metadata: { name: 'by-hand' },
      spec: { attacher: 'disk.example', nodeName: 'n1', source: { persistentVolumeName: 'pv-data' } },
    })
    cluster.api.remove(Pod, 'web')
    await cluster.settle()
    expect(cluster.api.all(VolumeAttachment).map(({ metadata }) => metadata.name)).toEqual(['by-hand'])
  })
})
