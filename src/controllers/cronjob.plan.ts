import type { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { isComplete, isFinished } from '#kinds/batch/v1/job.facts.ts'
import type { Job } from '#kinds/batch/v1/job.ts'
import { type CronTimes, cronTimes } from './cron-times.ts'

/** Which run is due, and when to look again. */
export interface Due {
  /** The scheduled time of the run to start now. */
  readonly runMs: number | undefined
  /** Times that have passed unused: so many that something must be wrong. */
  readonly missed: 'none' | 'few' | 'many'
  readonly nextMs: number | undefined
}

/** The latest scheduled time that has not been used; earlier ones that were missed are skipped. */
export function planRuns(cronJob: CronJob, now: number): Due {
  const { schedule, timeZone, startingDeadlineSeconds } = cronJob.spec
  const times = cronTimes(schedule, timeZone)
  const last = cronJob.status.lastScheduleTime ?? cronJob.metadata.creationTimestamp
  let earliest = last ? Date.parse(last) : now
  if (startingDeadlineSeconds !== undefined) earliest = Math.max(earliest, now - startingDeadlineSeconds * 1000)
  const nextMs = times.next(now)
  const first = times.next(earliest)
  if (first === undefined || first > now) return { runMs: undefined, missed: 'none', nextMs }
  const { latest, count } = latestUpTo(times, first, now)
  return { runMs: latest, missed: count > 100 ? 'many' : count > 1 ? 'few' : 'none', nextMs }
}

/** Whether the run comes too late by the job's own deadline. */
export function isTooLate(cronJob: CronJob, runMs: number, now: number): boolean {
  const { startingDeadlineSeconds } = cronJob.spec
  return startingDeadlineSeconds !== undefined && runMs + startingDeadlineSeconds * 1000 < now
}

/** The name of the job of a run: the same however often it is tried. */
export function jobNameOf(cronJob: CronJob, runMs: number): string {
  return `${cronJob.metadata.name}-${Math.floor(runMs / 60_000)}`
}

/** Finished jobs beyond the limits of the history, the oldest first. */
export function beyondHistory(cronJob: CronJob, jobs: readonly Job[]): Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec
  const byStart = (a: Job, b: Job) => ((a.status.startTime ?? '') < (b.status.startTime ?? '') ? -1 : 1)
  const finished = jobs.filter(job => isFinished(job) && !job.metadata.deletionTimestamp).sort(byStart)
  const excess = (of: Job[], limit: number) => of.slice(0, Math.max(0, of.length - limit))
  return [
    ...excess(finished.filter(isComplete), successfulJobsHistoryLimit),
    ...excess(
      finished.filter(job => !isComplete(job)),
      failedJobsHistoryLimit,
    ),
  ]
}

/** Looks back from now, further and further: a schedule of minutes may have been missed for years. */
function latestUpTo(times: CronTimes, first: number, now: number): { latest: number; count: number } {
  const second = times.next(first)
  if (second === undefined || second > now) return { latest: first, count: 1 }
  const distance = second - first
  let latest = first
  for (let window = distance; ; window *= 2) {
    let at = times.next(Math.max(first - 1, now - window - 1))
    if (at === undefined || at > now) continue
    for (; at !== undefined && at <= now; at = times.next(at)) latest = at
    return { latest, count: Math.floor((now - first) / distance) + 1 }
  }
}
