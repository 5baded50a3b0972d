import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'

/** The pods to evict from a node so that a pod fits there. */
export interface Candidate {
  readonly node: NodeInfo
  /** The most important first. */
  readonly victims: readonly PodInfo[]
  /** How many of them a disruption budget would rather keep. */
  readonly violations: number
}

/** Negative if `left` matters more: by priority, then by how long it has been running. */
export function moreImportant(left: PodInfo, right: PodInfo): number {
  if (left.priority !== right.priority) return right.priority - left.priority
  const [early, late] = [startOf(left), startOf(right)]
  return early < late ? -1 : early > late ? 1 : 0
}

const startOf = ({ pod }: PodInfo) => pod.status.startTime ?? pod.metadata.creationTimestamp ?? ''

/** The candidate that hurts least, by upstream's order of criteria; the first of equals. */
export function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined
  for (const candidate of candidates) if (!best || compare(candidate, best) < 0) best = candidate
  return best
}

/**
 * Fewest violated budgets; lowest priority of the most important victim; lowest sum of priorities; fewest victims; and the one whose most
 * important victims started last.
 */
function compare(left: Candidate, right: Candidate): number {
  return (
    left.violations - right.violations ||
    highest(left) - highest(right) ||
    sum(left) - sum(right) ||
    left.victims.length - right.victims.length ||
    later(earliestStart(left), earliestStart(right))
  )
}

/** Priorities are made positive, so that more victims never count as less. */
const OFFSET = 2 ** 31
const highest = ({ victims }: Candidate) => victims[0]?.priority ?? -OFFSET
const sum = ({ victims }: Candidate) => victims.reduce((total, victim) => total + victim.priority + OFFSET, 0)
/** Victims of the same priority are sorted by their start. */
const earliestStart = ({ victims }: Candidate) => (victims[0] ? startOf(victims[0]) : '')
const later = (left: string, right: string) => (left > right ? -1 : left < right ? 1 : 0)
