import { exponentialBounds } from '#base/metrics/labelled-series.ts'
import { CronJob, type CronJobStatus } from '#kinds/batch/v1/cron-job.ts'
import { finishOf, isComplete, isFinished } from '#kinds/batch/v1/job.facts.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { draft } from '#machinery/kind/draft.ts'
import { controllerReference, isControlledBy } from '#machinery/meta/object-meta.ts'
import { hasCause, isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import { beyondHistory, isTooLate, jobNameOf, planRuns } from './cronjob.plan.ts'
import { histogram } from './runtime/controller-metrics.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { owned } from './runtime/watches.ts'

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

const skew = histogram(
  'cronjob_controller_job_creation_skew_duration_seconds',
  'Time between when a cronjob is scheduled to be run, and when the corresponding job is created',
  [],
  exponentialBounds(1, 2, 10),
)

/** Starts a Job for every run that the schedule of a CronJob asks for. */
export const cronJobController = defineController({
  name: 'cronjob-controller',
  reconciles: CronJob,
  watches: [owned(Job)],
  writes: [whole(Job), status(CronJob)],
  async reconcile(cronJob, tools) {
    const jobs = tools.list(Job, { ownedBy: cronJob })
    for (const job of beyondHistory(cronJob, jobs)) await remove(cronJob, job, tools)
    let next = await countFinished(cronJob, jobs, tools)
    if (!cronJob.metadata.deletionTimestamp && !cronJob.spec.suspend) next = await startRun(cronJob, next, jobs, tools)
    await tools.updateStatus(CronJob, cronJob, next)
  },
})

/** Jobs that have ended are no longer active; the last that succeeded is noted. */
async function countFinished(cronJob: CronJob, jobs: readonly Job[], { events, client }: Tools): Promise<CronJobStatus> {
  let { lastSuccessfulTime } = cronJob.status
  const active: NonNullable<CronJobStatus['active']>[number][] = []
  for (const reference of cronJob.status.active ?? []) {
    const job = jobs.find(({ metadata }) => metadata.uid === reference.uid)
    if (!job) {
      // The cache may not show a job yet that was just created.
      const fresh = await client.get(Job, { namespace: reference.namespace, name: reference.name ?? '' }).catch(error => {
        if (isNotFound(error)) return undefined
        throw error
      })
      if (fresh?.metadata.uid === reference.uid) active.push(reference)
      else events.record(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`)
    } else if (!isFinished(job)) active.push(reference)
    else {
      const message = `Saw completed job: ${job.metadata.name}, condition: ${finishOf(job)?.type}`
      events.record(cronJob, 'Normal', 'SawCompletedJob', message)
    }
  }
  for (const job of jobs) {
    const { completionTime } = job.status
    if (isComplete(job) && completionTime && (lastSuccessfulTime === undefined || completionTime > lastSuccessfulTime))
      lastSuccessfulTime = completionTime
    const isKnown = active.some(({ uid }) => uid === job.metadata.uid) || cronJob.status.active?.some(({ uid }) => uid === job.metadata.uid)
    if (!isKnown && !isFinished(job) && !job.metadata.deletionTimestamp) active.push(referenceTo(job))
  }
  return { ...cronJob.status, active, ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}) }
}

async function startRun(cronJob: CronJob, next: CronJobStatus, jobs: readonly Job[], tools: Tools): Promise<CronJobStatus> {
  const { events, now } = tools
  const { concurrencyPolicy, schedule } = cronJob.spec
  let due: ReturnType<typeof planRuns>
  try {
    due = planRuns(cronJob, now)
  } catch (error) {
    const why = textOfError(error)
    events.record(cronJob, 'Warning', 'UnParseableCronJobSchedule', `unparseable schedule "${schedule}" : ${why}`)
    return next
  }
  if (due.nextMs !== undefined) tools.again(Math.max(1, due.nextMs - now))
  if (due.missed === 'many')
    events.record(
      cronJob,
      'Warning',
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    )
  if (due.runMs === undefined) return next
  if (isTooLate(cronJob, due.runMs, now)) {
    events.record(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(due.runMs).toUTCString()}`)
    return next
  }
  const active = (next.active ?? []).length
  if (concurrencyPolicy === 'Forbid' && active > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    events.record(cronJob, 'Normal', 'JobAlreadyActive', message)
    return next
  }
  let status = next
  if (concurrencyPolicy === 'Replace') {
    for (const job of jobs.filter(job => !isFinished(job))) await remove(cronJob, job, tools)
    status = { ...next, active: [] }
  }
  const job = await create(cronJob, due.runMs, tools)
  if (!job) return status
  const references = [
    ...(status.active ?? []).filter(({ uid }) => uid !== job.metadata.uid),
    ...(isFinished(job) ? [] : [referenceTo(job)]),
  ]
  return { ...status, active: references, lastScheduleTime: timeOf(due.runMs) }
}

async function create(cronJob: CronJob, runMs: number, { client, clock, events, metrics }: Tools): Promise<Job | undefined> {
  const { labels, annotations = {} } = cronJob.spec.jobTemplate.metadata
  const metadata = {
    name: jobNameOf(cronJob, runMs),
    namespace: cronJob.metadata.namespace,
    labels: { ...labels },
    annotations: { ...annotations, [SCHEDULED_AT]: timeOf(runMs) },
    ownerReferences: [controllerReference(cronJob)],
  }
  try {
    const job = await client.create(Job, { metadata, spec: draft(cronJob.spec.jobTemplate.spec) })
    events.record(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
    metrics.observe(skew, [], (clock.now() - runMs) / 1000)
    return job
  } catch (error) {
    if (hasCause(error, 'NamespaceTerminating')) return undefined
    if (isAlreadyExists(error)) {
      const present = await client.get(Job, metadata)
      if (isControlledBy(present, cronJob.metadata.uid ?? '')) return present
    }
    events.record(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${textOfError(error)}`)
    throw error
  }
}

async function remove(cronJob: CronJob, job: Job, { client, events }: Tools): Promise<void> {
  try {
    await client.delete(Job, job, { propagationPolicy: 'Background', preconditions: { uid: job.metadata.uid } })
    events.record(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`)
  } catch (error) {
    if (isNotFound(error)) return
    events.record(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${textOfError(error)}`)
    throw error
  }
}

function referenceTo({ apiVersion, kind, metadata }: Job) {
  const { name, namespace, uid, resourceVersion } = metadata
  return { kind, namespace, name, uid, apiVersion, resourceVersion }
}
