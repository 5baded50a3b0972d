import {
  boolean,
  defaulted,
  embedded,
  inline,
  int64,
  list,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { DeviceConfiguration } from './device-configuration.ts'
import { DeviceSelector } from './device-selector.ts'
import { DeviceToleration } from './device-toleration.ts'

export const DeviceAllocationMode = oneOf('ExactCount', 'All')
export type DeviceAllocationMode = StoredOf<typeof DeviceAllocationMode>

export const DeviceClaimConfiguration = message('io.k8s.api.resource.v1.DeviceClaimConfiguration', {
  requests: omitempty(1, list(string), 'The requests that this is about; all unless said.'),
  ...inline(2, DeviceConfiguration),
})
export interface DeviceClaimConfiguration extends StoredOf<typeof DeviceClaimConfiguration> {}

export const DeviceConstraint = message('io.k8s.api.resource.v1.DeviceConstraint', {
  requests: omitempty(1, list(string), 'The requests that this is about; all unless said.'),
  matchAttribute: optional(2, string, 'An attribute that has to be the same on all devices.'),
  distinctAttribute: optional(3, string, 'An attribute that has to differ between the devices.'),
})
export interface DeviceConstraint extends StoredOf<typeof DeviceConstraint> {}

export const CapacityRequirements = message('io.k8s.api.resource.v1.CapacityRequirements', {
  requests: omitempty(1, map(quantity), 'How much of each capacity, by its name.'),
})
export interface CapacityRequirements extends StoredOf<typeof CapacityRequirements> {}

export const DeviceSubRequest = message(
  'io.k8s.api.resource.v1.DeviceSubRequest',
  {
    name: required(1, string, 'The name of this alternative.'),
    deviceClassName: required(2, string, 'The class of the devices.'),
    selectors: omitempty(3, list(DeviceSelector), 'Expressions that devices must satisfy.'),
    allocationMode: defaulted(4, DeviceAllocationMode, 'ExactCount', 'Whether a number of devices or all of them.', 'value'),
    count: omitempty(5, int64, 'How many devices, if not all.'),
    tolerations: omitempty(6, list(DeviceToleration), 'Taints that do not keep the pods away.'),
    capacity: optional(7, CapacityRequirements, 'How much of each device is taken.'),
  },
  {
    applyDefaults(request) {
      if (request.allocationMode === 'ExactCount') request.count ??= 1
    },
  },
)
export interface DeviceSubRequest extends StoredOf<typeof DeviceSubRequest> {}

export const ExactDeviceRequest = message(
  'io.k8s.api.resource.v1.ExactDeviceRequest',
  {
    deviceClassName: required(1, string, 'The class of the devices.'),
    selectors: omitempty(2, list(DeviceSelector), 'Expressions that devices must satisfy.'),
    allocationMode: defaulted(3, DeviceAllocationMode, 'ExactCount', 'Whether a number of devices or all of them.', 'value'),
    count: omitempty(4, int64, 'How many devices, if not all.'),
    adminAccess: optional(5, boolean, 'Whether devices in use are given as well.'),
    tolerations: omitempty(6, list(DeviceToleration), 'Taints that do not keep the pods away.'),
    capacity: optional(7, CapacityRequirements, 'How much of each device is taken.'),
  },
  {
    applyDefaults(request) {
      if (request.allocationMode === 'ExactCount') request.count ??= 1
    },
  },
)
export interface ExactDeviceRequest extends StoredOf<typeof ExactDeviceRequest> {}

export const DeviceRequest = message('io.k8s.api.resource.v1.DeviceRequest', {
  name: required(1, string, 'The name of the request.'),
  exactly: optional(2, ExactDeviceRequest, 'What is needed.'),
  firstAvailable: omitempty(3, list(DeviceSubRequest), 'Alternatives, best first.'),
})
export interface DeviceRequest extends StoredOf<typeof DeviceRequest> {}

export const DeviceClaim = message('io.k8s.api.resource.v1.DeviceClaim', {
  requests: embedded(1, list(DeviceRequest, { nullable: true }), 'What is needed, one entry per device or set.'),
  constraints: omitempty(2, list(DeviceConstraint), 'What devices must have in common.'),
  config: omitempty(3, list(DeviceClaimConfiguration), 'What their drivers are told.'),
})
export interface DeviceClaim extends StoredOf<typeof DeviceClaim> {}

export const ResourceClaimSpec = message('io.k8s.api.resource.v1.ResourceClaimSpec', {
  devices: embedded(1, DeviceClaim, 'The devices that are needed.'),
})
export interface ResourceClaimSpec extends StoredOf<typeof ResourceClaimSpec> {}
