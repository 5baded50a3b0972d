import {
  embedded,
  int64,
  list,
  listMap,
  listSet,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { ContainerStatus } from './container-status.ts'
import { ResourceRequirements } from './resource-requirements.ts'

export const HostIP = message('io.k8s.api.core.v1.HostIP', {
  ip: required(1, string),
})
export interface HostIP extends StoredOf<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = message('io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus', {
  resourceClaimName: required(1, string),
  containers: omitempty(2, listSet(string)),
  resources: required(3, map(quantity)),
})
export interface NodeAllocatableResourceClaimStatus extends StoredOf<typeof NodeAllocatableResourceClaimStatus> {}

export const PodCondition = message('io.k8s.api.core.v1.PodCondition', {
  type: required(1, string),
  observedGeneration: omitempty(7, int64),
  status: required(2, ConditionStatus),
  lastProbeTime: embedded(3, timeOrNull),
  lastTransitionTime: embedded(4, timeOrNull),
  reason: omitempty(5, string),
  message: omitempty(6, string),
})
export interface PodCondition extends StoredOf<typeof PodCondition> {}

export const ContainerExtendedResourceRequest = message('io.k8s.api.core.v1.ContainerExtendedResourceRequest', {
  containerName: required(1, string),
  resourceName: required(2, string),
  requestName: required(3, string),
})
export interface ContainerExtendedResourceRequest extends StoredOf<typeof ContainerExtendedResourceRequest> {}

export const PodExtendedResourceClaimStatus = message('io.k8s.api.core.v1.PodExtendedResourceClaimStatus', {
  requestMappings: required(1, list(ContainerExtendedResourceRequest, { nullable: true })),
  resourceClaimName: required(2, string),
})
export interface PodExtendedResourceClaimStatus extends StoredOf<typeof PodExtendedResourceClaimStatus> {}

export const PodIP = message('io.k8s.api.core.v1.PodIP', {
  ip: required(1, string),
})
export interface PodIP extends StoredOf<typeof PodIP> {}

export const PodResourceClaimStatus = message('io.k8s.api.core.v1.PodResourceClaimStatus', {
  name: required(1, string),
  resourceClaimName: optional(2, string),
})
export interface PodResourceClaimStatus extends StoredOf<typeof PodResourceClaimStatus> {}

export const PodStatus = message('io.k8s.api.core.v1.PodStatus', {
  observedGeneration: omitempty(17, int64),
  phase: omitempty(1, oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown')),
  conditions: omitempty(2, listMap(PodCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' })),
  message: omitempty(3, string),
  reason: omitempty(4, string),
  nominatedNodeName: omitempty(11, string),
  hostIP: omitempty(5, string),
  hostIPs: omitempty(16, list(HostIP, { patchStrategy: 'merge', patchMergeKey: 'ip' })),
  podIP: omitempty(6, string),
  podIPs: omitempty(12, listMap(PodIP, ['ip'], { patchStrategy: 'merge', patchMergeKey: 'ip' })),
  startTime: optional(7, time),
  initContainerStatuses: omitempty(10, list(ContainerStatus)),
  containerStatuses: omitempty(8, list(ContainerStatus)),
  qosClass: omitempty(9, oneOf('Guaranteed', 'Burstable', 'BestEffort')),
  ephemeralContainerStatuses: omitempty(13, list(ContainerStatus)),
  resize: omitempty(14, oneOf('Proposed', 'InProgress', 'Deferred', 'Infeasible', '')),
  resourceClaimStatuses: omitempty(
    15,
    listMap(PodResourceClaimStatus, ['name'], { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' }),
  ),
  extendedResourceClaimStatus: optional(18, PodExtendedResourceClaimStatus),
  allocatedResources: omitempty(19, map(quantity)),
  resources: optional(20, ResourceRequirements),
  nodeAllocatableResourceClaimStatuses: omitempty(21, list(NodeAllocatableResourceClaimStatus)),
})
export interface PodStatus extends StoredOf<typeof PodStatus> {}
