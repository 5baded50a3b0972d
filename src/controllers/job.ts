import { exponentialBounds } from '#base/metrics/labelled-series.ts'
import { isFinished } from '#kinds/batch/v1/job.facts.ts'
import { Job, type JobStatus } from '#kinds/batch/v1/job.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { controllerOf } from '#machinery/meta/object-meta.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { account, conditionOf, isTracked, manage, settled, TRACKING } from './job.plan.ts'
import { judge } from './job-failures.ts'
import { parseIndexes } from './job-indexes.ts'
import { jobPodFrom } from './job-pod.ts'
import { claim } from './runtime/claim.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { counter, histogram, noMetrics } from './runtime/controller-metrics.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { createPod, deletePod } from './runtime/pod-control.ts'
import { all, inSlowStart } from './runtime/slow-start.ts'
import { claimed, mapped, selectorOf } from './runtime/watches.ts'

const BY_JOB = 'trackedPodOfJob'
const JOB_NAME = 'batch.kubernetes.io/job-name'
const OWN = 'kubernetes.io/job-controller'

const finished = counter('job_controller_jobs_finished_total', 'The number of finished jobs', ['completion_mode', 'result', 'reason'])
const podsFinished = counter('job_controller_job_pods_finished_total', 'The number of finished Pods that are fully tracked', [
  'completion_mode',
  'result',
])
const podsCreated = counter('job_controller_job_pods_creation_total', 'The number of Pods created by the Job controller', [
  'reason',
  'status',
])
const external = counter('job_controller_jobs_by_external_controller_total', 'The number of Jobs managed by an external controller', [
  'controller_name',
])
const failuresHandled = counter(
  'job_controller_pod_failures_handled_by_failure_policy_total',
  'The number of failed Pods handled by failure policy with respect to the failure policy action applied based on the matched rule.',
  ['action'],
)
const finishedIndexes = counter('job_controller_job_finished_indexes_total', 'The number of finished indexes.', ['status', 'backoffLimit'])
const tracked = counter(
  'job_controller_terminated_pods_tracking_finalizer_total',
  'The number of terminated pods (phase=Failed|Succeeded) that have the finalizer batch.kubernetes.io/job-tracking.',
  ['event'],
)
const syncs = counter('job_controller_job_syncs_total', 'The number of job syncs', ['completion_mode', 'result', 'action'])
const syncTimes = histogram(
  'job_controller_job_sync_duration_seconds',
  'The time it took to sync a job',
  ['completion_mode', 'result', 'action'],
  exponentialBounds(0.004, 2, 15),
)

const jobs = defineController({
  name: 'job-controller',
  reconciles: Job,
  watches: [
    claimed<Job>(Pod, ({ spec }) => selectorOf(spec.selector)),
    mapped(Pod, pod => jobKeys(pod), { [BY_JOB]: pod => jobKeys(pod) }),
  ],
  writes: [whole(Pod), status(Job)],
  async reconcile(job, tools) {
    const since = tools.clock.monotonic()
    await releaseStrays(job.metadata, job, tools)
    if ((job.spec.managedBy ?? OWN) !== OWN || isFinished(job)) return
    const pods = await claim(Pod, Job, job, selectorOf(job.spec.selector), tools)
    const books = account(job, pods, tools.now)
    const noted = await tools.updateStatus(Job, job, books.release.length > 0 || books.target ? books.status : job.status)
    await all(books.release, pod => release(pod, tools))
    const steps = manage(job, books, pods, tools.now)
    const action =
      steps.create.length > 0
        ? 'pods_created'
        : steps.delete.length > 0
          ? 'pods_deleted'
          : books.release.length > 0
            ? 'tracking'
            : 'reconciling'
    await all(steps.delete, async ({ pod, counts }) => {
      if (!counts) await release(pod, tools)
      await deletePod(pod, job, tools)
    })
    let failure: { error: unknown } | undefined
    await inSlowStart(steps.create, pod => createPod(jobPodFrom(job, pod), job, tools)).catch(error => {
      failure = { error }
    })
    const done = failure ? { ...steps, create: [] } : steps
    const written = await tools.updateStatus(Job, noted, settled(job, books, pods, books.release, done, tools.now))
    announce(job, written.status, tools)
    count(
      job,
      written.status,
      action,
      { created: steps.create.length, released: books.release, isFailed: failure !== undefined, since },
      tools,
    )
    if (failure) throw failure.error
    for (const ms of [books.againMs, steps.againMs]) if (ms !== undefined) tools.again(ms)
  },
  /** Pods that have lost their job must not be held by it. */
  async gone(name, tools) {
    await releaseStrays(name, undefined, tools)
  },
})

/** Runs pods to completion for every Job, counting each exactly once. */
export const jobController: Controller & Pick<typeof jobs, 'definition'> = {
  ...jobs,
  run(context) {
    const watched = context.metrics === noMetrics ? [] : countChanges(context)
    const loop = jobs.run(context)
    return {
      async [Symbol.asyncDispose]() {
        for (const one of watched) one[Symbol.dispose]()
        await loop[Symbol.asyncDispose]()
      },
    }
  },
}

/** Counts what happens to jobs and pods without the controller. */
function countChanges({ informers, metrics }: ControllerContext): Disposable[] {
  const isHeld = (pod: Pod | undefined) => pod !== undefined && isTerminal(pod) && isTracked(pod)
  return [
    informers.of(Job).onChange((job, old) => {
      const { managedBy = OWN } = job?.spec ?? {}
      if (!old && managedBy !== OWN) metrics.count(external, [managedBy])
    }),
    informers.of(Pod).onChange((pod, old) => {
      if (isHeld(pod) !== isHeld(old)) metrics.count(tracked, [isHeld(pod) ? 'add' : 'delete'])
    }),
  ]
}

function jobKeys(pod: Pod): string[] {
  const name = pod.metadata.labels?.[JOB_NAME]
  return isTracked(pod) && name !== undefined ? [`${pod.metadata.namespace}/${name}`] : []
}

/** Lets go of tracked pods that name the job but do not belong to it, or that are left over from a job that has ended. */
async function releaseStrays(
  { namespace, name }: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  job: Job | undefined,
  tools: Tools,
): Promise<void> {
  const tracked = tools.list(Pod, { index: [BY_JOB, `${namespace}/${name}`] })
  await all(
    tracked.filter(pod => {
      const owner = controllerOf(pod)
      if (owner && owner.kind !== 'Job') return false
      if (!job) return !owner || owner.name === name
      return owner ? owner.uid !== job.metadata.uid || isFinished(job) : !selectorOf(job.spec.selector).matches(pod.metadata.labels)
    }),
    pod => release(pod, tools),
  )
}

async function release(pod: Pod, { client, get }: Tools): Promise<void> {
  const { namespace = '', name = '', uid } = pod.metadata
  const fresh = get(Pod, namespace, name)
  const finalizers = fresh?.metadata.uid === uid ? (fresh?.metadata.finalizers ?? []) : []
  const at = finalizers.indexOf(TRACKING)
  if (at < 0) return
  // The test makes sure that what is removed is the finalizer that was seen, whoever else changed the list meanwhile.
  const path = `/metadata/finalizers/${at}`
  const body = [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path, value: TRACKING },
    { op: 'remove', path },
  ] as const
  await client.patch(Pod, pod, { type: 'json', body }).catch(error => {
    if (!isNotFound(error)) throw error
  })
}

/** What a look at a job did, and when it began. */
interface Look {
  readonly created: number
  /** Pods that were counted. */
  readonly released: readonly Pod[]
  readonly isFailed: boolean
  readonly since: number
}

/** Counts what a look at a job came to. */
function count(job: Job, status: JobStatus, action: string, { created, released, isFailed, since }: Look, { clock, metrics }: Tools): void {
  const mode = job.spec.completionMode ?? 'NonIndexed'
  const labels = [mode, isFailed ? 'error' : 'success', action]
  metrics.count(syncs, labels)
  metrics.observe(syncTimes, labels, (clock.monotonic() - since) / 1000)
  if (created > 0) metrics.count(podsCreated, [reasonOf(job, status), isFailed ? 'failed' : 'succeeded'], created)
  for (const pod of released) {
    const { action: rule } = judge(job, pod)
    if (rule) metrics.count(failuresHandled, [rule])
  }
  if (mode === 'Indexed') {
    const { completions = 0 } = job.spec
    const limit = job.spec.backoffLimitPerIndex === undefined ? 'global' : 'perIndex'
    for (const [result, indexes] of [
      ['succeeded', 'completedIndexes'],
      ['failed', 'failedIndexes'],
    ] as const) {
      const more = parseIndexes(status[indexes], completions).size - parseIndexes(job.status[indexes], completions).size
      if (more > 0) metrics.count(finishedIndexes, [result, limit], more)
    }
  }
  for (const result of ['succeeded', 'failed'] as const) {
    const more = (status[result] ?? 0) - (job.status[result] ?? 0)
    if (more > 0) metrics.count(podsFinished, [mode, result], more)
  }
  for (const { type, status: state, reason = '' } of status.conditions ?? []) {
    if (state !== 'True' || conditionOf(job, type)?.status === 'True') continue
    if (type === 'Complete' || type === 'Failed') metrics.count(finished, [mode, type === 'Complete' ? 'succeeded' : 'failed', reason])
  }
}

/** Why pods were created, as metrics name it. */
function reasonOf({ spec }: Job, { failed = 0, terminating = 0 }: JobStatus): string {
  if (spec.podReplacementPolicy === 'Failed') return failed > 0 ? 'recreate_failed' : 'new'
  return failed > 0 || terminating > 0 ? 'recreate_terminating_or_failed' : 'new'
}

/** Tells of what the conditions say for the first time. */
function announce(job: Job, status: JobStatus, { events }: Tools): void {
  for (const { type, status: state, reason = '', message = '' } of status.conditions ?? []) {
    if (conditionOf(job, type)?.status === state) continue
    if (type === 'Complete') events.record(job, 'Normal', 'Completed', 'Job completed')
    else if (type === 'Failed') events.record(job, 'Warning', reason, message)
    else if (type === 'Suspended') events.record(job, 'Normal', state === 'True' ? 'Suspended' : 'Resumed', message)
  }
}
