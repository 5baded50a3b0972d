import { isReady, isScheduled, phaseOf, podCondition } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'

/** A pod and how many like it share its node. */
export interface RankedPod {
  readonly pod: Pod
  readonly rank: number
}

/** The annotation by which users say which pods are cheaper to lose. */
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * Which of two pods goes first when there are too many (negative: the left one): one without a node, one that is not running, not ready,
 * cheaper, one that shares its node with more of its kind, shorter ready, more often restarted, younger.
 */
export function byDeletionOrder(left: RankedPod, right: RankedPod, now: number): number {
  const [a, b] = [left.pod, right.pod]
  return (
    Number(isScheduled(a)) - Number(isScheduled(b)) ||
    PHASES.indexOf(phaseOf(a)) - PHASES.indexOf(phaseOf(b)) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    costOf(a) - costOf(b) ||
    right.rank - left.rank ||
    byAge(readySince(a), readySince(b), now) ||
    restartsOf(b) - restartsOf(a) ||
    byAge(timeOf(a.metadata.creationTimestamp), timeOf(b.metadata.creationTimestamp), now)
  )
}

const PHASES = ['Pending', 'Unknown', 'Running', 'Succeeded', 'Failed']

/** Ages are compared by their order of magnitude, so that which pod goes cannot be foretold from seconds. */
function byAge(a: number | undefined, b: number | undefined, now: number): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return magnitude(now - a) - magnitude(now - b) || 0
}

const magnitude = (ageMs: number) => Math.floor(Math.log2(Math.max(1, ageMs)))

const timeOf = (text: string | undefined | null) => (text ? Date.parse(text) : undefined)

const readySince = (pod: Pod) => (isReady(pod) ? timeOf(podCondition(pod, 'Ready')?.lastTransitionTime) : undefined)

function costOf(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST]
  return text !== undefined && /^(0|-?[1-9][0-9]{0,9})$/.test(text) ? Number(text) : 0
}

/** The most restarts of any container; sidecars count too. */
function restartsOf(pod: Pod): number {
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]
  return statuses.reduce((most, { restartCount }) => Math.max(most, restartCount), 0)
}
