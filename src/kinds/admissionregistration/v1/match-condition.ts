import { message, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const MatchCondition = message('io.k8s.api.admissionregistration.v1.MatchCondition', {
  name: required(1, string, 'The name of the condition.'),
  expression: required(2, string, 'A CEL expression.'),
})
export interface MatchCondition extends StoredOf<typeof MatchCondition> {}
