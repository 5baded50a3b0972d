import type { Job } from '#kinds/batch/v1/job.ts'
import type { PodFailurePolicyRule } from '#kinds/batch/v1/job-spec.ts'
import type { ContainerStatus } from '#kinds/core/v1/container-status.ts'
import { isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'

/** Whether only pods that have failed are replaced, and not those that are still terminating. */
export function replacesOnlyFailed(job: Job): boolean {
  return job.spec.podReplacementPolicy === 'Failed'
}

/** Whether the pod counts as failed. One that is deleted counts too, unless the job waits for it: it may never get to say how it ended. */
export function isFailure(job: Job, pod: Pod): boolean {
  if (pod.status.phase === 'Failed') return true
  return !replacesOnlyFailed(job) && isTerminating(pod) && pod.status.phase !== 'Succeeded'
}

/** What the job's failure policy says of a failed pod. */
export interface Verdict {
  readonly action: PodFailurePolicyRule['action'] | undefined
  readonly message: string
}

/** The first rule that matches; no rule counts the failure. */
export function judge(job: Job, pod: Pod): Verdict {
  const rules = job.spec.podFailurePolicy?.rules ?? []
  if (pod.status.phase !== 'Failed') return { action: undefined, message: '' }
  for (const [at, rule] of rules.entries()) {
    const message = matchedExitCode(rule, pod, at) ?? matchedCondition(rule, pod, at)
    if (message !== undefined) return { action: rule.action, message }
  }
  return { action: undefined, message: '' }
}

/** Whether the failure counts towards the backoff limit. */
export function counts(job: Job, pod: Pod): boolean {
  return judge(job, pod).action !== 'Ignore'
}

/** How often containers of running pods were restarted: with restart policy OnFailure that is what the limit is about. */
export function restartsOf(pods: readonly Pod[]): number {
  const statuses = pods
    .filter(({ status }) => status.phase === 'Running' || status.phase === 'Pending')
    .flatMap(({ status }) => [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
  return statuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
}

/** When the pod ended, as well as it can be told. */
export function finishTimeOf(pod: Pod): number {
  const finished = (pod.status.containerStatuses ?? []).flatMap(({ state }) => {
    const at = state?.terminated?.finishedAt
    return at ? [Date.parse(at)] : []
  })
  if (finished.length > 0) return Math.max(...finished)
  const ready = pod.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  if (ready) return Date.parse(ready)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata
  if (deletionTimestamp) return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  return creationTimestamp ? Date.parse(creationTimestamp) : 0
}

const BACKOFF_FIRST_MS = 10_000
const BACKOFF_LIMIT_MS = 600_000

/** How long no new pod may be created yet: after each failure since the last success twice as long. */
export function backoffMs(failures: number, lastFailureMs: number, now: number): number {
  if (failures === 0) return 0
  const delayMs = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 30), BACKOFF_LIMIT_MS)
  return Math.max(0, lastFailureMs + delayMs - now)
}

function matchedExitCode(rule: PodFailurePolicyRule, pod: Pod, at: number): string | undefined {
  const { onExitCodes } = rule
  if (!onExitCodes) return undefined
  const matches = ({ name, state }: ContainerStatus) => {
    const exitCode = state?.terminated?.exitCode
    if (exitCode === undefined || exitCode === 0) return false
    if (onExitCodes.containerName !== undefined && onExitCodes.containerName !== name) return false
    return (onExitCodes.values ?? []).includes(exitCode) === (onExitCodes.operator === 'In')
  }
  const found = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])].find(matches)
  if (!found) return undefined
  const { namespace, name } = pod.metadata
  return `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${found.state?.terminated?.exitCode} matching ${rule.action} rule at index ${at}`
}

function matchedCondition(rule: PodFailurePolicyRule, pod: Pod, at: number): string | undefined {
  const found = (pod.status.conditions ?? []).find(condition =>
    rule.onPodConditions?.some(({ type, status }) => type === condition.type && status === condition.status),
  )
  if (!found) return undefined
  const { namespace, name } = pod.metadata
  return `Pod ${namespace}/${name} has condition ${found.type} matching ${rule.action} rule at index ${at}`
}
