import { describe, expect, it } from 'vitest'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { testCluster } from './runtime/test-cluster.ts'
import { conflictsOf, planUse, type VolumeUse } from './selinux-warning.plan.ts'
import { seLinuxWarningController } from './selinux-warning.ts'

const mount = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }
const pod = (spec: object) => ({ metadata: { namespace: 'ns', name: 'p' }, spec: { containers: [mount], ...spec } }) as unknown as Pod
const level = (text: string) => ({ seLinuxOptions: { level: text } })

describe('how a pod uses a volume', () => {
  it.each<[string, object, boolean, [label: string, policy: string] | 'several labels' | undefined]>([
    ['with the label of the pod', { securityContext: level('s0:c1') }, true, [':::s0:c1', 'MountOption']],
    ['with the label of the container', { containers: [{ ...mount, securityContext: level('s0:c2') }] }, true, [':::s0:c2', 'MountOption']],
    ['without one', {}, true, ['', 'Recursive']],
    ['by a driver that knows no contexts', { securityContext: level('s0:c1') }, false, ['', 'Recursive']],
    ['as the pod asks', { securityContext: { ...level('s0'), seLinuxChangePolicy: 'Recursive' } }, true, ['', 'Recursive']],
    ['privileged', { containers: [{ ...mount, securityContext: { ...level('s0'), privileged: true } }] }, true, ['', 'Recursive']],
    ['not at all', { containers: [{}] }, true, undefined],
    [
      'with labels that contradict',
      { containers: [mount, { ...mount, securityContext: level('s0:c2') }], securityContext: level('s0:c1') },
      true,
      'several labels',
    ],
  ])('%s', (_, spec, mounts, expected) => {
    const use = planUse(pod(spec), 'v', mounts)
    expect(typeof use === 'object' ? [use.label, use.policy] : use).toEqual(expected)
  })
})

describe('whether two uses conflict', () => {
  const use = (label: string, more: Partial<VolumeUse> = {}): VolumeUse => ({
    namespace: 'ns',
    pod: 'p',
    label,
    policy: 'MountOption',
    ...more,
  })
  it.each([
    ['system_u:system_r:container_t:s0:c1,c2', ':::s0:c1,c2', 0],
    ['system_u:system_r:container_t:s0:c1,c2', ':::s0:c98,c99', 1],
    ['', ':::s0', 0],
    ['a:::', ':b::', 0],
    ['a:::', 'b:::', 1],
  ])('%s and %s: %i', (one, other, count) => {
    expect(conflictsOf(use(one), use(other))).toHaveLength(count)
    expect(conflictsOf(use(other), use(one))).toHaveLength(count)
  })

  it('tells of a pod beside it by name, and of one elsewhere nothing', () => {
    expect(conflictsOf(use(':::s0'), use(':::s1', { pod: 'other' }))[0]!.message).toBe(
      'SELinuxLabel ":::s0" conflicts with pod other that uses the same volume as this pod with SELinuxLabel ":::s1". ' +
        'If both pods land on the same node, only one of them may access the volume.',
    )
    const [foreign] = conflictsOf(use(':::s0'), use(':::s1', { namespace: 'secret', pod: 'hidden' }))
    expect(foreign!.message).not.toMatch(/secret|hidden|s1/)
  })
})

describe('selinux-warning-controller', () => {
  it('tells both pods once, and again when a driver begins to mount with contexts', async () => {
    await using cluster = testCluster([seLinuxWarningController])
    const { api } = cluster
    api.put(CSIDriver, { metadata: { name: 'd' }, spec: { seLinuxMount: false } })
    const claimRef = { namespace: 'default', name: 'c' }
    api.put(PersistentVolume, { metadata: { name: 'pv' }, spec: { csi: { driver: 'd', volumeHandle: 'h' }, claimRef } })
    api.put(PersistentVolumeClaim, { metadata: { name: 'c', namespace: 'default' }, spec: { volumeName: 'pv' } })
    for (const name of ['p1', 'p2'])
      api.put(Pod, {
        metadata: { name, namespace: 'default' },
        spec: {
          containers: [{ name: 'm', image: 'i', ...mount }],
          volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
          securityContext: level(name),
        },
      })
    await cluster.advance(10_000)
    expect(cluster.events()).toEqual([])
    api.change(
      CSIDriver,
      'd',
      next => {
        next.spec.seLinuxMount = true
      },
      '',
    )
    await cluster.advance(10_000)
    expect(cluster.events().map(text => text.split(':')[0])).toEqual(['SELinuxLabelConflict', 'SELinuxLabelConflict'])
    api.change(Pod, 'p1', next => {
      next.status.phase = 'Running'
    })
    await cluster.advance(10_000)
    expect(cluster.events()).toHaveLength(2)
  })
})
