import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { boolean, embedded, int32, map, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { PersistentVolumeSpec } from '../../core/v1/persistent-volume-spec.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'

export const VolumeAttachmentSource = message('io.k8s.api.storage.v1.VolumeAttachmentSource', {
  persistentVolumeName: optional(1, string),
  inlineVolumeSpec: optional(2, PersistentVolumeSpec),
})
export interface VolumeAttachmentSource extends StoredOf<typeof VolumeAttachmentSource> {}

export const VolumeAttachmentSpec = message('io.k8s.api.storage.v1.VolumeAttachmentSpec', {
  attacher: required(1, string),
  source: required(2, VolumeAttachmentSource),
  nodeName: required(3, string),
})
export interface VolumeAttachmentSpec extends StoredOf<typeof VolumeAttachmentSpec> {}

export const VolumeError = message('io.k8s.api.storage.v1.VolumeError', {
  time: embedded(1, timeOrNull),
  message: omitempty(2, string),
  errorCode: optional(3, int32),
})
export interface VolumeError extends StoredOf<typeof VolumeError> {}

export const VolumeAttachmentStatus = message('io.k8s.api.storage.v1.VolumeAttachmentStatus', {
  attached: required(1, boolean),
  attachmentMetadata: omitempty(2, map(string)),
  attachError: optional(3, VolumeError),
  detachError: optional(4, VolumeError),
})
export interface VolumeAttachmentStatus extends StoredOf<typeof VolumeAttachmentStatus> {}

export interface VolumeAttachment extends ObjectWith<{ spec: VolumeAttachmentSpec; status: VolumeAttachmentStatus }> {}

export const VolumeAttachment = defineKind({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  unconditionalUpdate: false,
  deleteReturnsObject: true,
  spec: VolumeAttachmentSpec,
  status: VolumeAttachmentStatus,
  columns: [
    nameColumn,
    { name: 'Attacher', format: 'name', of: ({ spec }) => spec.attacher },
    { name: 'PV', of: ({ spec }) => spec.source.persistentVolumeName ?? '' },
    { name: 'Node', of: ({ spec }) => spec.nodeName },
    { name: 'Attached', type: 'boolean', of: ({ status }) => status.attached },
    ageColumn,
  ],
})
