import type { Informers } from '#client/informers/informer.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Lets a claim grow only where its storage class says that volumes can. */
export function persistentVolumeClaimResize(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate({ operation, kind, subresource, object, old, name }) {
      if (operation !== 'UPDATE' || kind.kind !== 'PersistentVolumeClaim' || kind.group !== '' || subresource !== '') return
      const next = object as unknown as PersistentVolumeClaim
      const before = old as PersistentVolumeClaim
      if (sizeOf(next).compare(sizeOf(before)) <= 0) return
      const refuse = (why: string) => forbidden({ group: '', resource: 'persistentvolumeclaims' }, name, why)
      if (before.status.phase !== 'Bound') throw refuse('Only bound persistent volume claims can be expanded')
      const storageClass = classOf(next)
      const canGrow = storageClass !== '' && informers().of(StorageClass).get('', storageClass)?.allowVolumeExpansion === true
      if (canGrow && storageClass === classOf(before)) return
      throw refuse('only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
    },
  }
}

function sizeOf({ spec }: PersistentVolumeClaim): Quantity {
  return Quantity.parse(spec.resources.requests?.['storage'] ?? '0')
}

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? ''
}
