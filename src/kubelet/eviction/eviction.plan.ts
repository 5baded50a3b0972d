import { priorityOf, qosClassOf, requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { MachineUsage } from '../node/machine-facts.ts'

/** Below these the node is under pressure; upstream's defaults. */
export interface EvictionThresholds {
  readonly memoryAvailableBytes: number
  readonly diskAvailableShare: number
  readonly inodesFree: number
  readonly pidsFree: number
}

export const DEFAULT_THRESHOLDS: EvictionThresholds = {
  memoryAvailableBytes: 100 * 1024 * 1024,
  diskAvailableShare: 0.1,
  inodesFree: 1000,
  pidsFree: 100,
}

export interface Pressures {
  readonly memory: boolean
  readonly disk: boolean
  readonly pids: boolean
}

/** What the node runs short of. */
export function pressuresOf(usage: MachineUsage, diskBytes: number, thresholds: EvictionThresholds): Pressures {
  return {
    memory: usage.memoryAvailableBytes < thresholds.memoryAvailableBytes,
    disk: usage.diskAvailableBytes < thresholds.diskAvailableShare * diskBytes || usage.inodesFree < thresholds.inodesFree,
    pids: usage.processLimit - usage.processes < thresholds.pidsFree,
  }
}

/** The pod to end first for want of memory: one that uses more than it asked for, of the lowest priority, that exceeds its request the most. */
export function victimOf(pods: readonly Pod[], memoryUsedBytes: (pod: Pod) => number): Pod | undefined {
  const excess = (pod: Pod) => memoryUsedBytes(pod) - (requestsOf(pod)['memory'] ?? 0)
  const candidates = pods.filter(pod => priorityOf(pod) < CRITICAL_PRIORITY)
  return [...candidates].sort(
    (a, b) => Number(excess(b) > 0) - Number(excess(a) > 0) || priorityOf(a) - priorityOf(b) || rank(a) - rank(b) || excess(b) - excess(a),
  )[0]
}

const CRITICAL_PRIORITY = 2_000_000_000
const ORDER = ['BestEffort', 'Burstable', 'Guaranteed']
const rank = (pod: Pod) => ORDER.indexOf(qosClassOf(pod))
