import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  boolean,
  int64,
  list,
  map,
  message,
  needed,
  nullable,
  omitempty,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { NodeSelector } from '../../core/v1/node-selector.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { DeviceTaintEffect } from './device-taint-effect.ts'
import { gatedSliceFields } from './gated-slice-fields.ts'
import { stampTaints, validateResourceSlice } from './resource-slice.rules.ts'

export const Counter = message('io.k8s.api.resource.v1.Counter', {
  value: required(1, quantity, 'How much there is.'),
})
export interface Counter extends StoredOf<typeof Counter> {}

export const CounterSet = message('io.k8s.api.resource.v1.CounterSet', {
  name: required(1, string, 'The name of the set.'),
  counters: omitempty(2, map(Counter), 'How much there is, by name.'),
})
export interface CounterSet extends StoredOf<typeof CounterSet> {}

export const DeviceAttribute = message('io.k8s.api.resource.v1.DeviceAttribute', {
  int: optional(2, int64, 'A whole number.'),
  bool: optional(3, boolean, 'A truth value.'),
  string: optional(4, string, 'A text.'),
  version: optional(5, string, 'A version, as semver.org has them.'),
  ints: omitempty(6, list(int64), 'Several whole numbers.'),
  bools: omitempty(7, list(boolean), 'Several truth values.'),
  strings: omitempty(8, list(string), 'Several texts.'),
  versions: omitempty(9, list(string), 'Several versions.'),
})
export interface DeviceAttribute extends StoredOf<typeof DeviceAttribute> {}

export const CapacityRequestPolicyRange = message('io.k8s.api.resource.v1.CapacityRequestPolicyRange', {
  min: needed(1, quantity, 'The least.'),
  max: optional(2, quantity, 'The most; all there is unless said.'),
  step: optional(3, quantity, 'Amounts are rounded up to whole steps above the least.'),
})
export interface CapacityRequestPolicyRange extends StoredOf<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = message('io.k8s.api.resource.v1.CapacityRequestPolicy', {
  default: nullable(1, quantity, 'What is taken where nothing is asked for.'),
  validValues: omitempty(3, list(quantity), 'The amounts that may be asked for; the next larger one is taken.'),
  validRange: optional(4, CapacityRequestPolicyRange, 'The range of amounts that may be asked for.'),
})
export interface CapacityRequestPolicy extends StoredOf<typeof CapacityRequestPolicy> {}

export const DeviceCapacity = message('io.k8s.api.resource.v1.DeviceCapacity', {
  value: required(1, quantity, 'How much there is.'),
  requestPolicy: optional(2, CapacityRequestPolicy, 'How much of it may be asked for.'),
})
export interface DeviceCapacity extends StoredOf<typeof DeviceCapacity> {}

export const DeviceCounterConsumption = message('io.k8s.api.resource.v1.DeviceCounterConsumption', {
  counterSet: required(1, string, 'The set of counters.'),
  counters: omitempty(2, map(Counter), 'How much it takes of each.'),
})
export interface DeviceCounterConsumption extends StoredOf<typeof DeviceCounterConsumption> {}

export const DeviceTaint = message('io.k8s.api.resource.v1.DeviceTaint', {
  key: required(1, string, 'The key.'),
  value: omitempty(2, string, 'The value.'),
  effect: required(3, DeviceTaintEffect, 'What it does to claims and pods that do not tolerate it.'),
  timeAdded: optional(4, time, 'When it was added.'),
})
export interface DeviceTaint extends StoredOf<typeof DeviceTaint> {}

export const NodeAllocatableResourceMapping = message('io.k8s.api.resource.v1.NodeAllocatableResourceMapping', {
  capacityKey: optional(1, string, 'The capacity whose amount counts.'),
  allocationMultiplier: optional(2, quantity, 'By what the amount is multiplied.'),
})
export interface NodeAllocatableResourceMapping extends StoredOf<typeof NodeAllocatableResourceMapping> {}

export const Device = message('io.k8s.api.resource.v1.Device', {
  name: required(1, string, 'The name of the device, unique in its pool.'),
  attributes: omitempty(2, map(DeviceAttribute), 'What the device is like, by name.'),
  capacity: omitempty(3, map(DeviceCapacity), 'How much the device has, by name.'),
  consumesCounters: omitempty(4, list(DeviceCounterConsumption), 'What the device takes of counters that others use too.'),
  nodeName: optional(5, string, 'The node from which the device is reached.'),
  nodeSelector: optional(6, NodeSelector, 'Labels that the node must have.'),
  allNodes: optional(7, boolean, 'Whether every node can use it.'),
  taints: omitempty(8, list(DeviceTaint), 'What keeps claims away that do not tolerate it.'),
  bindsToNode: optional(9, boolean, 'Whether a claim is bound to the node where the device was given.'),
  bindingConditions: omitempty(10, list(string), 'Conditions to wait for before the pod is bound.'),
  bindingFailureConditions: omitempty(11, list(string), 'Conditions that mean that it failed.'),
  allowMultipleAllocations: optional(12, boolean, 'Whether several claims can share the device.'),
  nodeAllocatableResourceMappings: omitempty(13, map(NodeAllocatableResourceMapping), "What the device takes of the node's own resources."),
})
export interface Device extends StoredOf<typeof Device> {}

export const ResourcePool = message('io.k8s.api.resource.v1.ResourcePool', {
  name: required(1, string, 'The name of the pool.'),
  generation: required(2, int64, 'Grows when the pool changes; older slices no longer count.'),
  resourceSliceCount: required(3, int64, 'How many slices make up the pool.'),
})
export interface ResourcePool extends StoredOf<typeof ResourcePool> {}

export const ResourceSliceSpec = message('io.k8s.api.resource.v1.ResourceSliceSpec', {
  driver: required(1, string, 'The driver.'),
  pool: required(2, ResourcePool, 'The pool of the device.'),
  nodeName: optional(3, string, 'The node.'),
  nodeSelector: optional(4, NodeSelector, 'Labels that the node must have.'),
  allNodes: optional(5, boolean, 'Whether every node can use it.'),
  devices: omitempty(6, list(Device), 'The devices.'),
  perDeviceNodeSelection: optional(7, boolean, 'Whether each device says which nodes can use it.'),
  sharedCounters: omitempty(8, list(CounterSet), 'Counters that devices of the pool share.'),
})
export interface ResourceSliceSpec extends StoredOf<typeof ResourceSliceSpec> {}

export interface ResourceSlice extends ObjectWith<{ spec: ResourceSliceSpec }> {}

export const ResourceSlice = defineKind({
  documentation: 'Devices that a node or a pool has.',
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  scope: 'Cluster',
  openapi: 'io.k8s.api.resource.v1',
  deleteReturnsObject: true,
  generation: true,
  spec: ResourceSliceSpec,
  columns: [
    nameColumn,
    {
      name: 'Node',
      description:
        'NodeName identifies the node which provides the resources in this pool. A field selector can be used to list only ResourceSlice objects belonging to a certain node.\n\nThis field can be used to limit access from nodes to ResourceSlices with the same node name. It also indicates to autoscalers that adding new nodes of the same type as some old node might also make new resources available.\n\nExactly one of NodeName, NodeSelector, AllNodes, and PerDeviceNodeSelection must be set. This field is immutable.',
      of: ({ spec }) => spec.nodeName ?? '',
    },
    {
      name: 'Driver',
      description:
        'Driver identifies the DRA driver providing the capacity information. A field selector can be used to list only ResourceSlice objects with a certain driver name.\n\nMust be a DNS subdomain and should end with a DNS domain owned by the vendor of the driver. It should use only lower case characters. This field is immutable.',
      of: ({ spec }) => spec.driver,
    },
    {
      name: 'Pool',
      description:
        'Name is used to identify the pool. For node-local devices, this is often the node name, but this is not required.\n\nIt must not be longer than 253 characters and must consist of one or more DNS sub-domains separated by slashes. This field is immutable.',
      of: ({ spec }) => spec.pool.name,
    },
    ageColumn,
  ],
  gatedFields: gatedSliceFields,
  prepareCreate(slice, { now }) {
    stampTaints(slice, now)
  },
  prepareUpdate(slice, _old, { now }) {
    stampTaints(slice, now)
  },
  validate: validateResourceSlice,
  validateUpdate({ spec }, old, errors) {
    const at = errors.at('spec')
    validateImmutable(spec.driver, old.spec.driver, at.at('driver'))
    validateImmutable(spec.pool.name, old.spec.pool.name, at.at('pool').at('name'))
    validateImmutable(spec.nodeName, old.spec.nodeName, at.at('nodeName'))
  },
  selectableFields: { 'spec.nodeName': ({ spec }) => spec.nodeName ?? '', 'spec.driver': ({ spec }) => spec.driver },
})
