import { list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const FieldSelectorRequirement = message('io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement', {
  key: required(1, string, 'The field.'),
  operator: required(2, string, 'How the field is compared with the values.'),
  values: omitempty(3, list(string), 'The values.'),
})
export interface FieldSelectorRequirement extends StoredOf<typeof FieldSelectorRequirement> {}
