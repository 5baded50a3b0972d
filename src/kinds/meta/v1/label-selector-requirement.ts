import { list, message, omitempty, oneOf, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const LabelSelectorRequirement = message('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement', {
  key: required(1, string),
  operator: required(2, oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')),
  values: omitempty(3, list(string)),
})
export interface LabelSelectorRequirement extends StoredOf<typeof LabelSelectorRequirement> {}
