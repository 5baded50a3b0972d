import { message, optional, rawExtension, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const OpaqueDeviceConfiguration = message('io.k8s.api.resource.v1.OpaqueDeviceConfiguration', {
  driver: required(1, string, 'The driver.'),
  parameters: required(2, rawExtension, 'What the driver is told, in its own words.'),
})
export interface OpaqueDeviceConfiguration extends StoredOf<typeof OpaqueDeviceConfiguration> {}

export const DeviceConfiguration = message('io.k8s.api.resource.v1.DeviceConfiguration', {
  opaque: optional(1, OpaqueDeviceConfiguration, 'Parameters for one driver.'),
})
export interface DeviceConfiguration extends StoredOf<typeof DeviceConfiguration> {}
