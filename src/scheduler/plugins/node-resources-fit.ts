import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { CPU, MEMORY, PODS, resourceOf, slotOf } from '../cache/resource-slots.ts'
import type { ClusterChange, Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { Nominations } from '../framework/select-node.ts'
import { MAX_SCORE } from './normalize.ts'

/** Upstream's NodeResourcesFitArgs. */
export interface NodeResourcesFitArgs {
  /** Extended resources that someone else sees to. */
  readonly ignoredResources?: readonly string[] | undefined
  /** The parts before `/` of such resources. */
  readonly ignoredResourceGroups?: readonly string[] | undefined
  readonly scoringStrategy?: ScoringStrategy | undefined
}

/** How a node's use of its resources is turned into a score. */
export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  readonly resources?: readonly WeightedResource[] | undefined
  readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] | undefined } | undefined
}

export interface WeightedResource {
  readonly name?: string | undefined
  readonly weight: number
}

/** A point of the function from utilization (0…100) to score (0…10). */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

const DEFAULT_RESOURCES: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

/** Keeps pods off nodes that have not enough left of what they request; scores how full a node would be. Hot: bench/scheduler. */
export function nodeResourcesFit(args: NodeResourcesFitArgs = {}, nominations?: Nominations): SchedulerPlugin {
  const strategy = args.scoringStrategy ?? { type: 'LeastAllocated' }
  const resources = (strategy.resources?.length ? strategy.resources : DEFAULT_RESOURCES).map(({ name = '', weight }) => ({
    slot: slotOf(name),
    weight,
  }))
  const scoreOf = scorerOf(strategy)
  const ignored = new Set(args.ignoredResources)
  const groups = new Set(args.ignoredResourceGroups)
  const isIgnored = (slot: number) =>
    slot > PODS && (ignored.has(resourceOf(slot)) || (groups.size > 0 && groups.has(resourceOf(slot).split('/')[0]!)))
  const skips = ignored.size + groups.size > 0 ? isIgnored : undefined
  const makesRoom = (pod: PodInfo, { node }: ClusterChange) => node === undefined || mayFit(pod, node, nominations, skips)
  return {
    name: 'NodeResourcesFit',
    sign: ({ requests, scoredCpu, scoredMemory }) => [requests, scoredCpu, scoredMemory],
    wakesOn: [
      { event: 'node added', helps: (pod, { node }) => node === undefined || shortageOf(pod, node, skips) === undefined },
      { event: 'node allocatable changed', helps: (pod, { node }) => node === undefined || shortageOf(pod, node, skips) === undefined },
      { event: 'pod removed', helps: makesRoom },
      { event: 'pod scaled down', helps: makesRoom },
    ],
    filter: ({ info }, node) => shortageOf(info, node, skips),
    score({ info }, node) {
      let sum = 0
      let weights = 0
      for (let index = 0; index < resources.length; index++) {
        const { slot, weight } = resources[index]!
        const wanted = info.requests[slot] ?? 0
        // An extended resource counts only for pods that want it.
        if (slot > PODS && wanted === 0) continue
        const allocatable = node.allocatable[slot] ?? 0
        if (allocatable === 0) continue
        sum += weight * scoreOf(requestedOf(info, node, slot), allocatable)
        weights += weight
      }
      return weights === 0 ? 0 : Math.floor(sum / weights)
    },
  }
}

/** What would be requested of the node with the pod there; containers without a request count as small ones. */
function requestedOf(pod: PodInfo, node: NodeInfo, slot: number): number {
  if (slot === CPU) return node.scoredCpu + pod.scoredCpu
  if (slot === MEMORY) return node.scoredMemory + pod.scoredMemory
  return (node.requested[slot] ?? 0) + (pod.requests[slot] ?? 0)
}

/**
 * Whether there is room now, or could be if pods of lower priority were evicted; not what others wait for there. A pod that others have been
 * evicted for already waits for room alone.
 */
function mayFit(
  pod: PodInfo,
  node: NodeInfo,
  nominations: Nominations | undefined,
  skips: ((slot: number) => boolean) | undefined,
): boolean {
  const waits = nominations?.nodeOf(pod.uid) !== undefined
  const coming = nominations?.on(node.name) ?? NO_PODS
  const { requests, requestedSlots } = pod
  for (let index = 0; index < requestedSlots.length; index++) {
    const slot = requestedSlots[index]!
    if (skips?.(slot)) continue
    const wanted = requests[slot]!
    let free = (node.allocatable[slot] ?? 0) - (node.requested[slot] ?? 0)
    // Hot: bench/loops (preemption) — asked of each pod that waits for each victim that goes.
    if (waits && wanted > free) return false
    for (let at = 0; at < coming.length; at++) {
      const other = coming[at]!
      if (other.priority >= pod.priority && other.uid !== pod.uid) free -= other.requests[slot] ?? 0
    }
    if (!waits && wanted > free)
      for (const other of node.pods.values()) if (other.priority < pod.priority) free += other.requests[slot] ?? 0
    if (wanted > free) return false
  }
  return true
}

const NO_PODS: readonly PodInfo[] = []

/** One refusal per set of resources that a node is short of, kept. */
const refusals = new Map<string, Refusal>()

function shortageOf(pod: PodInfo, node: NodeInfo, skips: ((slot: number) => boolean) | undefined): Refusal | undefined {
  let short: number[] | undefined
  let hopeless = false
  const { requests, requestedSlots } = pod
  for (let index = 0; index < requestedSlots.length; index++) {
    const slot = requestedSlots[index]!
    const wanted = requests[slot]!
    const allocatable = node.allocatable[slot] ?? 0
    if (wanted <= allocatable - (node.requested[slot] ?? 0) || skips?.(slot)) continue
    short ??= []
    short.push(slot)
    if (wanted > allocatable) hopeless = true
  }
  if (!short) return undefined
  const key = `${hopeless ? '!' : ''}${short.join()}`
  let refusal = refusals.get(key)
  if (!refusal) {
    const reasons = short
      .sort((a, b) => order(a) - order(b))
      .map(slot => (slot === PODS ? 'Too many pods' : `Insufficient ${resourceOf(slot)}`))
    refusal = { plugin: 'NodeResourcesFit', code: hopeless ? 'unresolvable' : 'unschedulable', reasons }
    refusals.set(key, refusal)
  }
  return refusal
}

/** Too many pods stands first. */
const order = (slot: number) => (slot === PODS ? -1 : slot)

function scorerOf(strategy: ScoringStrategy): (requested: number, allocatable: number) => number {
  switch (strategy.type) {
    case 'LeastAllocated':
      return (requested, allocatable) => (requested > allocatable ? 0 : Math.floor(((allocatable - requested) * MAX_SCORE) / allocatable))
    case 'MostAllocated':
      return (requested, allocatable) => Math.floor((Math.min(requested, allocatable) * MAX_SCORE) / allocatable)
    case 'RequestedToCapacityRatio': {
      const points = strategy.requestedToCapacityRatio?.shape ?? []
      return (requested, allocatable) => 10 * interpolate(points, Math.floor((Math.min(requested, allocatable) * MAX_SCORE) / allocatable))
    }
  }
}

/** The score at a utilization: along the line between the points around it. */
function interpolate(points: readonly ShapePoint[], utilization: number): number {
  const after = points.findIndex(point => utilization <= point.utilization)
  if (after === 0) return points[0]!.score
  if (after < 0) return points.at(-1)?.score ?? 0
  const left = points[after - 1]!
  const right = points[after]!
  return left.score + Math.trunc(((right.score - left.score) * (utilization - left.utilization)) / (right.utilization - left.utilization))
}
