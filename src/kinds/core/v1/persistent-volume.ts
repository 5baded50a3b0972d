import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, message, omitempty, oneOf, optional, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { timeOf } from '#machinery/time/time.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
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
  lastPhaseTransitionTime: optional(4, time, 'When the phase last changed.'),
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
  subresources: [statusSubresource],
  deleteReturnsObject: true,
  spec: PersistentVolumeSpec,
  status: PersistentVolumeStatus,
  columns: [
    nameColumn,
    {
      name: 'Capacity',
      description:
        "capacity is the description of the persistent volume's resources and capacity. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity",
      of: ({ spec }) => spec.capacity?.storage ?? '0',
    },
    {
      name: 'Access Modes',
      description:
        'accessModes contains all ways the volume can be mounted. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes',
      of: ({ spec }) => accessModesText(spec.accessModes),
    },
    {
      name: 'Reclaim Policy',
      description:
        'persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. Valid options are Retain (default for manually created PersistentVolumes), Delete (default for dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the volume plugin underlying this PersistentVolume. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming',
      of: ({ spec }) => spec.persistentVolumeReclaimPolicy,
    },
    {
      name: 'Status',
      description:
        'phase indicates if a volume is available, bound to a claim, or released by a claim. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase',
      of: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : status.phase),
    },
    {
      name: 'Claim',
      description:
        'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding',
      of: ({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : ''),
    },
    {
      name: 'StorageClass',
      description: 'StorageClass of the pv',
      of: ({ metadata, spec }) => metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
    },
    {
      name: 'VolumeAttributesClass',
      description: 'VolumeAttributesClass of the pv',
      of: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    {
      name: 'Reason',
      description:
        'reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI.',
      of: ({ status }) => status.reason ?? '',
    },
    ageColumn,
    {
      name: 'VolumeMode',
      description:
        'volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state. Value of Filesystem is implied when not included in spec.',
      priority: 1,
      of: ({ spec }) => spec.volumeMode,
    },
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
