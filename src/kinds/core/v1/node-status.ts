import {
  boolean,
  embedded,
  int32,
  int64,
  list,
  listMap,
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
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { NodeConfigSource } from './node-config-source.ts'
import { roundUp } from './resource-requirements.ts'

export const AttachedVolume = message('io.k8s.api.core.v1.AttachedVolume', {
  name: required(1, string, 'The volume.'),
  devicePath: required(2, string, 'Where the device is.'),
})
export interface AttachedVolume extends StoredOf<typeof AttachedVolume> {}

export const ContainerImage = message('io.k8s.api.core.v1.ContainerImage', {
  names: embedded(1, list(string, { nullable: true }), 'The names of the image.'),
  sizeBytes: omitempty(2, int64, 'Its size.'),
})
export interface ContainerImage extends StoredOf<typeof ContainerImage> {}

export const NodeAddress = message('io.k8s.api.core.v1.NodeAddress', {
  type: required(1, string, 'What sort of address it is.'),
  address: required(2, string, 'The address.'),
})
export interface NodeAddress extends StoredOf<typeof NodeAddress> {}

export const NodeCondition = message('io.k8s.api.core.v1.NodeCondition', {
  type: required(1, string, 'What this is about: `Ready`, `MemoryPressure`, …'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastHeartbeatTime: embedded(3, timeOrNull, 'When the node last said so.'),
  lastTransitionTime: embedded(4, timeOrNull, 'When the status last changed.'),
  reason: omitempty(5, string, 'What happened, in one word.'),
  message: omitempty(6, string, 'What happened, for people.'),
})
export interface NodeCondition extends StoredOf<typeof NodeCondition> {}

export const NodeConfigStatus = message('io.k8s.api.core.v1.NodeConfigStatus', {
  assigned: optional(1, NodeConfigSource, 'The configuration that the node is to use.'),
  active: optional(2, NodeConfigSource, 'The configuration that the node uses.'),
  lastKnownGood: optional(3, NodeConfigSource, 'The configuration that the node falls back to.'),
  error: omitempty(4, string, 'What is wrong with the assigned configuration.'),
})
export interface NodeConfigStatus extends StoredOf<typeof NodeConfigStatus> {}

export const DaemonEndpoint = message('io.k8s.api.core.v1.DaemonEndpoint', {
  Port: required(1, int32, 'The port.'),
})
export interface DaemonEndpoint extends StoredOf<typeof DaemonEndpoint> {}

export const NodeDaemonEndpoints = message('io.k8s.api.core.v1.NodeDaemonEndpoints', {
  kubeletEndpoint: embedded(1, DaemonEndpoint, 'Where the kubelet listens.'),
})
export interface NodeDaemonEndpoints extends StoredOf<typeof NodeDaemonEndpoints> {}

export const NodeFeatures = message('io.k8s.api.core.v1.NodeFeatures', {
  supplementalGroupsPolicy: optional(1, boolean, 'Whether groups of the image count.'),
})
export interface NodeFeatures extends StoredOf<typeof NodeFeatures> {}

export const NodeRuntimeHandlerFeatures = message('io.k8s.api.core.v1.NodeRuntimeHandlerFeatures', {
  recursiveReadOnlyMounts: optional(1, boolean, 'Whether mounts can be read-only in all their depth.'),
  userNamespaces: optional(2, boolean, 'Whether pods can have user namespaces of their own.'),
})
export interface NodeRuntimeHandlerFeatures extends StoredOf<typeof NodeRuntimeHandlerFeatures> {}

export const NodeRuntimeHandler = message('io.k8s.api.core.v1.NodeRuntimeHandler', {
  name: embedded(1, string, 'The name of the handler; empty for the default one.'),
  features: optional(2, NodeRuntimeHandlerFeatures, 'What the handler can do.'),
})
export interface NodeRuntimeHandler extends StoredOf<typeof NodeRuntimeHandler> {}

export const NodeSwapStatus = message('io.k8s.api.core.v1.NodeSwapStatus', {
  capacity: optional(1, int64, 'How many bytes of swap there are.'),
})
export interface NodeSwapStatus extends StoredOf<typeof NodeSwapStatus> {}

export const NodeSystemInfo = message('io.k8s.api.core.v1.NodeSystemInfo', {
  machineID: required(1, string, 'The id of the machine.'),
  systemUUID: required(2, string, 'The uuid of the machine.'),
  bootID: required(3, string, 'An id that changes with every boot.'),
  kernelVersion: required(4, string, 'The version of the kernel.'),
  osImage: required(5, string, 'The operating system, for people.'),
  containerRuntimeVersion: required(6, string, 'The container runtime with its version.'),
  kubeletVersion: required(7, string, "The version of the node's agent."),
  kubeProxyVersion: required(8, string, 'Out of use.'),
  operatingSystem: required(9, string, 'The operating system.'),
  architecture: required(10, string, 'The architecture.'),
  swap: optional(11, NodeSwapStatus, 'The swap space.'),
})
export interface NodeSystemInfo extends StoredOf<typeof NodeSystemInfo> {}

export const NodeStatus = message(
  'io.k8s.api.core.v1.NodeStatus',
  {
    capacity: omitempty(1, map(quantity), 'What the node has.'),
    allocatable: omitempty(2, map(quantity), 'What of it pods can have.'),
    phase: omitempty(3, oneOf('Pending', 'Running', 'Terminated'), 'Out of use.'),
    conditions: omitempty(
      4,
      listMap(NodeCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
      'What holds of the object right now, one entry per aspect.',
    ),
    addresses: omitempty(5, listMap(NodeAddress, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }), 'How the node is reached.'),
    daemonEndpoints: embedded(6, NodeDaemonEndpoints, "Where the node's agent listens."),
    nodeInfo: embedded(7, NodeSystemInfo, 'What the node runs.'),
    images: omitempty(8, list(ContainerImage), 'Images that are there.'),
    volumesInUse: omitempty(9, list(string), 'Volumes that are mounted.'),
    volumesAttached: omitempty(10, list(AttachedVolume), 'Volumes that are attached.'),
    config: optional(11, NodeConfigStatus, 'Out of use.'),
    runtimeHandlers: omitempty(12, list(NodeRuntimeHandler), 'The ways in which the node can run containers.'),
    features: optional(13, NodeFeatures, 'What the runtime can do.'),
    declaredFeatures: omitempty(14, list(string), 'Features of Kubernetes that the node says it has.'),
  },
  {
    applyDefaults(status) {
      for (const amounts of [status.capacity, status.allocatable]) if (amounts) roundUp(amounts)
      if (status.capacity) status.allocatable ??= { ...status.capacity }
    },
  },
)
export interface NodeStatus extends StoredOf<typeof NodeStatus> {}
