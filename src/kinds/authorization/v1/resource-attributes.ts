import { list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { FieldSelectorRequirement } from '../../meta/v1/field-selector-requirement.ts'
import { LabelSelectorRequirement } from '../../meta/v1/label-selector-requirement.ts'

export const FieldSelectorAttributes = message('io.k8s.api.authorization.v1.FieldSelectorAttributes', {
  rawSelector: omitempty(1, string, 'The selector as it stands in a request.'),
  requirements: omitempty(2, list(FieldSelectorRequirement), 'The selector, read.'),
})
export interface FieldSelectorAttributes extends StoredOf<typeof FieldSelectorAttributes> {}

export const LabelSelectorAttributes = message('io.k8s.api.authorization.v1.LabelSelectorAttributes', {
  rawSelector: omitempty(1, string, 'The selector as it stands in a request.'),
  requirements: omitempty(2, list(LabelSelectorRequirement), 'The selector, read.'),
})
export interface LabelSelectorAttributes extends StoredOf<typeof LabelSelectorAttributes> {}

export const ResourceAttributes = message('io.k8s.api.authorization.v1.ResourceAttributes', {
  namespace: omitempty(1, string, 'The namespace; none stands for all.'),
  verb: omitempty(2, string, 'What is to be done.'),
  group: omitempty(3, string, 'The API group.'),
  version: omitempty(4, string, 'The API version.'),
  resource: omitempty(5, string, 'The resource.'),
  subresource: omitempty(6, string, 'The subresource.'),
  name: omitempty(7, string, 'The object; none stands for all.'),
  fieldSelector: optional(8, FieldSelectorAttributes, 'For which fields the question is asked.'),
  labelSelector: optional(9, LabelSelectorAttributes, 'Which objects are meant, by their labels.'),
})
export interface ResourceAttributes extends StoredOf<typeof ResourceAttributes> {}
