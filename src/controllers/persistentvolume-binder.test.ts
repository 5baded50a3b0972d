import { describe, expect, it } from 'vitest'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { endpointSliceMirroringController } from './endpointslice-mirroring.ts'
import { ephemeralVolumeController } from './ephemeral-volume.ts'
import { persistentVolumeBinderController } from './persistentvolume-binder.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { ttlController } from './ttl.ts'

const volume = (name: string, size: string, more: object = {}) => ({
  metadata: { name },
  spec: {
    capacity: { storage: size },
    accessModes: ['ReadWriteOnce'],
    hostPath: { path: '/tmp/x' },
    persistentVolumeReclaimPolicy: 'Retain',
    ...more,
  },
})
const claim = (name: string, size: string, more: object = {}) => ({
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, storageClassName: '', ...more },
})
const claimOf = (cluster: TestCluster, name: string) => cluster.api.find(PersistentVolumeClaim, name)!
const volumeOf = (cluster: TestCluster, name: string) => cluster.api.find(PersistentVolume, name, '')!
const start = () => testCluster([persistentVolumeBinderController])

describe('persistentvolume-binder-controller', () => {
  it('binds a claim to the smallest volume that is large enough', async () => {
    await using cluster = start()
    for (const [name, size] of [
      ['small', '1Gi'],
      ['large', '10Gi'],
      ['right', '5Gi'],
    ] as const)
      cluster.api.put(PersistentVolume, volume(name, size))
    await cluster.api.client().create(PersistentVolumeClaim, claim('data', '4Gi'))
    await cluster.settle()
    expect(claimOf(cluster, 'data')).toMatchObject({
      metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' } },
      spec: { volumeName: 'right' },
      status: { phase: 'Bound', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'] },
    })
    expect(volumeOf(cluster, 'right')).toMatchObject({ spec: { claimRef: { name: 'data' } }, status: { phase: 'Bound' } })
    expect(volumeOf(cluster, 'small').status.phase).toBe('Available')
  })

  it('never gives two claims the same volume', async () => {
    await using cluster = start()
    await cluster.settle()
    await cluster.api.client().create(PersistentVolumeClaim, claim('a', '1Gi'))
    await cluster.api.client().create(PersistentVolumeClaim, claim('b', '1Gi'))
    cluster.api.put(PersistentVolume, volume('only', '1Gi'))
    await cluster.advance(1000)
    const phases = ['a', 'b'].map(name => claimOf(cluster, name).status.phase).sort()
    expect(phases).toEqual(['Bound', 'Pending'])
  })

  it('waits for a volume to come, and says so', async () => {
    await using cluster = start()
    await cluster.api.client().create(PersistentVolumeClaim, claim('data', '1Gi'))
    await cluster.settle()
    expect(claimOf(cluster, 'data').status.phase).toBe('Pending')
    expect(cluster.events().join()).toContain('FailedBinding: no persistent volumes available for this claim and no storage class is set')
    cluster.api.put(PersistentVolume, volume('late', '1Gi'))
    await cluster.settle()
    expect(claimOf(cluster, 'data').status.phase).toBe('Bound')
  })

  it('hands the claim over to the provisioner of its class, once a pod needs it if the class waits for that', async () => {
    await using cluster = start()
    cluster.api.put(StorageClass, {
      metadata: { name: 'fast' },
      provisioner: 'example.com/disks',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    await cluster.api.client().create(PersistentVolumeClaim, claim('data', '1Gi', { storageClassName: 'fast' }))
    await cluster.settle()
    expect(claimOf(cluster, 'data').metadata.annotations).toBeUndefined()
    cluster.api.change(PersistentVolumeClaim, 'data', next => {
      next.metadata.annotations = { 'volume.kubernetes.io/selected-node': 'n1' }
    })
    await cluster.settle()
    expect(claimOf(cluster, 'data').metadata.annotations).toMatchObject({ 'volume.kubernetes.io/storage-provisioner': 'example.com/disks' })
    const { uid } = claimOf(cluster, 'data').metadata
    cluster.api.put(
      PersistentVolume,
      volume('made', '1Gi', { storageClassName: 'fast', claimRef: { namespace: 'default', name: 'data', uid } }),
    )
    await cluster.settle()
    expect(claimOf(cluster, 'data')).toMatchObject({ spec: { volumeName: 'made' }, status: { phase: 'Bound' } })
  })

  it('takes a volume back when its claim is gone', async () => {
    await using cluster = start()
    cluster.api.put(PersistentVolume, volume('kept', '1Gi'))
    await cluster.api.client().create(PersistentVolumeClaim, claim('data', '1Gi'))
    await cluster.settle()
    cluster.api.remove(PersistentVolumeClaim, 'data')
    await cluster.settle()
    expect(volumeOf(cluster, 'kept').status.phase).toBe('Released')
    await cluster.api.client().create(PersistentVolumeClaim, claim('data', '1Gi'))
    await cluster.settle()
    expect(claimOf(cluster, 'data').status.phase).toBe('Pending')
  })

  it('says that a claim has lost its volume', async () => {
    await using cluster = start()
    cluster.api.put(PersistentVolume, volume('disk', '1Gi'))
    await cluster.api.client().create(PersistentVolumeClaim, claim('data', '1Gi'))
    await cluster.settle()
    cluster.api.remove(PersistentVolume, 'disk', '')
    await cluster.settle()
    expect(claimOf(cluster, 'data').status.phase).toBe('Lost')
    expect(cluster.events().join()).toContain('ClaimLost')
  })

  it('goes on after any write whose answer was lost', async () => {
    for (let nth = 0; nth < 4; nth++) {
      await using cluster = start()
      let count = 0
      cluster.api.faults = {
        after({ kind }) {
          if (kind !== 'Event' && count++ === nth) throw new Error('connection lost')
        },
      }
      cluster.api.put(PersistentVolume, volume('disk', '1Gi'))
      cluster.api.put(PersistentVolumeClaim, claim('data', '1Gi'))
      await cluster.advance(5_000)
      expect(claimOf(cluster, 'data').status.phase).toBe('Bound')
      expect(volumeOf(cluster, 'disk').status.phase).toBe('Bound')
    }
  })
})

describe('ephemeral-volume-controller', () => {
  it('makes the claim of a pod’s own volume', async () => {
    await using cluster = testCluster([ephemeralVolumeController])
    const volumeClaimTemplate = {
      metadata: { labels: { a: 'b' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }
    cluster.api.put(Pod, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { containers: [], volumes: [{ name: 'tmp', ephemeral: { volumeClaimTemplate } }] },
    })
    await cluster.settle()
    expect(claimOf(cluster, 'web-tmp').metadata).toMatchObject({
      labels: { a: 'b' },
      ownerReferences: [{ kind: 'Pod', name: 'web', controller: true }],
    })
  })
})

describe('endpointslice-mirroring-controller', () => {
  it('shows endpoints written by hand as slices', async () => {
    await using cluster = testCluster([endpointSliceMirroringController])
    cluster.api.put(Service, { metadata: { name: 'db', namespace: 'default' }, spec: { ports: [{ port: 5432 }] } })
    const subsets = [{ addresses: [{ ip: '192.0.2.1' }], notReadyAddresses: [{ ip: '192.0.2.2' }], ports: [{ port: 5432 }] }]
    await cluster.api.client().create(Endpoints, { metadata: { name: 'db', namespace: 'default' }, subsets })
    await cluster.settle()
    const [slice] = cluster.api.all(EndpointSlice)
    expect(slice!.endpoints!.map(({ addresses, conditions }) => [addresses![0], conditions.ready])).toEqual([
      ['192.0.2.1', true],
      ['192.0.2.2', false],
    ])
    expect(slice!.metadata.labels).toMatchObject({ 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' })
    cluster.api.change(Service, 'db', next => {
      next.spec.selector = { app: 'db' }
    })
    await cluster.settle()
    expect(cluster.api.all(EndpointSlice)).toEqual([])
  })
})

describe('ttl-controller', () => {
  it('annotates nodes by the size of the cluster', async () => {
    await using cluster = testCluster([ttlController])
    await cluster.api.client().create(Node, { metadata: { name: 'n' } })
    await cluster.settle()
    expect(cluster.api.find(Node, 'n', '')!.metadata.annotations).toEqual({ 'node.alpha.kubernetes.io/ttl': '0' })
  })
})
