import { exponentialBounds } from '#base/metrics/labelled-series.ts'
import { finishOf } from '#kinds/batch/v1/job.facts.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { isConflict, isNotFound } from '#machinery/status/status-error.ts'
import { histogram } from './runtime/controller-metrics.ts'
import { defineController, whole } from './runtime/define-controller.ts'

const deletionDelay = histogram(
  'ttl_after_finished_controller_job_deletion_duration_seconds',
  'The time it took to delete the job since it became eligible for deletion',
  [],
  exponentialBounds(0.1, 2, 14),
)

/** Deletes jobs that ended longer ago than their `ttlSecondsAfterFinished`. */
export const ttlAfterFinishedController = defineController({
  name: 'ttl-after-finished-controller',
  reconciles: Job,
  writes: [whole(Job)],
  async reconcile(job, { client, clock, now, again, metrics }) {
    const expiresMs = expiryOf(job)
    if (expiresMs === undefined || job.metadata.deletionTimestamp) return
    if (expiresMs > now) {
      again(expiresMs - now)
      return
    }
    // Its time may have been extended just now: the server's own word counts.
    const fresh = await client.get(Job, job).catch(error => {
      if (isNotFound(error)) return undefined
      throw error
    })
    const expiry = fresh && expiryOf(fresh)
    if (!fresh || expiry === undefined || expiry > now || fresh.metadata.uid !== job.metadata.uid) return
    const { uid, resourceVersion } = fresh.metadata
    await client.delete(Job, fresh, { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } }).then(
      () => metrics.observe(deletionDelay, [], (clock.now() - expiry) / 1000),
      error => {
        if (!isNotFound(error) && !isConflict(error)) throw error
      },
    )
  },
})

/** When the job is to go; undefined if it may stay. */
export function expiryOf(job: Job): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec
  const at = finishOf(job)?.lastTransitionTime
  return ttlSecondsAfterFinished === undefined || !at ? undefined : Date.parse(at) + ttlSecondsAfterFinished * 1000
}
