import { int64, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ConditionStatus } from './condition-status.ts'
import { timeOrNull } from './time-or-null.ts'

export const Condition = message('io.k8s.apimachinery.pkg.apis.meta.v1.Condition', {
  type: required(1, string),
  status: required(2, ConditionStatus),
  observedGeneration: omitempty(3, int64),
  lastTransitionTime: required(4, timeOrNull),
  reason: required(5, string),
  message: required(6, string),
})
export interface Condition extends StoredOf<typeof Condition> {}
