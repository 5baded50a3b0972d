import { list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { FieldSelectorRequirement } from '../../meta/v1/field-selector-requirement.ts'
import { LabelSelectorRequirement } from '../../meta/v1/label-selector-requirement.ts'

export const FieldSelectorAttributes = message('io.k8s.api.authorization.v1.FieldSelectorAttributes', {
  rawSelector: omitempty(1, string),
  requirements: omitempty(2, list(FieldSelectorRequirement)),
})
export interface FieldSelectorAttributes extends StoredOf<typeof FieldSelectorAttributes> {}

export const LabelSelectorAttributes = message('io.k8s.api.authorization.v1.LabelSelectorAttributes', {
  rawSelector: omitempty(1, string),
  requirements: omitempty(2, list(LabelSelectorRequirement)),
})
export interface LabelSelectorAttributes extends StoredOf<typeof LabelSelectorAttributes> {}

export const ResourceAttributes = message('io.k8s.api.authorization.v1.ResourceAttributes', {
  namespace: omitempty(1, string),
  verb: omitempty(2, string),
  group: omitempty(3, string),
  version: omitempty(4, string),
  resource: omitempty(5, string),
  subresource: omitempty(6, string),
  name: omitempty(7, string),
  fieldSelector: optional(8, FieldSelectorAttributes),
  labelSelector: optional(9, LabelSelectorAttributes),
})
export interface ResourceAttributes extends StoredOf<typeof ResourceAttributes> {}
