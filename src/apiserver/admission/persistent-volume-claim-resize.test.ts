import { describe, expect, it } from 'vitest'
import type { Informers } from '#client/informers/informer.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { decodeObject } from '../registry/body.ts'
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'

const classes: Record<string, object> = { growing: { allowVolumeExpansion: true }, fixed: {} }
const informers = () => ({ of: () => ({ get: (_: string, name: string) => classes[name] }) }) as unknown as Informers

const claim = (storage: string, storageClassName: string, phase = 'Bound') =>
  decodeObject(PersistentVolumeClaim, {
    metadata: { name: 'c' },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  }) as Mutable<ApiObject>

function resize(from: ApiObject, to: Mutable<ApiObject>) {
  return persistentVolumeClaimResize(informers).validate!({
    operation: 'UPDATE',
    kind: PersistentVolumeClaim,
    subresource: '',
    namespace: 'default',
    name: 'c',
    object: to,
    old: from,
    user: { name: 'alice', groups: [] },
    dryRun: false,
    warn: () => undefined,
  })
}

describe('a claim', () => {
  it('grows where its class lets it', () => {
    void resize(claim('1Gi', 'growing'), claim('2Gi', 'growing'))
    expect(() => resize(claim('1Gi', 'fixed'), claim('2Gi', 'fixed'))).toThrow(
      'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc ' +
        'must support resize',
    )
  })

  it('grows only once it has a volume', () => {
    const pending = claim('1Gi', 'growing', 'Pending')
    expect(() => resize(pending, claim('2Gi', 'growing'))).toThrow('Only bound persistent volume claims can be expanded')
    void resize(pending, pending as Mutable<ApiObject>)
  })
})
