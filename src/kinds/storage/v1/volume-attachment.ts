import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { FIELD_IMMUTABLE } from '#machinery/meta/validate-object-meta.ts'
import { boolean, embedded, int32, map, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { validatePersistentVolumeSpec } from '../../core/v1/persistent-volume.rules.ts'
import { PersistentVolumeSpec } from '../../core/v1/persistent-volume-spec.ts'
import { validateDriverName } from '../../core/v1/volume.rules.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { internal } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'

export const VolumeAttachmentSource = message('io.k8s.api.storage.v1.VolumeAttachmentSource', {
  persistentVolumeName: optional(1, string, 'The volume.'),
  inlineVolumeSpec: optional(2, PersistentVolumeSpec, 'The volume itself.'),
})
export interface VolumeAttachmentSource extends StoredOf<typeof VolumeAttachmentSource> {}

export const VolumeAttachmentSpec = message('io.k8s.api.storage.v1.VolumeAttachmentSpec', {
  attacher: required(1, string, 'The driver.'),
  source: required(2, VolumeAttachmentSource, 'The volume.'),
  nodeName: required(3, string, 'The node.'),
})
export interface VolumeAttachmentSpec extends StoredOf<typeof VolumeAttachmentSpec> {}

export const VolumeError = message('io.k8s.api.storage.v1.VolumeError', {
  time: embedded(1, timeOrNull, 'When it happened.'),
  message: omitempty(2, string, 'What happened, for people.'),
  errorCode: optional(3, int32, 'The code of the gRPC error.'),
})
export interface VolumeError extends StoredOf<typeof VolumeError> {}

export const VolumeAttachmentStatus = message('io.k8s.api.storage.v1.VolumeAttachmentStatus', {
  attached: required(1, boolean, 'Whether it is attached.'),
  attachmentMetadata: omitempty(2, map(string), 'What the driver says of it.'),
  attachError: optional(3, VolumeError, 'Why it could not be attached.'),
  detachError: optional(4, VolumeError, 'Why it could not be detached.'),
})
export interface VolumeAttachmentStatus extends StoredOf<typeof VolumeAttachmentStatus> {}

export interface VolumeAttachment extends ObjectWith<{ spec: VolumeAttachmentSpec; status: VolumeAttachmentStatus }> {}

export const VolumeAttachment = defineKind({
  documentation: 'A volume that is to be attached to a node.',
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  subresources: [statusSubresource],
  unconditionalUpdate: false,
  deleteReturnsObject: true,
  spec: VolumeAttachmentSpec,
  status: VolumeAttachmentStatus,
  columns: [
    nameColumn,
    {
      name: 'Attacher',
      description:
        'attacher indicates the name of the volume driver that MUST handle this request. This is the name returned by GetPluginName().',
      format: 'name',
      of: ({ spec }) => spec.attacher,
    },
    {
      name: 'PV',
      description: 'persistentVolumeName represents the name of the persistent volume to attach.',
      of: ({ spec }) => spec.source.persistentVolumeName ?? '',
    },
    { name: 'Node', description: 'nodeName represents the node that the volume should be attached to.', of: ({ spec }) => spec.nodeName },
    {
      name: 'Attached',
      description:
        'attached indicates the volume is successfully attached. This field must only be set by the entity completing the attach operation, i.e. the external-attacher.',
      type: 'boolean',
      of: ({ status }) => status.attached,
    },
    ageColumn,
  ],
  prepareCreate(attachment) {
    attachment.status = { attached: false }
  },
  validate({ spec, status }, errors) {
    const at = errors.at('spec')
    if (spec.attacher === '') at.at('attacher').required()
    else validateDriverName(spec.attacher, at.at('attacher'))
    const { persistentVolumeName, inlineVolumeSpec } = spec.source
    const source = at.at('source')
    if (persistentVolumeName === undefined && !inlineVolumeSpec)
      source.required('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
    else if (persistentVolumeName !== undefined && inlineVolumeSpec) {
      source.forbidden('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
    } else if (inlineVolumeSpec) validatePersistentVolumeSpec(inlineVolumeSpec, '', true, source.at('inlineVolumeSpec'))
    else if (persistentVolumeName === '') source.at('persistentVolumeName').required('must specify non empty persistentVolumeName')
    at.at('nodeName').invalidEach(spec.nodeName, isDNS1123Subdomain(spec.nodeName))
    for (const name of ['attachError', 'detachError'] as const) {
      const message = status[name]?.message ?? ''
      if (message.length > MAX_MESSAGE) errors.at('status').at(name).at('message').tooLong(MAX_MESSAGE)
    }
  },
  validateUpdate({ spec }, old, errors, subresource) {
    if (subresource === '' && !equal(spec, old.spec)) errors.at('spec').invalid(internal(spec), FIELD_IMMUTABLE)
  },
})

const MAX_MESSAGE = 1024
