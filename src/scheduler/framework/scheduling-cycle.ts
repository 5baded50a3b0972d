import type { Pod } from '#kinds/core/v1/pod.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'

/** The nodes that a cycle sees. The live cache during a cycle; a copy with other contents for preemption and what-if. */
export interface NodeSet {
  readonly nodes: readonly NodeInfo[]
  get(name: string): NodeInfo | undefined
  /** The nodes that hold a pod with (anti-)affinity of any sort, and those with required anti-affinity. */
  readonly withAffinity: Iterable<NodeInfo>
  readonly withRequiredAntiAffinity: Iterable<NodeInfo>
}

/** One attempt to place one pod: what plugins share while it lasts. */
export interface SchedulingCycle {
  readonly pod: Pod
  readonly info: PodInfo
  readonly nodeSet: NodeSet
  /** What a plugin keeps from one extension point to the next, by plugin name. */
  readonly state: Map<string, unknown>
}

/** A cycle of `info` over `nodeSet`. */
export function schedulingCycle(info: PodInfo, nodeSet: NodeSet): SchedulingCycle {
  return { pod: info.pod, info, nodeSet, state: new Map() }
}
