import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, message, omitempty, oneOf, optional, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { PersistentVolumeSpec } from './persistent-volume-spec.ts'

export const PersistentVolumeStatus = message('io.k8s.api.core.v1.PersistentVolumeStatus', {
  phase: defaulted(1, oneOf('Pending', 'Available', 'Bound', 'Released', 'Failed'), 'Pending', '', 'value'),
  message: omitempty(2, string),
  reason: omitempty(3, string),
  lastPhaseTransitionTime: optional(4, time),
})
export interface PersistentVolumeStatus extends StoredOf<typeof PersistentVolumeStatus> {}

export interface PersistentVolume extends ObjectWith<{ spec: PersistentVolumeSpec; status: PersistentVolumeStatus }> {}

export const PersistentVolume = defineKind({
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
})
