import { isIndexed } from '#kinds/batch/v1/job.facts.ts'
import type { Job, JobCondition, JobStatus } from '#kinds/batch/v1/job.ts'
import { isActive, isReady, isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { timeOf } from '#machinery/time/time.ts'
import { backoffMs, counts, finishTimeOf, isFailure, judge, replacesOnlyFailed, restartsOf } from './job-failures.ts'
import { formatIndexes, indexOf, parseIndexes, validIndexOf } from './job-indexes.ts'

/** Pods of jobs carry it until they were counted: a pod that ended is not lost, however fast it is deleted. */
export const TRACKING = 'batch.kubernetes.io/job-tracking'
export const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count'
export const IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count'

/** How many pods are counted in one go: their uids stand in the status meanwhile. */
const MAX_UNCOUNTED = 500
/** How many pods are created or deleted in one go. */
const BURST = 500

/** What has ended, and what follows from it for the job as a whole. */
export interface Account {
  /** To be written before any finalizer is removed: it names the pods that are being counted. */
  readonly status: JobStatus
  /** Pods that need their finalizer no longer once the status is written. */
  readonly release: readonly Pod[]
  /** How the job is going to end; its remaining pods are deleted first. */
  readonly target: Target | undefined
  /** When the job must be looked at again though nothing changes. */
  readonly againMs: number | undefined
}

export interface Target {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet'
  readonly reason: string
  readonly message: string
}

/** Pods to create and to delete. */
export interface Steps {
  readonly create: readonly NewPod[]
  /** `counts` says whether the end of the pod is to be counted as a failure. */
  readonly delete: readonly { readonly pod: Pod; readonly counts: boolean }[]
  readonly againMs: number | undefined
}

export interface NewPod {
  readonly index: number | undefined
  readonly failures: number
  readonly ignoredFailures: number
}

/** Counts pods that have ended, each exactly once, and decides whether the job has. */
export function account(job: Job, pods: readonly Pod[], now: number): Account {
  const book = new Book(job, pods)
  const started = job.status.startTime ?? (job.spec.suspend ? undefined : timeOf(now))
  const isResumed = !job.spec.suspend && conditionOf(job, 'Suspended')?.status === 'True'
  const startTime = job.spec.suspend ? job.status.startTime : isResumed ? timeOf(now) : started
  const deadline = deadlineOf(job, startTime)
  const target = targetOf(job, pods, book, deadline, now)
  book.countEnded(target)
  const conditions = [...(job.status.conditions ?? [])]
  if (target && !conditionOf(job, target.type)) conditions.push(condition(target.type, target.reason, target.message, now))
  else if (!target) noteSuspension(job, conditions, now)
  return {
    target,
    release: book.release,
    againMs: target || deadline === undefined ? undefined : Math.max(0, deadline - now),
    status: { ...job.status, ...book.status(), startTime, conditions },
  }
}

/** Which pods to create or delete, given how the job stands. */
export function manage(job: Job, { status, target }: Account, pods: readonly Pod[], now: number): Steps {
  const active = pods.filter(isActive)
  if (target) return deletion(active.map(pod => ({ pod, counts: true })))
  if (job.metadata.deletionTimestamp) return deletion([])
  if (job.spec.suspend) return deletion(active.map(pod => ({ pod, counts: false })))
  const waiting = replacesOnlyFailed(job) ? pods.filter(pod => isTerminating(pod) && !isTerminal(pod)) : []
  return isIndexed(job) ? manageIndexed(job, status, pods, active, waiting, now) : manageCounted(job, status, pods, active, waiting, now)
}

/** The status once the finalizers of `released` are gone and the steps were done. */
export function settled(
  job: Job,
  { status, target }: Account,
  pods: readonly Pod[],
  released: readonly Pod[],
  steps: Steps,
  now: number,
): JobStatus {
  const gone = new Set(released.map(pod => pod.metadata.uid))
  const moved = (uids: readonly string[] | undefined) => (uids ?? []).filter(uid => gone.has(uid)).length
  const left = (uids: readonly string[] | undefined) => (uids ?? []).filter(uid => !gone.has(uid))
  const { succeeded, failed } = status.uncountedTerminatedPods ?? {}
  const deleted = new Set(steps.delete.map(({ pod }) => pod))
  const active = pods.filter(pod => isActive(pod) && !deleted.has(pod))
  const terminating = pods.filter(pod => !isTerminal(pod) && (isTerminating(pod) || deleted.has(pod)))
  const uncounted = { succeeded: left(succeeded), failed: left(failed) }
  const next: JobStatus = {
    ...status,
    active: active.length + steps.create.length,
    ready: active.filter(isReady).length,
    terminating: terminating.length,
    succeeded: (status.succeeded ?? 0) + (isIndexed(job) ? 0 : moved(succeeded)),
    failed: (status.failed ?? 0) + moved(failed),
    uncountedTerminatedPods: uncounted,
  }
  const isQuiet = active.length + terminating.length + uncounted.succeeded.length + uncounted.failed.length === 0
  const isCounted = !pods.some(pod => isTerminal(pod) && isTracked(pod) && !gone.has(pod.metadata.uid))
  return target && isQuiet && isCounted ? ended(next, target, now) : next
}

export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING) ?? false
}

/** The status of the job when it is over. */
function ended(status: JobStatus, { type, reason, message }: Target, now: number): JobStatus {
  const isSuccess = type === 'SuccessCriteriaMet'
  const conditions = [...(status.conditions ?? []), condition(isSuccess ? 'Complete' : 'Failed', reason, message, now)]
  return { ...status, conditions, ...(isSuccess ? { completionTime: timeOf(now) } : {}) }
}

/** Which pods have been counted, and which are to be. */
class Book {
  readonly release: Pod[] = []
  readonly completed: Set<number>
  readonly failedIndexes: Set<number> | undefined
  #succeeded: number
  #failed: number
  readonly #job: Job
  readonly #pods: readonly Pod[]
  readonly #uncountedSucceeded: Set<string>
  readonly #uncountedFailed: Set<string>

  constructor(job: Job, pods: readonly Pod[]) {
    const { status, spec } = job
    this.#job = job
    this.#pods = pods
    const completions = isIndexed(job) ? (spec.completions ?? 0) : 0
    this.completed = parseIndexes(status.completedIndexes, completions)
    this.failedIndexes = spec.backoffLimitPerIndex === undefined ? undefined : parseIndexes(status.failedIndexes, completions)
    this.#succeeded = status.succeeded ?? 0
    this.#failed = status.failed ?? 0
    // What was named in the status and has lost its finalizer since was counted by that: now it becomes a number.
    const held = new Set(pods.filter(isTracked).map(pod => pod.metadata.uid))
    const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
    this.#uncountedSucceeded = new Set(succeeded.filter(uid => held.has(uid)))
    this.#uncountedFailed = new Set(failed.filter(uid => held.has(uid)))
    this.#succeeded += succeeded.length - this.#uncountedSucceeded.size
    this.#failed += failed.length - this.#uncountedFailed.size
  }

  /** How many have succeeded, those not yet counted included. */
  get succeeded(): number {
    if (isIndexed(this.#job)) return this.#succeededIndexes().size
    return this.#succeeded + this.#uncountedSucceeded.size + this.#fresh(pod => pod.status.phase === 'Succeeded').length
  }

  get failed(): number {
    const fresh = this.#fresh(pod => isFailure(this.#job, pod) && counts(this.#job, pod))
    return this.#failed + this.#uncountedFailed.size + fresh.length
  }

  /** Indexes that have failed for good, those of pods not yet counted included. */
  failedForGood(): Set<number> {
    const failed = new Set(this.failedIndexes)
    for (const pod of this.#fresh(pod => isFailure(this.#job, pod))) {
      const index = validIndexOf(this.#job, pod)
      if (index !== undefined && this.#failsIndex(pod)) failed.add(index)
    }
    return failed
  }

  succeededForGood(): Set<number> {
    return this.#succeededIndexes()
  }

  /** Notes down every pod that has ended, and lets go of it. */
  countEnded(target: Target | undefined): void {
    const failedForGood = this.failedIndexes ? this.failedForGood() : undefined
    const completed = this.#succeededIndexes()
    for (const pod of this.#pods) {
      if (!isTracked(pod) || this.release.length >= MAX_UNCOUNTED) continue
      const uid = pod.metadata.uid ?? ''
      const isKnown = this.#uncountedSucceeded.has(uid) || this.#uncountedFailed.has(uid)
      if (isKnown) this.release.push(pod)
      else if (pod.status.phase === 'Succeeded') this.#countSuccess(pod, uid)
      else if (isFailure(this.#job, pod) || (target && isTerminating(pod)) || this.#job.metadata.deletionTimestamp) {
        const index = validIndexOf(this.#job, pod)
        const mustWait = failedForGood && index !== undefined && !failedForGood.has(index) && !completed.has(index) && !target
        if (mustWait && !this.#isReplaced(pod, index)) continue
        this.#countFailure(pod, uid, target)
      }
    }
    if (failedForGood) for (const index of failedForGood) this.failedIndexes!.add(index)
  }

  status(): Partial<JobStatus> {
    return {
      succeeded: isIndexed(this.#job) ? this.completed.size : this.#succeeded,
      failed: this.#failed,
      ...(isIndexed(this.#job) ? { completedIndexes: formatIndexes(this.completed) } : {}),
      ...(this.failedIndexes ? { failedIndexes: formatIndexes(this.failedIndexes) } : {}),
      uncountedTerminatedPods: { succeeded: [...this.#uncountedSucceeded], failed: [...this.#uncountedFailed] },
    }
  }

  #countSuccess(pod: Pod, uid: string): void {
    this.release.push(pod)
    if (!isIndexed(this.#job)) this.#uncountedSucceeded.add(uid)
    else {
      const index = validIndexOf(this.#job, pod)
      if (index !== undefined) this.completed.add(index)
    }
  }

  #countFailure(pod: Pod, uid: string, target: Target | undefined): void {
    this.release.push(pod)
    const isFailing = target?.type === 'FailureTarget'
    const hasPlace = !isIndexed(this.#job) || validIndexOf(this.#job, pod) !== undefined
    if (hasPlace && (isFailing || isFailure(this.#job, pod)) && counts(this.#job, pod)) this.#uncountedFailed.add(uid)
  }

  #fresh(which: (pod: Pod) => boolean): Pod[] {
    return this.#pods.filter(pod => {
      const uid = pod.metadata.uid ?? ''
      return isTracked(pod) && which(pod) && !this.#uncountedSucceeded.has(uid) && !this.#uncountedFailed.has(uid)
    })
  }

  #succeededIndexes(): Set<number> {
    const indexes = new Set(this.completed)
    for (const pod of this.#fresh(({ status }) => status.phase === 'Succeeded')) {
      const index = validIndexOf(this.#job, pod)
      if (index !== undefined) indexes.add(index)
    }
    return indexes
  }

  #failsIndex(pod: Pod): boolean {
    const { action } = judge(this.#job, pod)
    if (action === 'FailIndex') return true
    return action !== 'Ignore' && failuresOf(pod) + 1 > (this.#job.spec.backoffLimitPerIndex ?? Number.POSITIVE_INFINITY)
  }

  /** The next pod of the index carries on the count of failures; before there is one, the failed pod must stay. */
  #isReplaced(pod: Pod, index: number): boolean {
    const total = failuresOf(pod) + ignoredFailuresOf(pod)
    return this.#pods.some(other => other !== pod && indexOf(other) === index && failuresOf(other) + ignoredFailuresOf(other) > total)
  }
}

/** Whether the job is going to end, and why. */
function targetOf(job: Job, pods: readonly Pod[], book: Book, deadline: number | undefined, now: number): Target | undefined {
  for (const type of ['FailureTarget', 'SuccessCriteriaMet'] as const) {
    const present = conditionOf(job, type)
    if (present?.status === 'True') return { type, reason: present.reason ?? '', message: present.message ?? '' }
  }
  const fail = (reason: string, message: string): Target => ({ type: 'FailureTarget', reason, message })
  for (const pod of pods) {
    const { action, message } = judge(job, pod)
    if (action === 'FailJob' && isTracked(pod)) return fail('PodFailurePolicy', message)
  }
  if (book.failed > backoffLimitOf(job) || pastRestarts(job, pods))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  if (deadline !== undefined && !job.spec.suspend && now >= deadline)
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (isIndexed(job)) {
    const failing = indexTarget(job, book)
    if (failing) return failing
    const rule = matchedSuccessRule(job, book.succeededForGood())
    if (rule !== undefined) return { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
  }
  if (job.spec.suspend || !hasCompletions(job, pods, book.succeeded)) return undefined
  return { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
}

function indexTarget(job: Job, book: Book): Target | undefined {
  if (!book.failedIndexes) return undefined
  const failed = book.failedForGood().size
  const { maxFailedIndexes, completions = 0 } = job.spec
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return { type: 'FailureTarget', reason: 'MaxFailedIndexesExceeded', message }
  }
  if (failed > 0 && failed + book.succeeded >= completions)
    return { type: 'FailureTarget', reason: 'FailedIndexes', message: 'Job has failed indexes' }
  return undefined
}

function matchedSuccessRule(job: Job, succeeded: ReadonlySet<number>): number | undefined {
  const rules = job.spec.successPolicy?.rules ?? []
  const found = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount
    const wanted = parseIndexes(succeededIndexes, job.spec.completions ?? 0)
    const matched = [...wanted].filter(index => succeeded.has(index)).length
    return matched >= (succeededCount ?? wanted.size)
  })
  return found < 0 ? undefined : found
}

/** A job without a number of completions is over when one pod has succeeded and all have ended. */
function hasCompletions(job: Job, pods: readonly Pod[], succeeded: number): boolean {
  const { completions } = job.spec
  return completions === undefined ? succeeded > 0 && !pods.some(isActive) : succeeded >= completions
}

function backoffLimitOf({ spec }: Job): number {
  return spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1)
}

function pastRestarts(job: Job, pods: readonly Pod[]): boolean {
  const backoffLimit = backoffLimitOf(job)
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false
  const restarts = restartsOf(pods)
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit
}

function deadlineOf(job: Job, startTime: string | undefined): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec
  if (activeDeadlineSeconds === undefined || startTime === undefined || suspend) return undefined
  return Date.parse(startTime) + activeDeadlineSeconds * 1000
}

function manageCounted(
  job: Job,
  status: JobStatus,
  pods: readonly Pod[],
  active: readonly Pod[],
  waiting: readonly Pod[],
  now: number,
): Steps {
  const { parallelism = 1, completions } = job.spec
  const succeeded = (status.succeeded ?? 0) + (status.uncountedTerminatedPods?.succeeded?.length ?? 0)
  const wanted = completions !== undefined ? Math.min(parallelism, completions - succeeded) : succeeded > 0 ? active.length : parallelism
  const limit = Math.max(0, Math.min(wanted, parallelism))
  if (active.length > limit) {
    const surplus = [...active].sort(leastProgressFirst).slice(0, Math.min(active.length - limit, BURST))
    return deletion(surplus.map(pod => ({ pod, counts: false })))
  }
  const missing = Math.min(limit - active.length - waiting.length, BURST)
  if (missing <= 0) return deletion([])
  const delayMs = sharedBackoffMs(pods, now)
  if (delayMs > 0) return { create: [], delete: [], againMs: delayMs }
  return { create: Array<NewPod>(missing).fill({ index: undefined, failures: 0, ignoredFailures: 0 }), delete: [], againMs: undefined }
}

function manageIndexed(
  job: Job,
  status: JobStatus,
  pods: readonly Pod[],
  active: readonly Pod[],
  waiting: readonly Pod[],
  now: number,
): Steps {
  const { parallelism = 1, completions = 0, backoffLimitPerIndex } = job.spec
  const done = parseIndexes(status.completedIndexes, completions)
  const failed = parseIndexes(status.failedIndexes, completions)
  const taken = new Set<number>()
  const surplus: { pod: Pod; counts: boolean }[] = []
  for (const pod of [...active].sort(leastProgressFirst).reverse()) {
    const index = validIndexOf(job, pod)
    const isNeeded = index !== undefined && !taken.has(index) && !done.has(index) && !failed.has(index) && taken.size < parallelism
    if (isNeeded) taken.add(index)
    else surplus.push({ pod, counts: false })
  }
  if (surplus.length > 0) return deletion(surplus.slice(0, BURST))
  const blocked = new Set(waiting.map(indexOf))
  const room = Math.min(parallelism, completions - done.size - failed.size) - taken.size - waiting.length
  const delayMs = backoffLimitPerIndex === undefined ? sharedBackoffMs(pods, now) : 0
  if (delayMs > 0) return { create: [], delete: [], againMs: room > 0 ? delayMs : undefined }
  const create: NewPod[] = []
  let againMs: number | undefined
  for (let index = 0; index < completions && create.length < Math.min(room, BURST); index++) {
    if (done.has(index) || failed.has(index) || taken.has(index) || blocked.has(index)) continue
    const last = backoffLimitPerIndex === undefined ? undefined : lastFailure(job, pods, index)
    if (!last) {
      create.push({ index, failures: 0, ignoredFailures: 0 })
      continue
    }
    const waitMs = backoffMs(last.failures + last.ignoredFailures, last.atMs, now)
    if (waitMs === 0) create.push({ index, failures: last.failures, ignoredFailures: last.ignoredFailures })
    else againMs = Math.min(againMs ?? waitMs, waitMs)
  }
  return { create, delete: [], againMs }
}

/** What the next pod of an index must carry on. */
function lastFailure(job: Job, pods: readonly Pod[], index: number) {
  let last: { failures: number; ignoredFailures: number; atMs: number } | undefined
  for (const pod of pods) {
    if (indexOf(pod) !== index || !isFailure(job, pod)) continue
    const isIgnored = judge(job, pod).action === 'Ignore'
    const failures = failuresOf(pod) + (isIgnored ? 0 : 1)
    const ignoredFailures = ignoredFailuresOf(pod) + (isIgnored ? 1 : 0)
    if (!last || failures + ignoredFailures > last.failures + last.ignoredFailures)
      last = { failures, ignoredFailures, atMs: finishTimeOf(pod) }
  }
  return last
}

/** After each failure since the last success new pods wait twice as long. */
function sharedBackoffMs(pods: readonly Pod[], now: number): number {
  const lastSuccess = pods.reduce((at, pod) => (pod.status.phase === 'Succeeded' ? Math.max(at, finishTimeOf(pod)) : at), 0)
  const failures = pods.filter(pod => pod.status.phase === 'Failed').map(finishTimeOf)
  const since = failures.filter(at => at > lastSuccess)
  return since.length === 0 ? 0 : backoffMs(since.length, Math.max(...since), now)
}

/** Pods that have come the least far are given up first. */
function leastProgressFirst(a: Pod, b: Pod): number {
  const progress = (pod: Pod) => (isReady(pod) ? 2 : 0) + (pod.spec.nodeName ? 1 : 0)
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return progress(a) - progress(b) || (first > second ? -1 : first < second ? 1 : 0)
}

function noteSuspension(job: Job, conditions: JobCondition[], now: number): void {
  const present = conditionOf(job, 'Suspended')
  const wanted = job.spec.suspend ? 'True' : 'False'
  if (present ? present.status === wanted : !job.spec.suspend) return
  const text = job.spec.suspend ? { reason: 'JobSuspended', message: 'Job suspended' } : { reason: 'JobResumed', message: 'Job resumed' }
  const next: JobCondition = { ...condition('Suspended', text.reason, text.message, now), status: wanted }
  const at = conditions.findIndex(({ type }) => type === 'Suspended')
  if (at < 0) conditions.push(next)
  else conditions[at] = next
}

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status.conditions?.find(condition => condition.type === type)
}

function condition(type: string, reason: string, message: string, now: number): JobCondition {
  const at = timeOf(now)
  return { type, status: 'True', reason, message, lastProbeTime: at, lastTransitionTime: at }
}

const deletion = (pods: Steps['delete']): Steps => ({ create: [], delete: pods, againMs: undefined })

const numberIn = (text: string | undefined) => (text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0)
const failuresOf = ({ metadata }: Pod) => numberIn(metadata.annotations?.[FAILURE_COUNT])
const ignoredFailuresOf = ({ metadata }: Pod) => numberIn(metadata.annotations?.[IGNORED_FAILURE_COUNT])
