import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { CPU, MEMORY, PODS, resourceOf } from '../cache/resource-slots.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import { MAX_SCORE } from './normalize.ts'

/** How a node's use of its resources is turned into a score. */
export type ScoringStrategy =
  | { readonly type: 'LeastAllocated' | 'MostAllocated'; readonly resources?: readonly WeightedResource[] }
  | { readonly type: 'RequestedToCapacityRatio'; readonly resources?: readonly WeightedResource[]; readonly shape: readonly ShapePoint[] }

export interface WeightedResource {
  readonly name: 'cpu' | 'memory'
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

/** Keeps pods off nodes that have not enough left of what they request; scores how full a node would be. */
export function nodeResourcesFit(strategy: ScoringStrategy = { type: 'LeastAllocated' }): SchedulerPlugin {
  const resources = strategy.resources ?? DEFAULT_RESOURCES
  const scoreOf = scorerOf(strategy)
  return {
    name: 'NodeResourcesFit',
    wakesOn: ['node added', 'node allocatable changed', 'pod removed', 'pod scaled down'],
    filter: ({ info }, node) => shortageOf(info, node),
    score({ info }, node) {
      let sum = 0
      let weights = 0
      for (const { name, weight } of resources) {
        const slot = name === 'cpu' ? CPU : MEMORY
        const allocatable = node.allocatable[slot] ?? 0
        if (allocatable === 0) continue
        const requested = name === 'cpu' ? node.scoredCpu + info.scoredCpu : node.scoredMemory + info.scoredMemory
        sum += weight * scoreOf(requested, allocatable)
        weights += weight
      }
      return weights === 0 ? 0 : Math.floor(sum / weights)
    },
  }
}

/** One refusal per set of resources that a node is short of, kept. */
const refusals = new Map<string, Refusal>()

function shortageOf(pod: PodInfo, node: NodeInfo): Refusal | undefined {
  let short: number[] | undefined
  let hopeless = false
  for (const slot of pod.requestedSlots) {
    const wanted = pod.requests[slot]!
    const allocatable = node.allocatable[slot] ?? 0
    if (wanted <= allocatable - (node.requested[slot] ?? 0)) continue
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
      const points = strategy.shape
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
