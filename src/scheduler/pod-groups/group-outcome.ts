import type { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'

/** What came of trying the pods of a group together. */
export type GroupOutcome =
  | { readonly is: 'scheduled' }
  /** Too few found a node, or room has to be made first. */
  | { readonly is: 'unschedulable' | 'waiting_on_preemption' }
  | { readonly is: 'error'; readonly message: string }

export const UNSCHEDULABLE = 'pod group is unschedulable'

/**
 * The condition that tells of it; undefined if the group says so already, or has been scheduled before: pods that come later do not take that
 * back. `now` as RFC 3339 says it.
 */
export function conditionOfGroup(group: PodGroup, outcome: GroupOutcome, now: string): object | undefined {
  const known = group.status.conditions?.find(({ type }) => type === 'PodGroupScheduled')
  const status = outcome.is === 'scheduled' ? 'True' : 'False'
  if (known?.status === 'True' && status === 'False') return undefined
  const condition = {
    type: 'PodGroupScheduled',
    status,
    reason: outcome.is === 'scheduled' ? 'Scheduled' : outcome.is === 'error' ? 'SchedulerError' : 'Unschedulable',
    message: outcome.is === 'scheduled' ? '' : outcome.is === 'error' ? outcome.message : UNSCHEDULABLE,
    observedGeneration: group.metadata.generation ?? 0,
  }
  // What is empty may not be stored.
  const isKnown = known && Object.entries(condition).every(([field, value]) => (known[field as keyof typeof known] ?? value) === value)
  return isKnown ? undefined : { ...condition, lastTransitionTime: known?.status === status ? known.lastTransitionTime : now }
}
