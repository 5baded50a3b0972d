import type { ClusterEvent } from '../framework/plugin.ts'

/** What brings pods from one part of the queue to another, as upstream's metrics name it. */
export const EVENT_NAMES: Readonly<Record<ClusterEvent, string>> = {
  'node added': 'NodeAdd',
  'node removed': 'NodeDelete',
  'node allocatable changed': 'NodeUpdateNodeAllocatable',
  'node labels changed': 'NodeUpdateNodeLabel',
  'node taints changed': 'NodeUpdateNodeTaint',
  'node images changed': 'NodeUpdate',
  'node features changed': 'NodeUpdateNodeDeclaredFeature',
  'pod added': 'AssignedPodAdd',
  'pod removed': 'AssignedPodDelete',
  'pod labels changed': 'AssignedPodUpdatePodLabel',
  'pod scaled down': 'AssignedPodUpdatePodScaleDown',
  'pod gates removed': 'PodUpdatePodSchedulingGatesEliminated',
  'volumes changed': 'PersistentVolumeClaimUpdate',
  'resource claims changed': 'ResourceClaimUpdate',
  'pod of a group added': 'UnschedulablePodAdd',
  'pod group changed': 'PodGroupAdd',
}
