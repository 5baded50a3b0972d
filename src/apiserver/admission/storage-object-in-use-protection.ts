import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

/** Keeps a group of pods from vanishing while one of them is at work: a controller lets go of it. */
export const podGroupProtection: AdmissionPlugin = {
  name: 'PodGroupProtection',
  admit({ operation, kind, subresource, object }) {
    if (operation !== 'CREATE' || kind.kind !== 'PodGroup' || kind.group !== 'scheduling.k8s.io' || subresource !== '' || !object) return
    addFinalizer(object, 'scheduling.k8s.io/podgroup-protection')
  },
}

const FINALIZERS: Readonly<Record<string, string>> = {
  PersistentVolume: 'kubernetes.io/pv-protection',
  PersistentVolumeClaim: 'kubernetes.io/pvc-protection',
  VolumeAttributesClass: 'kubernetes.io/vac-protection',
}

/** Keeps volumes and claims from vanishing while they are in use: a controller lets go of them. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit({ operation, kind, subresource, object }) {
    const finalizer = FINALIZERS[kind.kind]
    if (operation !== 'CREATE' || finalizer === undefined || subresource !== '' || !object) return
    addFinalizer(object, finalizer)
  },
}

function addFinalizer({ metadata }: NonNullable<AdmissionRequest['object']>, finalizer: string): void {
  if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
}
