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
  ip: required(1, string, 'The address.'),
})
export interface HostIP extends StoredOf<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = message('io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus', {
  resourceClaimName: required(1, string, 'The ResourceClaim.'),
  containers: omitempty(2, listSet(string), 'The containers that use it.'),
  resources: required(3, map(quantity), 'How much it takes of each resource.'),
})
export interface NodeAllocatableResourceClaimStatus extends StoredOf<typeof NodeAllocatableResourceClaimStatus> {}

export const PodCondition = message('io.k8s.api.core.v1.PodCondition', {
  type: required(1, string, 'What this is about: `Ready`, `PodScheduled`, …'),
  observedGeneration: omitempty(7, int64, 'The generation of the spec that this status answers to.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastProbeTime: embedded(3, timeOrNull, 'When this was last checked.'),
  lastTransitionTime: embedded(4, timeOrNull, 'When the status last changed.'),
  reason: omitempty(5, string, 'What happened, in one word.'),
  message: omitempty(6, string, 'What happened, for people.'),
})
export interface PodCondition extends StoredOf<typeof PodCondition> {}

export const ContainerExtendedResourceRequest = message('io.k8s.api.core.v1.ContainerExtendedResourceRequest', {
  containerName: required(1, string, 'The container.'),
  resourceName: required(2, string, 'The extended resource.'),
  requestName: required(3, string, 'The request of the claim.'),
})
export interface ContainerExtendedResourceRequest extends StoredOf<typeof ContainerExtendedResourceRequest> {}

export const PodExtendedResourceClaimStatus = message('io.k8s.api.core.v1.PodExtendedResourceClaimStatus', {
  requestMappings: required(
    1,
    list(ContainerExtendedResourceRequest, { nullable: true }),
    'Which resource of which container each request stands for.',
  ),
  resourceClaimName: required(2, string, 'The ResourceClaim.'),
})
export interface PodExtendedResourceClaimStatus extends StoredOf<typeof PodExtendedResourceClaimStatus> {}

export const PodIP = message('io.k8s.api.core.v1.PodIP', {
  ip: required(1, string, 'The address.'),
})
export interface PodIP extends StoredOf<typeof PodIP> {}

export const PodResourceClaimStatus = message('io.k8s.api.core.v1.PodResourceClaimStatus', {
  name: required(1, string, "The claim, by its name in the pod's `resourceClaims`."),
  resourceClaimName: optional(2, string, 'The ResourceClaim that was made or found for it.'),
})
export interface PodResourceClaimStatus extends StoredOf<typeof PodResourceClaimStatus> {}

export const PodStatus = message('io.k8s.api.core.v1.PodStatus', {
  observedGeneration: omitempty(17, int64, 'The generation of the spec that this status answers to.'),
  phase: omitempty(1, oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'), 'Where the pod is in its life.'),
  conditions: omitempty(
    2,
    listMap(PodCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the pod right now.',
  ),
  message: omitempty(3, string, 'Why the pod is as it is, for people.'),
  reason: omitempty(4, string, 'Why the pod is as it is, in one word.'),
  nominatedNodeName: omitempty(11, string, 'The node that is being made free for the pod.'),
  hostIP: omitempty(5, string, 'The address of the node.'),
  hostIPs: omitempty(16, list(HostIP, { patchStrategy: 'merge', patchMergeKey: 'ip' }), 'All addresses of the node.'),
  podIP: omitempty(6, string, 'The address of the pod.'),
  podIPs: omitempty(
    12,
    listMap(PodIP, ['ip'], { patchStrategy: 'merge', patchMergeKey: 'ip' }),
    'All addresses of the pod, one per family.',
  ),
  startTime: optional(7, time, 'When the node took the pod on.'),
  initContainerStatuses: omitempty(10, list(ContainerStatus), 'The state of every init container.'),
  containerStatuses: omitempty(8, list(ContainerStatus), 'The state of every container.'),
  qosClass: omitempty(9, oneOf('Guaranteed', 'Burstable', 'BestEffort'), 'How reliably the pod keeps its resources.'),
  ephemeralContainerStatuses: omitempty(13, list(ContainerStatus), 'The state of every ephemeral container.'),
  resize: omitempty(14, oneOf('Proposed', 'InProgress', 'Deferred', 'Infeasible', ''), 'How far a change of resources has come.'),
  resourceClaimStatuses: omitempty(
    15,
    listMap(PodResourceClaimStatus, ['name'], { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' }),
    'The claims that were made for the pod.',
  ),
  extendedResourceClaimStatus: optional(
    18,
    PodExtendedResourceClaimStatus,
    "The ResourceClaim that was made for the pod's extended resources.",
  ),
  allocatedResources: omitempty(19, map(quantity), 'What the node has set aside for the pod.'),
  resources: optional(20, ResourceRequirements, 'What the pod has been given.'),
  nodeAllocatableResourceClaimStatuses: omitempty(
    21,
    list(NodeAllocatableResourceClaimStatus),
    "What the pod's ResourceClaims take of the node's own resources.",
  ),
})
export interface PodStatus extends StoredOf<typeof PodStatus> {}
