import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { FIELD_IMMUTABLE } from '#machinery/meta/validate-object-meta.ts'
import {
  boolean,
  embedded,
  inline,
  list,
  listMap,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  rawExtension,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { NodeSelector } from '../../core/v1/node-selector.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { Condition } from '../../meta/v1/condition.ts'
import { internal } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { DeviceConfiguration } from './device-configuration.ts'
import { DeviceToleration } from './device-toleration.ts'
import { gatedAllocationFields, gatedClaimFields } from './gated-slice-fields.ts'
import { validateDeviceClaim } from './resource-claim-spec.rules.ts'
import { ResourceClaimSpec } from './resource-claim-spec.ts'
import { validateClaimStatus } from './resource-claim-status.rules.ts'

export const NetworkDeviceData = message('io.k8s.api.resource.v1.NetworkDeviceData', {
  interfaceName: omitempty(1, string, 'The name of the interface in the pod.'),
  ips: omitempty(2, list(string), 'Its addresses, with the lengths of their prefixes.'),
  hardwareAddress: omitempty(3, string, 'Its hardware address.'),
})
export interface NetworkDeviceData extends StoredOf<typeof NetworkDeviceData> {}

export const AllocatedDeviceStatus = message('io.k8s.api.resource.v1.AllocatedDeviceStatus', {
  driver: required(1, string, 'The driver.'),
  pool: required(2, string, 'The pool of the device.'),
  device: required(3, string, 'The device.'),
  shareID: optional(7, string, 'Tells apart who shares the device.'),
  conditions: embedded(4, listMap(Condition, ['type'], { nullable: true }), 'What holds of the object right now, one entry per aspect.'),
  data: optional(5, rawExtension, 'What the driver says of the device, in its own words.'),
  networkData: optional(6, NetworkDeviceData, 'What the driver says of a network device.'),
})
export interface AllocatedDeviceStatus extends StoredOf<typeof AllocatedDeviceStatus> {}

export const DeviceAllocationConfiguration = message('io.k8s.api.resource.v1.DeviceAllocationConfiguration', {
  source: required(1, oneOf('FromClass', 'FromClaim'), 'Where it was said: in the class or in the claim.'),
  requests: omitempty(2, list(string), 'The requests that this is about; all unless said.'),
  ...inline(3, DeviceConfiguration),
})
export interface DeviceAllocationConfiguration extends StoredOf<typeof DeviceAllocationConfiguration> {}

export const DeviceRequestAllocationResult = message('io.k8s.api.resource.v1.DeviceRequestAllocationResult', {
  request: required(1, string, 'The request that the device is for.'),
  driver: required(2, string, 'The driver.'),
  pool: required(3, string, 'The pool of the device.'),
  device: required(4, string, 'The device.'),
  adminAccess: optional(5, boolean, 'Whether devices in use are given as well.'),
  tolerations: omitempty(6, list(DeviceToleration), 'Taints that do not keep the pods away.'),
  bindingConditions: omitempty(7, list(string), 'Conditions to wait for before the pod is bound.'),
  bindingFailureConditions: omitempty(8, list(string), 'Conditions that mean that it failed.'),
  shareID: optional(9, string, 'Tells apart who shares the device.'),
  consumedCapacity: omitempty(10, map(quantity), 'How much of the device is taken.'),
})
export interface DeviceRequestAllocationResult extends StoredOf<typeof DeviceRequestAllocationResult> {}

export const DeviceAllocationResult = message('io.k8s.api.resource.v1.DeviceAllocationResult', {
  results: omitempty(1, list(DeviceRequestAllocationResult), 'A device each.'),
  config: omitempty(2, list(DeviceAllocationConfiguration), 'What the drivers are told, from class and claim.'),
})
export interface DeviceAllocationResult extends StoredOf<typeof DeviceAllocationResult> {}

export const AllocationResult = message('io.k8s.api.resource.v1.AllocationResult', {
  devices: embedded(1, DeviceAllocationResult, 'The devices.'),
  nodeSelector: optional(3, NodeSelector, 'Labels that the node must have.'),
  allocationTimestamp: optional(5, time, 'When the devices were given.'),
})
export interface AllocationResult extends StoredOf<typeof AllocationResult> {}

export const ResourceClaimConsumerReference = message('io.k8s.api.resource.v1.ResourceClaimConsumerReference', {
  apiGroup: omitempty(1, string, 'The API group; empty for the core one.'),
  resource: required(3, string, 'The resource of the consumer, such as `pods`.'),
  name: required(4, string, 'The name of the consumer.'),
  uid: required(5, string, 'The uid of the consumer.'),
})
export interface ResourceClaimConsumerReference extends StoredOf<typeof ResourceClaimConsumerReference> {}

export const ResourceClaimStatus = message('io.k8s.api.resource.v1.ResourceClaimStatus', {
  allocation: optional(1, AllocationResult, 'What was given.'),
  reservedFor: omitempty(
    2,
    listMap(ResourceClaimConsumerReference, ['uid'], { patchStrategy: 'merge', patchMergeKey: 'uid' }),
    'Who uses it.',
  ),
  devices: omitempty(4, listMap(AllocatedDeviceStatus, ['driver', 'device', 'pool', 'shareID']), 'The state of the devices.'),
})
export interface ResourceClaimStatus extends StoredOf<typeof ResourceClaimStatus> {}

export interface ResourceClaim extends ObjectWith<{ spec: ResourceClaimSpec; status: ResourceClaimStatus }> {}

export const ResourceClaim = defineKind({
  documentation: 'A request for devices.',
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.resource.v1',
  subresources: [statusSubresource],
  deleteReturnsObject: true,
  spec: ResourceClaimSpec,
  status: ResourceClaimStatus,
  columns: [
    nameColumn,
    { name: 'State', description: 'A summary of the current state (allocated, pending, reserved, etc.).', of: stateText },
    ageColumn,
  ],
  gatedFields: [...gatedClaimFields('spec'), ...gatedAllocationFields],
  prepareCreate(claim) {
    claim.status = {}
  },
  validate: ({ spec }, errors) => validateDeviceClaim(spec.devices, errors.at('spec').at('devices')),
  validateUpdate({ spec, status }, old, errors, subresource) {
    if (subresource === '' && !equal(spec, old.spec)) errors.at('spec').invalid(internal(spec), FIELD_IMMUTABLE)
    if (subresource === 'status') validateClaimStatus(status, old.status, errors.at('status'))
  },
})

function stateText({ metadata, status }: ResourceClaim): string {
  const states: string[] = []
  if (metadata.deletionTimestamp) states.push('deleted')
  if (!status.allocation) {
    if (!metadata.deletionTimestamp) states.push('pending')
  } else {
    states.push('allocated')
    if (status.reservedFor) states.push('reserved')
  }
  return states.join(',')
}
