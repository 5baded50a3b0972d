import { int64, message, omitempty, oneOf, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { TaintEffect } from './taint-effect.ts'

export const Toleration = message('io.k8s.api.core.v1.Toleration', {
  key: omitempty(1, string),
  operator: omitempty(2, oneOf('Exists', 'Equal', 'Lt', 'Gt')),
  value: omitempty(3, string),
  effect: omitempty(4, TaintEffect),
  tolerationSeconds: optional(5, int64),
})
export interface Toleration extends StoredOf<typeof Toleration> {}
