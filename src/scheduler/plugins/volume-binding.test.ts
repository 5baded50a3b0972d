import { describe, expect, it } from 'vitest'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { CSINode } from '#kinds/storage/v1/csi-node.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { cluster, node, pod } from '../scheduler.fixture.ts'

const using = (...claims: string[]) => ({ volumes: claims.map(claimName => ({ name: claimName, persistentVolumeClaim: { claimName } })) })
const claim = (name: string, more: { class?: string; bound?: string; modes?: string[]; annotations?: object } = {}) =>
  [
    PersistentVolumeClaim,
    {
      metadata: {
        name,
        namespace: 'a',
        uid: `uid-${name}`,
        annotations: { ...(more.bound ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {}), ...more.annotations },
      },
      spec: {
        accessModes: more.modes ?? ['ReadWriteOnce'],
        storageClassName: more.class ?? 'late',
        resources: { requests: { storage: '5Gi' } },
        ...(more.bound ? { volumeName: more.bound } : {}),
      },
      status: { phase: more.bound ? 'Bound' : 'Pending' },
    },
  ] as const
const volume = (name: string, more: { node?: string; size?: string; labels?: object; class?: string; handle?: string } = {}) =>
  [
    PersistentVolume,
    {
      metadata: { name, uid: `uid-${name}`, labels: more.labels ?? {} },
      spec: {
        capacity: { storage: more.size ?? '10Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: more.class ?? 'late',
        ...(more.handle ? { csi: { driver: 'disk.csi', volumeHandle: more.handle } } : { local: { path: '/mnt' } }),
        ...(more.node
          ? {
              nodeAffinity: {
                required: {
                  nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [more.node] }] }],
                },
              },
            }
          : {}),
      },
      status: { phase: 'Available' },
    },
  ] as const
const storageClass = (name: string, volumeBindingMode: string, provisioner = 'kubernetes.io/no-provisioner', more: object = {}) =>
  [StorageClass, { metadata: { name }, provisioner, volumeBindingMode, ...more }] as const

describe('a pod with claims', () => {
  it('goes where its bound volume can be reached', async () => {
    await using one = await cluster([node('n1'), node('n2')], [pod('p', using('c'))], {
      objects: [claim('c', { bound: 'v' }), volume('v', { node: 'n2' })],
    })
    expect(one.nodeOf('p')).toBe('n2')
  })

  it('says why it cannot be placed yet', async () => {
    const objects = [
      claim('now', { class: 'immediate' }),
      claim('late'),
      storageClass('immediate', 'Immediate'),
      storageClass('late', 'WaitForFirstConsumer'),
    ]
    await using one = await cluster([node('n1')], [pod('p1', using('missing')), pod('p2', using('now')), pod('p3', using('late'))], {
      objects,
    })
    expect(one.events.join('\n')).toContain('0/1 nodes are available: persistentvolumeclaim "missing" not found.')
    expect(one.events.join('\n')).toContain('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.')
    expect(one.events.join('\n')).toContain("0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.")
  })

  it('takes the smallest volume of a node for a claim that waited, and is bound once the claim is', async () => {
    await using one = await cluster([node('n1'), node('n2')], [pod('p', using('c'))], {
      objects: [
        claim('c'),
        storageClass('late', 'WaitForFirstConsumer'),
        volume('small', { size: '1Gi' }),
        volume('big', { node: 'n2', size: '99Gi' }),
        volume('fits', { node: 'n2' }),
      ],
    })
    expect(one.find<{ spec: { claimRef?: object } }>('fits', PersistentVolume).spec.claimRef).toMatchObject({
      name: 'c',
      namespace: 'a',
      uid: 'uid-c',
    })
    expect(one.nodeOf('p')).toBeUndefined()
    one.store(PersistentVolumeClaim, claim('c', { bound: 'fits' })[1], 'MODIFIED')
    await one.clock.advance(0)
    expect(one.nodeOf('p')).toBe('n2')
  })

  it('gives one volume to one claim', async () => {
    await using one = await cluster([node('n1')], [pod('p1', using('c1')), pod('p2', using('c2'))], {
      objects: [claim('c1'), claim('c2'), storageClass('late', 'WaitForFirstConsumer'), volume('v')],
    })
    const refused = one.events.filter(event => event.includes("didn't find available persistent volumes"))
    expect(new Set(refused).size).toBe(1)
    expect(['p1', 'p2'].filter(name => one.find(name).status.conditions?.[0]?.reason === 'Unschedulable')).toHaveLength(1)
  })

  it('names its node to the provisioner where the class allows it', async () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['b'] }] }]
    await using one = await cluster(
      [node('n1', { labels: { zone: 'a' } }), node('n2', { labels: { zone: 'b' } })],
      [pod('p', using('c'))],
      {
        objects: [claim('c'), storageClass('late', 'WaitForFirstConsumer', 'disk.csi', { allowedTopologies })],
      },
    )
    const annotations = one.find<{ metadata: { annotations: object } }>('c', PersistentVolumeClaim).metadata.annotations
    expect(annotations).toEqual({ 'volume.kubernetes.io/selected-node': 'n2' })
    one.store(PersistentVolume, volume('made', { node: 'n2' })[1], 'ADDED')
    one.store(PersistentVolumeClaim, claim('c', { bound: 'made', annotations })[1], 'MODIFIED')
    await one.clock.advance(0)
    expect(one.nodeOf('p')).toBe('n2')
  })

  it('is tried again when its provisioner gives the node up', async () => {
    await using one = await cluster([node('n1')], [pod('p', using('c'))], {
      objects: [claim('c'), storageClass('late', 'WaitForFirstConsumer', 'disk.csi')],
    })
    one.store(PersistentVolumeClaim, claim('c')[1], 'MODIFIED')
    await one.clock.advance(2_000)
    const annotations = one.find<{ metadata: { annotations: object } }>('c', PersistentVolumeClaim).metadata.annotations
    expect(annotations).toEqual({ 'volume.kubernetes.io/selected-node': 'n1' })
  })

  it('is tried again when its volumes take too long', async () => {
    await using one = await cluster([node('n1')], [pod('p', using('c'))], {
      objects: [claim('c'), storageClass('late', 'WaitForFirstConsumer', 'disk.csi')],
    })
    await one.clock.advance(600_000)
    one.store(Pod, one.find('p'), 'DELETED')
    await one.clock.advance(20_000)
    expect(one.nodeOf('p')).toBeUndefined()
  })
})

describe('volumes', () => {
  it('of ReadWriteOncePod have one pod', async () => {
    await using one = await cluster([node('n1'), node('n2')], [pod('p1', { ...using('c'), nodeName: 'n1' }), pod('p2', using('c'))], {
      objects: [claim('c', { bound: 'v', modes: ['ReadWriteOncePod'] }), volume('v')],
    })
    const reason = '2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'
    expect(one.events.join('\n')).toContain(reason)
    one.store(Pod, one.find('p1'), 'DELETED')
    await one.clock.advance(1_000)
    expect(one.nodeOf('p2')).toBeDefined()
  })

  it('of a cloud disk do not meet on a node', async () => {
    const disk = { volumes: [{ name: 'd', awsElasticBlockStore: { volumeID: 'vol-1' } }] }
    await using one = await cluster([node('n1')], [pod('p1', { ...disk, nodeName: 'n1' }), pod('p2', disk)])
    expect(one.events.join('\n')).toContain('1 node(s) had no available disk')
  })

  it('keep a pod in their zone', async () => {
    const zone = 'topology.kubernetes.io/zone'
    await using one = await cluster(
      [node('n1', { labels: { [zone]: 'a' } }), node('n2', { labels: { [zone]: 'b' } })],
      [pod('p', using('c'))],
      {
        objects: [claim('c', { bound: 'v' }), volume('v', { labels: { [zone]: 'b__c' } })],
      },
    )
    expect(one.nodeOf('p')).toBe('n2')
  })

  it('are as many as the CSI driver can attach', async () => {
    const csiNode = [
      CSINode,
      { metadata: { name: 'n1' }, spec: { drivers: [{ name: 'disk.csi', nodeID: 'n1', topologyKeys: [], allocatable: { count: 1 } }] } },
    ] as const
    await using one = await cluster(
      [node('n1')],
      [pod('p1', { ...using('c1'), nodeName: 'n1' }), pod('p2', using('c2')), pod('p3', using('c1'))],
      {
        objects: [
          csiNode,
          claim('c1', { bound: 'v1' }),
          claim('c2', { bound: 'v2' }),
          volume('v1', { handle: 'h1' }),
          volume('v2', { handle: 'h2' }),
        ],
      },
    )
    expect(one.events.join('\n')).toContain('1 node(s) exceed max volume count')
    expect(one.nodeOf('p3')).toBe('n1')
  })
})
