import { CPU, MEMORY } from '../cache/resource-slots.ts'
import type { SchedulerPlugin } from '../framework/plugin.ts'
import { MAX_SCORE } from './normalize.ts'

/** Prefers nodes whose CPU and memory would be used to the same degree. A pod that requests neither has no preference. */
export function nodeResourcesBalancedAllocation(): SchedulerPlugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    preScore: ({ info }) => info.requests[CPU]! > 0 || info.requests[MEMORY]! > 0,
    score({ info }, node) {
      const cpu = fraction(node.requested[CPU]! + info.requests[CPU]!, node.allocatable[CPU])
      const memory = fraction(node.requested[MEMORY]! + info.requests[MEMORY]!, node.allocatable[MEMORY])
      const deviation = cpu === undefined || memory === undefined ? 0 : Math.abs(cpu - memory) / 2
      return Math.floor((1 - deviation) * MAX_SCORE)
    },
  }
}

function fraction(requested: number, allocatable: number | undefined): number | undefined {
  return allocatable ? Math.min(requested / allocatable, 1) : undefined
}
