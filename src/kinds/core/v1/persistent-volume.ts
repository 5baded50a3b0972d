import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, message, omitempty, oneOf, optional, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { timeOf } from '#machinery/time/time.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { accessModesText, BETA_CLASS } from './access-modes.ts'
import { persistentVolumeWarnings, validatePersistentVolume, validatePersistentVolumeUpdate } from './persistent-volume.rules.ts'
import { PersistentVolumeSpec } from './persistent-volume-spec.ts'

export const PersistentVolumeStatus = message('io.k8s.api.core.v1.PersistentVolumeStatus', {
  phase: defaulted(
    1,
    oneOf('Pending', 'Available', 'Bound', 'Released', 'Failed'),
    'Pending',
    'Whether the volume is free, bound or done with.',
    'value',
  ),
  message: omitempty(2, string, 'What happened, for people.'),
  reason: omitempty(3, string, 'What happened, in one word.'),
  lastPhaseTransitionTime: optional(4, time),
})
export interface PersistentVolumeStatus extends StoredOf<typeof PersistentVolumeStatus> {}

export interface PersistentVolume extends ObjectWith<{ spec: PersistentVolumeSpec; status: PersistentVolumeStatus }> {}

export const PersistentVolume = defineKind({
  documentation: 'A piece of storage.',
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  scope: 'Cluster',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['pv'],
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  deleteReturnsObject: true,
  spec: PersistentVolumeSpec,
  status: PersistentVolumeStatus,
  columns: [
    nameColumn,
    { name: 'Capacity', of: ({ spec }) => spec.capacity?.storage ?? '0' },
    { name: 'Access Modes', of: ({ spec }) => accessModesText(spec.accessModes) },
    { name: 'Reclaim Policy', of: ({ spec }) => spec.persistentVolumeReclaimPolicy },
    { name: 'Status', of: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : status.phase) },
    { name: 'Claim', of: ({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '') },
    { name: 'StorageClass', of: ({ metadata, spec }) => metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '' },
    { name: 'VolumeAttributesClass', of: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>' },
    { name: 'Reason', of: ({ status }) => status.reason ?? '' },
    ageColumn,
    { name: 'VolumeMode', priority: 1, of: ({ spec }) => spec.volumeMode },
  ],
  prepareCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: timeOf(now) }
  },
  prepareUpdate(volume, old, { subresource, now }) {
    if (subresource === 'status' && volume.status.phase !== old.status.phase) volume.status.lastPhaseTransitionTime = timeOf(now)
  },
  validate: validatePersistentVolume,
  validateUpdate: validatePersistentVolumeUpdate,
  warnings: persistentVolumeWarnings,
})
