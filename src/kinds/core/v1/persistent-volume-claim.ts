import { type DraftObjectOf, defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  defaulted,
  embedded,
  list,
  listMap,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type Schema,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { accessModesText, BETA_CLASS } from './access-modes.ts'
import { PersistentVolumeAccessMode } from './persistent-volume-access-mode.ts'
import { claimWarnings, normalizeDataSources, validateClaimUpdate } from './persistent-volume-claim.rules.ts'
import { validateClaimSpec } from './persistent-volume-claim-spec.rules.ts'
import { PersistentVolumeClaimSpec } from './persistent-volume-claim-spec.ts'

export const ModifyVolumeStatus = message('io.k8s.api.core.v1.ModifyVolumeStatus', {
  targetVolumeAttributesClassName: omitempty(1, string, 'The class that is being changed to.'),
  status: required(2, oneOf('Pending', 'InProgress', 'Infeasible'), 'How the change stands: `Pending`, `InProgress` or `Infeasible`.'),
})
export interface ModifyVolumeStatus extends StoredOf<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimCondition = message('io.k8s.api.core.v1.PersistentVolumeClaimCondition', {
  type: required(1, string, 'What this is about.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastProbeTime: embedded(3, timeOrNull, 'When this was last checked.'),
  lastTransitionTime: embedded(4, timeOrNull, 'When the status last changed.'),
  reason: omitempty(5, string, 'What happened, in one word.'),
  message: omitempty(6, string, 'What happened, for people.'),
})
export interface PersistentVolumeClaimCondition extends StoredOf<typeof PersistentVolumeClaimCondition> {}

export const PersistentVolumeClaimStatus = message('io.k8s.api.core.v1.PersistentVolumeClaimStatus', {
  phase: defaulted(1, oneOf('Pending', 'Bound', 'Lost'), 'Pending', 'Whether a volume was found.', 'value'),
  accessModes: omitempty(2, list(PersistentVolumeAccessMode), 'From where the volume can be mounted, and how.'),
  capacity: omitempty(3, map(quantity), 'How much storage there is.'),
  conditions: omitempty(
    4,
    listMap(PersistentVolumeClaimCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
  allocatedResources: omitempty(5, map(quantity), 'What the volume has been given, or is about to be while it grows.'),
  allocatedResourceStatuses: omitempty(7, map(string), 'How far the growing of each resource has come.'),
  currentVolumeAttributesClassName: optional(8, string, 'The class of the attributes that the volume has.'),
  modifyVolumeStatus: optional(9, ModifyVolumeStatus, 'How far a change of the attributes has come.'),
})
export interface PersistentVolumeClaimStatus extends StoredOf<typeof PersistentVolumeClaimStatus> {}

export interface PersistentVolumeClaim extends ObjectWith<{ spec: PersistentVolumeClaimSpec; status: PersistentVolumeClaimStatus }> {}

export const PersistentVolumeClaim = defineKind({
  documentation: 'A request for storage.',
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['pvc'],
  subresources: [statusSubresource],
  deleteReturnsObject: true,
  spec: PersistentVolumeClaimSpec,
  status: PersistentVolumeClaimStatus,
  columns: [
    nameColumn,
    {
      name: 'Status',
      description: 'phase represents the current phase of PersistentVolumeClaim.',
      of: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : status.phase),
    },
    {
      name: 'Volume',
      description: 'volumeName is the binding reference to the PersistentVolume backing this claim.',
      of: ({ spec }) => spec.volumeName ?? '',
    },
    {
      name: 'Capacity',
      description: 'capacity represents the actual resources of the underlying volume.',
      of: ({ spec, status }) => (spec.volumeName ? (status.capacity?.storage ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      description:
        'accessModes contains the actual access modes the volume backing the PVC has. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1',
      of: ({ spec, status }) => (spec.volumeName ? accessModesText(status.accessModes) : ''),
    },
    {
      name: 'StorageClass',
      description: 'StorageClass of the pvc',
      of: ({ metadata, spec }) => metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
    },
    {
      name: 'VolumeAttributesClass',
      description: 'VolumeAttributesClass of the pvc',
      of: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    ageColumn,
    {
      name: 'VolumeMode',
      description:
        'volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.',
      priority: 1,
      of: ({ spec }) => spec.volumeMode,
    },
  ],
  gatedFields: [{ gate: 'CrossNamespaceVolumeDataSource', path: 'spec.dataSourceRef.namespace', drops: 'spec.dataSourceRef' }],
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
    normalizeDataSources(claim, undefined)
  },
  prepareUpdate(claim, old, { subresource }) {
    if (subresource === '') normalizeDataSources(claim, old)
  },
  validate: ({ spec }, errors) => validateClaimSpec(spec, errors.at('spec')),
  validateUpdate: validateClaimUpdate,
  warnings: (claim, old) => claimWarnings(claim, old),
})

/** As a part of another object. */
export const PersistentVolumeClaimMessage = PersistentVolumeClaim.schema as unknown as Schema<
  PersistentVolumeClaim,
  DraftObjectOf<typeof PersistentVolumeClaim>
>
