import { isActive, isReady } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { scaledValue } from '#machinery/int-or-string/int-or-string.ts'
import { timeOf } from '#machinery/time/time.ts'

/** How long an eviction that was allowed may take to show as a deletion. */
const DELETION_TIMEOUT_MS = 120_000

/** The status of a budget, and when it must be counted again though nothing changes. */
export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus
  readonly againMs: number | undefined
}

/** How many of the pods may be evicted now. `expected` is how many there should be, by those who own them. */
export function planBudget(budget: PodDisruptionBudget, pods: readonly Pod[], expected: number, now: number): BudgetPlan {
  const desiredHealthy = desiredHealthyOf(budget, expected)
  const disrupted = new Map<string, string>()
  let againMs: number | undefined
  for (const [name, at] of Object.entries(budget.status.disruptedPods ?? {})) {
    const pod = pods.find(({ metadata }) => metadata.name === name)
    if (!pod || pod.metadata.deletionTimestamp) continue
    const leftMs = Date.parse(at) + DELETION_TIMEOUT_MS - now
    if (leftMs <= 0) continue
    disrupted.set(name, at)
    againMs = Math.min(againMs ?? leftMs, leftMs)
  }
  const healthy = pods.filter(pod => isActive(pod) && isReady(pod) && !disrupted.has(pod.metadata.name ?? '')).length
  const disruptionsAllowed = expected > 0 ? Math.max(0, healthy - desiredHealthy) : 0
  return {
    againMs,
    status: {
      observedGeneration: budget.metadata.generation,
      disruptedPods: Object.fromEntries(disrupted),
      disruptionsAllowed,
      currentHealthy: healthy,
      desiredHealthy,
      expectedPods: expected,
      conditions: conditionsWith(budget, disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods', '', now),
    },
  }
}

/** The status when the pods cannot be counted: nothing may be evicted. */
export function failedStatus(budget: PodDisruptionBudget, message: string, now: number): PodDisruptionBudgetStatus {
  return {
    ...budget.status,
    observedGeneration: budget.metadata.generation,
    disruptionsAllowed: 0,
    conditions: conditionsWith(budget, 'SyncFailed', message, now),
  }
}

/** Whether the owners must be asked how many pods there should be: shares are of that, and so is `maxUnavailable`. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'
}

function desiredHealthyOf({ spec }: PodDisruptionBudget, expected: number): number {
  if (spec.maxUnavailable !== undefined) return Math.max(0, expected - scaledValue(spec.maxUnavailable, expected, 'up'))
  return scaledValue(spec.minAvailable ?? 0, expected, 'up')
}

function conditionsWith(budget: PodDisruptionBudget, reason: string, message: string, now: number) {
  const status = reason === 'SufficientPods' ? ('True' as const) : ('False' as const)
  const present = budget.status.conditions?.find(({ type }) => type === 'DisruptionAllowed')
  const others = (budget.status.conditions ?? []).filter(condition => condition !== present)
  const lastTransitionTime = present?.status === status ? present.lastTransitionTime : timeOf(now)
  const { generation: observedGeneration } = budget.metadata
  return [...others, { type: 'DisruptionAllowed', status, observedGeneration, lastTransitionTime, reason, message }]
}
