import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { CPU, MEMORY, slotOf } from '../cache/resource-slots.ts'
import type { SchedulerPlugin } from '../framework/plugin.ts'
import { MAX_SCORE } from './normalize.ts'

/** Prefers nodes whose resources (CPU and memory, unless others are named) would be used to the same degree. A pod that requests none has no preference. */
export function nodeResourcesBalancedAllocation(resources: readonly { readonly name?: string | undefined }[] = []): SchedulerPlugin {
  const slots = resources.length > 0 ? resources.map(({ name = '' }) => slotOf(name)) : [CPU, MEMORY]
  return {
    name: 'NodeResourcesBalancedAllocation',
    sign: ({ requests }) => requests,
    preScore: ({ info }) => slots.some(slot => (info.requests[slot] ?? 0) > 0),
    score: ({ info }, node) => Math.floor((1 - deviation(info, node, slots)) * MAX_SCORE),
  }
}

/** The standard deviation of the used shares; of two it is half their distance. */
function deviation(pod: PodInfo, node: NodeInfo, slots: readonly number[]): number {
  let count = 0
  let sum = 0
  let squares = 0
  let first = 0
  let last = 0
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]!
    const allocatable = node.allocatable[slot] ?? 0
    if (allocatable === 0) continue
    const share = Math.min(((node.requested[slot] ?? 0) + (pod.requests[slot] ?? 0)) / allocatable, 1)
    if (count++ === 0) first = share
    last = share
    sum += share
    squares += share * share
  }
  if (count < 2) return 0
  if (count === 2) return Math.abs(first - last) / 2
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))
}
