import type { GatedField } from '#machinery/kind/kind.ts'

const fields = (gate: string, at: string, ...paths: readonly string[]): GatedField[] => paths.map(path => ({ gate, path: `${at}.${path}` }))

/** What devices offer behind feature gates. */
export const gatedSliceFields: readonly GatedField[] = [
  ...fields('DRADeviceTaints', 'spec.devices[]', 'taints'),
  ...fields('DRAPartitionableDevices', 'spec', 'perDeviceNodeSelection', 'sharedCounters'),
  ...fields('DRAPartitionableDevices', 'spec.devices[]', 'consumesCounters', 'nodeName', 'nodeSelector', 'allNodes'),
  ...fields('DRAConsumableCapacity', 'spec.devices[]', 'allowMultipleAllocations', 'capacity{}.requestPolicy'),
  ...fields('DRADeviceBindingConditions', 'spec.devices[]', 'bindsToNode', 'bindingConditions', 'bindingFailureConditions'),
  ...fields('DRANodeAllocatableResources', 'spec.devices[]', 'nodeAllocatableResourceMappings'),
]

/** What a claim, whose spec stands at `spec`, asks for behind feature gates. */
export function gatedClaimFields(spec: string): readonly GatedField[] {
  return [`${spec}.devices.requests[].exactly`, `${spec}.devices.requests[].firstAvailable[]`].flatMap(request => [
    ...fields('DRADeviceTaints', request, 'tolerations'),
    ...fields('DRAConsumableCapacity', request, 'capacity'),
  ])
}

/** What is told of given devices behind feature gates. */
export const gatedAllocationFields: readonly GatedField[] = [
  ...fields('DRADeviceTaints', 'status.allocation.devices.results[]', 'tolerations'),
  ...fields('DRAConsumableCapacity', 'status.allocation.devices.results[]', 'consumedCapacity', 'shareID'),
  ...fields('DRADeviceBindingConditions', 'status.allocation.devices.results[]', 'bindingConditions', 'bindingFailureConditions'),
  ...fields('DRADeviceBindingConditions', 'status.allocation', 'allocationTimestamp'),
  ...fields('DRAResourceClaimDeviceStatus', 'status', 'devices'),
]
