import type { PersistentVolumeAccessMode } from './persistent-volume-access-mode.ts'

/** Where the storage class stood before it had a field. */
export const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'

/** `RWO,ROX`: each mode once, in a fixed order. */
export function accessModesText(modes: readonly PersistentVolumeAccessMode[] | undefined): string {
  return SHORT.filter(([mode]) => modes?.includes(mode))
    .map(([, text]) => text)
    .join(',')
}

const SHORT: readonly (readonly [PersistentVolumeAccessMode, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]
