import { defaulted, int64, message, omitempty, oneOf, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { DeviceTaintEffect } from './device-taint-effect.ts'

export const DeviceToleration = message('io.k8s.api.resource.v1.DeviceToleration', {
  key: omitempty(1, string, 'The key of the taint; any if it is not said.'),
  operator: defaulted(2, oneOf('Exists', 'Equal'), 'Equal', 'Whether the taint has to exist, or to have the value.', 'value'),
  value: omitempty(3, string, 'The value of the taint.'),
  effect: omitempty(4, DeviceTaintEffect, 'The effect of the taint; any if it is not said.'),
  tolerationSeconds: optional(5, int64, 'For how long `NoExecute` is tolerated.'),
})
export interface DeviceToleration extends StoredOf<typeof DeviceToleration> {}
