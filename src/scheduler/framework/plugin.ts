import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Refusals } from './refusals.ts'
import type { SchedulingCycle } from './scheduling-cycle.ts'

/**
 * Why a pod, or a pod on a node, is refused. A refusal that says nothing of the pod at hand is a constant of its plugin: filtering thousands
 * of nodes allocates nothing.
 */
export interface Refusal {
  readonly plugin: string
  /**
   * `unschedulable`: it may fit once pods have gone. `unresolvable`: no eviction would help. `pending`: nothing is to be done but wait.
   */
  readonly code: 'unschedulable' | 'unresolvable' | 'pending'
  /** As users read it behind `0/3 nodes are available: 1`. */
  readonly reasons: readonly string[]
}

/** What a plugin's {@link SchedulerPlugin.preFilter} found out. */
export interface PreFilterResult {
  readonly refusal?: Refusal
  /** Only these nodes come into question. */
  readonly nodeNames?: ReadonlySet<string>
  /** The plugin has nothing to say of this pod: its filter is not asked. */
  readonly skip?: boolean
}

/** What a plugin made of a pod that fits nowhere. */
export interface PostFilterResult {
  /** Where the pod is to go once its victims have ended; undefined if nothing could be done. */
  readonly nominatedNodeName?: string
  /** A node that was nominated before stays so: what was begun there is not over. */
  readonly keepsNomination?: boolean
  readonly message: string
}

/** Something that happened in the cluster and may make room for a pod. */
export type ClusterEvent =
  | 'node added'
  | 'node allocatable changed'
  | 'node labels changed'
  | 'node taints changed'
  | 'node images changed'
  | 'node features changed'
  | 'node removed'
  | 'pod added'
  | 'pod removed'
  | 'pod labels changed'
  | 'pod scaled down'
  | 'pod gates removed'
  | 'volumes changed'
  | 'resource claims changed'
  | 'pod of a group added'
  | 'pod group changed'

/** What an event was about: a node, a pod and the node that it is or was on, or a group of pods. */
export interface ClusterChange {
  readonly event: ClusterEvent
  readonly node?: NodeInfo | undefined
  readonly pod?: Pod
  /** As `<namespace>/<name>`. */
  readonly group?: string | undefined
}

/**
 * One rule of scheduling, in a file of its own. Every method is an extension point of upstream's framework
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/), asked in this order; a plugin has those it needs.
 *
 * From preFilter to reserve a cycle is one synchronous step on the cache as it stands; from permit on, it waits for others.
 */
export interface SchedulerPlugin {
  readonly name: string
  /** The events after which a pod that this plugin refused may fit; with what they must be about, where that is cheap to tell. */
  readonly wakesOn?: readonly (ClusterEvent | { readonly event: ClusterEvent; helps(pod: PodInfo, change: ClusterChange): boolean })[]

  /**
   * All of a pod that filter and score go by, as JSON can hold it. Only a plugin that looks at nothing else but that and the node has it: what it
   * says of pods for which this is the same is kept until the node changes (KEP-5598).
   */
  sign?(pod: PodInfo): unknown

  /** Keeps a pod out of the queue until it changes. */
  preEnqueue?(pod: Pod): Refusal | undefined
  /** Negative if `left` goes first. One plugin of a profile sorts. */
  compare?(left: QueuedPod, right: QueuedPod): number
  preFilter?(cycle: SchedulingCycle): PreFilterResult | undefined
  /** What {@link preFilter} found out is to count with `pod` on `node`, too. `node` has it already. */
  addPod?(cycle: SchedulingCycle, pod: PodInfo, node: NodeInfo): void
  /** … or without it. */
  removePod?(cycle: SchedulingCycle, pod: PodInfo, node: NodeInfo): void
  /** Hot: asked for every pod and node. */
  filter?(cycle: SchedulingCycle, node: NodeInfo): Refusal | undefined
  /** When no node was left: make room. */
  postFilter?(cycle: SchedulingCycle, refusals: Refusals): PostFilterResult | undefined
  /** The node where {@link postFilter} could make room, which it then would do. Asked of pods that are tried together. */
  roomFor?(cycle: SchedulingCycle, refusals: Refusals): string | undefined
  /** Returns false if the plugin has no preference: score is then not asked. Hot. */
  preScore?(cycle: SchedulingCycle, nodes: readonly NodeInfo[]): boolean
  /** Higher is better; 0 to 100 once normalised. Hot. */
  score?(cycle: SchedulingCycle, node: NodeInfo): number
  /** Brings raw scores, in place, to 0…100. */
  normalize?(cycle: SchedulingCycle, scores: Float64Array): void
  /**
   * The sets of nodes, by name, that a group may be placed on, each a placement to be tried; undefined: anywhere. `scheduledOn` are the nodes of its
   * pods that have one.
   */
  placementGenerate?(
    group: PodGroup,
    nodes: readonly NodeInfo[],
    scheduledOn: readonly NodeInfo[],
  ): readonly ReadonlySet<string>[] | undefined
  /** Keeps a pod to the nodes of a placement until it is called without them. */
  confine?(uid: string, nodeNames?: ReadonlySet<string>): void
  /** Higher is better, for a placement in which `placed` of a group's pods have nodes. */
  placementScore?(group: PodGroup, placed: number): number
  /** What is missing if `placed` pods of a group have nodes; undefined if so many will do. Asked of pods that are tried together. */
  groupFeasible?(group: PodGroup, placed: number): Refusal | undefined
  reserve?(cycle: SchedulingCycle, node: NodeInfo): Refusal | undefined
  /** Undoes {@link reserve}; also called for plugins that had not reserved yet. */
  unreserve?(cycle: SchedulingCycle, node: NodeInfo): void
  /** Resolves once the pod may be bound; rejects to send it back. */
  permit?(cycle: SchedulingCycle, node: NodeInfo, signal: AbortSignal): Promise<void> | undefined
  /** What has to be done before the pod is bound, such as attaching its volumes; undefined if there is nothing. */
  preBind?(cycle: SchedulingCycle, node: NodeInfo, signal: AbortSignal): Promise<void> | undefined
  /** The first plugin that has it binds. */
  bind?(cycle: SchedulingCycle, node: NodeInfo, signal: AbortSignal): Promise<void>
  postBind?(cycle: SchedulingCycle, node: NodeInfo): void
}

/** A pod in the queue. */
export interface QueuedPod {
  readonly info: PodInfo
  /** When it was first seen, in monotonic milliseconds. */
  readonly queuedAt: number
}
