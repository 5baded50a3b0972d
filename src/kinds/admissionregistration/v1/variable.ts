import { message, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const Variable = message(
  'io.k8s.api.admissionregistration.v1.Variable',
  {
    name: required(1, string, 'The name of the variable.'),
    expression: required(2, string, 'A CEL expression.'),
  },
  { mapType: 'atomic' },
)
export interface Variable extends StoredOf<typeof Variable> {}
