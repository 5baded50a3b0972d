import { int64, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ConditionStatus } from './condition-status.ts'
import { timeOrNull } from './time-or-null.ts'

export const Condition = message('io.k8s.apimachinery.pkg.apis.meta.v1.Condition', {
  type: required(1, string, 'What this is about.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  observedGeneration: omitempty(3, int64, 'The generation of the spec that this status answers to.'),
  lastTransitionTime: required(4, timeOrNull, 'When the status last changed.'),
  reason: required(5, string, 'What happened, in one word.'),
  message: required(6, string, 'What happened, for people.'),
})
export interface Condition extends StoredOf<typeof Condition> {}
