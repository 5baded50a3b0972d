import type { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { selectorOf } from './runtime/watches.ts'

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'

/** The class that a claim names; '' for none, undefined where the default class would count. */
export function classOf({ metadata, spec }: PersistentVolumeClaim): string | undefined {
  return metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName
}

export function classOfVolume({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? ''
}

/** Whether binding waits until a pod that uses the claim has a node. */
export function waitsForConsumer(claim: PersistentVolumeClaim, storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && claim.metadata.annotations?.[SELECTED_NODE] === undefined
}

/** The volume to bind a claim to: the one that was reserved for it, else the smallest that does. */
export function bestVolume(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): PersistentVolume | undefined {
  const reserved = volumes.find(volume => isReservedFor(volume, claim))
  if (reserved) return reserved
  const fitting = volumes.filter(volume => isFree(volume) && fits(volume, claim))
  return fitting.sort(bySize)[0]
}

/** Why a claim cannot have the volume that it names; undefined if it can. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (capacityOf(volume).compare(requestOf(claim)) < 0) return 'requested PV is too small'
  if (classOfVolume(volume) !== (classOf(claim) ?? '')) return 'storageClassName does not match'
  if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode'
  if (!hasModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

/** Whether the volume's reference means this claim: by its uid, if it carries one. */
export function isReservedFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (!claimRef || claimRef.namespace !== metadata.namespace || claimRef.name !== metadata.name) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}

function isFree({ spec, metadata, status }: PersistentVolume): boolean {
  return !spec.claimRef && !metadata.deletionTimestamp && status.phase !== 'Failed' && status.phase !== 'Released'
}

function fits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { selector, volumeAttributesClassName = '' } = claim.spec
  if (selector && !selectorOf(selector).matches(volume.metadata.labels)) return false
  return mismatch(volume, claim) === undefined && (volume.spec.volumeAttributesClassName ?? '') === volumeAttributesClassName
}

function hasModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec.accessModes ?? []).every(mode => volume.spec.accessModes?.includes(mode))
}

const capacityOf = ({ spec }: PersistentVolume) => Quantity.parse(spec.capacity?.['storage'] ?? '0')
const requestOf = ({ spec }: PersistentVolumeClaim) => Quantity.parse(spec.resources.requests?.['storage'] ?? '0')

function bySize(a: PersistentVolume, b: PersistentVolume): number {
  return capacityOf(a).compare(capacityOf(b)) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)
}
