import { message, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const CELDeviceSelector = message('io.k8s.api.resource.v1.CELDeviceSelector', {
  expression: required(1, string, 'A CEL expression.'),
})
export interface CELDeviceSelector extends StoredOf<typeof CELDeviceSelector> {}

export const DeviceSelector = message('io.k8s.api.resource.v1.DeviceSelector', {
  cel: optional(1, CELDeviceSelector, 'A CEL expression that is true for devices that fit.'),
})
export interface DeviceSelector extends StoredOf<typeof DeviceSelector> {}
