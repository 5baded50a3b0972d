import { int64, message, omitempty, oneOf, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { TaintEffect } from './taint-effect.ts'

export const Toleration = message('io.k8s.api.core.v1.Toleration', {
  key: omitempty(1, string, 'The key of the taint; none stands for every key.'),
  operator: omitempty(2, oneOf('Exists', 'Equal', 'Lt', 'Gt'), '`Exists`, `Equal`, or a comparison.'),
  value: omitempty(3, string, 'The value of the taint.'),
  effect: omitempty(4, TaintEffect, 'The effect of the taint; none stands for every effect.'),
  tolerationSeconds: optional(5, int64, 'For how long `NoExecute` is tolerated.'),
})
export interface Toleration extends StoredOf<typeof Toleration> {}
