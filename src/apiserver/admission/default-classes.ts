import type { Informers } from '#client/informers/informer.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Ingress } from '#kinds/networking/v1/ingress.ts'
import { IngressClass } from '#kinds/networking/v1/ingress-class.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin } from './admission.ts'

const STORAGE_DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
const INGRESS_DEFAULT = ['ingressclass.kubernetes.io/is-default-class']

/** Gives a claim that names no storage class the default one, the newest if there are several. */
export function defaultStorageClass(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    admit({ operation, kind, subresource, object }) {
      if (operation !== 'CREATE' || kind.kind !== 'PersistentVolumeClaim' || subresource !== '') return
      const { spec, metadata } = object as Mutable<PersistentVolumeClaim>
      if (spec.storageClassName !== undefined || metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
      const newest = defaultsOf(informers().of(StorageClass).list(), STORAGE_DEFAULT)[0]
      if (newest) spec.storageClassName = newest.metadata.name ?? ''
    },
  }
}

/** Gives an Ingress that names no class the default one. Two defaults are an error of the cluster's. */
export function defaultIngressClass(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    admit({ operation, kind, subresource, object }) {
      if (operation !== 'CREATE' || kind.kind !== 'Ingress' || subresource !== '') return
      const { spec, metadata } = object as Mutable<Ingress>
      if (spec.ingressClassName !== undefined || metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
      const defaults = defaultsOf(informers().of(IngressClass).list(), INGRESS_DEFAULT)
      if (defaults.length > 1) {
        const why = `${defaults.length} default IngressClasses were found, only 1 allowed`
        throw forbidden({ group: kind.group, resource: kind.plural }, metadata.name ?? '', why)
      }
      if (defaults[0]) spec.ingressClassName = defaults[0].metadata.name ?? ''
    },
  }
}

/** Those that are annotated as default, the newest first, by name where they are as old. */
function defaultsOf<O extends ApiObject>(classes: readonly O[], annotations: readonly string[]): O[] {
  return classes
    .filter(({ metadata }) => annotations.some(key => metadata.annotations?.[key] === 'true'))
    .sort(
      (left, right) =>
        (right.metadata.creationTimestamp ?? '').localeCompare(left.metadata.creationTimestamp ?? '') ||
        (left.metadata.name ?? '').localeCompare(right.metadata.name ?? ''),
    )
}
