import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import {
  defaulted,
  embedded,
  list,
  map,
  message,
  omitempty,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { TypedLocalObjectReference, TypedObjectReference } from './object-reference.ts'
import { PersistentVolumeAccessMode } from './persistent-volume-access-mode.ts'
import { PersistentVolumeMode } from './persistent-volume-mode.ts'

export const VolumeResourceRequirements = message('io.k8s.api.core.v1.VolumeResourceRequirements', {
  limits: omitempty(1, map(quantity), 'The most that the volume may have.'),
  requests: omitempty(2, map(quantity), 'The least that the volume has to have, as `storage`.'),
})
export interface VolumeResourceRequirements extends StoredOf<typeof VolumeResourceRequirements> {}

export const PersistentVolumeClaimSpec = message('io.k8s.api.core.v1.PersistentVolumeClaimSpec', {
  accessModes: omitempty(1, list(PersistentVolumeAccessMode), 'From where the volume can be mounted, and how.'),
  selector: optional(4, LabelSelector, 'Which volumes come into question.'),
  resources: embedded(2, VolumeResourceRequirements, 'How much storage is needed.'),
  volumeName: omitempty(3, string, 'The volume that it is bound to.'),
  storageClassName: optional(5, string, 'What sort of storage.'),
  volumeMode: defaulted(6, PersistentVolumeMode, 'Filesystem', 'Whether the volume has a file system or is a bare block device.'),
  dataSource: optional(7, TypedLocalObjectReference, 'What the volume is filled with.'),
  dataSourceRef: optional(8, TypedObjectReference, 'The same, from any namespace and of any kind.'),
  volumeAttributesClassName: optional(9, string, 'The attributes that the volume is to have.'),
})
export interface PersistentVolumeClaimSpec extends StoredOf<typeof PersistentVolumeClaimSpec> {}

export const PersistentVolumeClaimTemplate = message('io.k8s.api.core.v1.PersistentVolumeClaimTemplate', {
  metadata: embedded(1, ObjectMeta, 'Labels and annotations of the claim.'),
  spec: required(2, PersistentVolumeClaimSpec, 'What the claim asks for.'),
})
export interface PersistentVolumeClaimTemplate extends StoredOf<typeof PersistentVolumeClaimTemplate> {}
