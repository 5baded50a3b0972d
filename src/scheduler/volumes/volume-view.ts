import type { Informers } from '#client/informers/informer.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { CSINode } from '#kinds/storage/v1/csi-node.ts'
import { CSIStorageCapacity } from '#kinds/storage/v1/csi-storage-capacity.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'

/** What scheduling asks of volumes, as last seen. */
export interface VolumeView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  /** The volumes of a storage class ('' for those of none). */
  volumesOf(storageClass: string): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
  csiDriver(name: string): CSIDriver | undefined
  capacitiesOf(storageClass: string): readonly CSIStorageCapacity[]
}

/** A {@link VolumeView} over informers. */
export function volumeView(informers: Informers): VolumeView {
  const claims = informers.of(PersistentVolumeClaim)
  const volumes = informers.of(PersistentVolume)
  const classes = informers.of(StorageClass)
  const nodes = informers.of(CSINode)
  const drivers = informers.of(CSIDriver)
  const capacities = informers.of(CSIStorageCapacity)
  volumes.addIndex('scheduler.class', byVolumeClass)
  capacities.addIndex('scheduler.class', byCapacityClass)
  return {
    claim: (namespace, name) => claims.get(namespace, name),
    volume: name => volumes.get('', name),
    volumesOf: storageClass => volumes.byIndex('scheduler.class', storageClass),
    storageClass: name => classes.get('', name),
    csiNode: name => nodes.get('', name),
    csiDriver: name => drivers.get('', name),
    capacitiesOf: storageClass => capacities.byIndex('scheduler.class', storageClass),
  }
}

/** The kinds whose changes may let a pod with volumes be placed. */
export const VOLUME_KINDS = [PersistentVolumeClaim, PersistentVolume, StorageClass, CSINode, CSIDriver, CSIStorageCapacity] as const

const byVolumeClass = (volume: PersistentVolume) => [volume.spec.storageClassName ?? '']
const byCapacityClass = (capacity: CSIStorageCapacity) => [capacity.storageClassName]
