import type { Pod } from '#kinds/core/v1/pod.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { PodTallies } from '../cache/pod-tallies.ts'
import type { Topology } from '../cache/topology.ts'
import type { SignatureVerdicts } from './local-verdicts.ts'
import type { PointTimer } from './point-timer.ts'

/** The nodes that a cycle sees: the cache, which stands still while a cycle looks at it. */
export interface NodeSet {
  /** In an order that goes round the zones. */
  readonly nodes: readonly NodeInfo[]
  readonly topology: Topology
  readonly tallies: PodTallies
  get(name: string): NodeInfo | undefined
  /** How many nodes have the image. */
  nodesWithImage(image: string): number
  /** How many pods use the claim, as `<namespace>/<name>`. */
  usersOfClaim(claim: string): number
}

/** One attempt to place one pod: what plugins share while it lasts. */
export interface SchedulingCycle {
  readonly pod: Pod
  readonly info: PodInfo
  readonly nodeSet: NodeSet
  /** What a plugin keeps from one extension point to the next, by plugin name. */
  readonly state: Map<string, unknown>
  /** What is known of the nodes from pods of the same signature. */
  readonly known?: SignatureVerdicts | undefined
  /** Takes the time of the attempt; absent where something is only tried out. */
  readonly timer?: PointTimer | undefined
}

/** What a plugin keeps and changes when pods are tried elsewhere: each trial has a copy. */
export interface TrialState {
  copy(): TrialState
}

/** A cycle of `info` over `nodeSet`. */
export function schedulingCycle(info: PodInfo, nodeSet: NodeSet, known?: SignatureVerdicts, timer?: PointTimer): SchedulingCycle {
  return { pod: info.pod, info, nodeSet, state: new Map(), known, timer }
}

/** The same cycle, in which pods can come and go without the other noticing. */
export function trialOf(cycle: SchedulingCycle): SchedulingCycle {
  const state = new Map<string, unknown>()
  for (const [name, value] of cycle.state) state.set(name, isTrialState(value) ? value.copy() : value)
  return { ...cycle, state }
}

export function isTrialState(value: unknown): value is TrialState {
  return typeof value === 'object' && value !== null && typeof (value as { copy?: unknown }).copy === 'function'
}
