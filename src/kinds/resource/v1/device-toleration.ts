import { defaulted, int64, message, omitempty, oneOf, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { DeviceTaintEffect } from './device-taint-effect.ts'

export const DeviceToleration = message('io.k8s.api.resource.v1.DeviceToleration', {
  key: omitempty(1, string),
  operator: defaulted(2, oneOf('Exists', 'Equal'), 'Equal', '', 'value'),
  value: omitempty(3, string),
  effect: omitempty(4, DeviceTaintEffect),
  tolerationSeconds: optional(5, int64),
})
export interface DeviceToleration extends StoredOf<typeof DeviceToleration> {}
