import { list, message, omitempty, oneOf, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const LabelSelectorRequirement = message('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement', {
  key: required(1, string, 'The label.'),
  operator: required(2, oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'), '`In`, `NotIn`, `Exists` or `DoesNotExist`.'),
  values: omitempty(3, list(string), 'The values for `In` and `NotIn`.'),
})
export interface LabelSelectorRequirement extends StoredOf<typeof LabelSelectorRequirement> {}
