import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { timeOf } from '#machinery/time/time.ts'
import { cronTimes } from './cron-times.ts'
import { cronJobController } from './cronjob.ts'
import { podTemplate } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { ttlAfterFinishedController } from './ttl-after-finished.ts'

const cronJob = (spec: object = {}) => ({
  metadata: { name: 'tick', namespace: 'default' },
  spec: { schedule: '*/5 * * * *', jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { template: podTemplate('tick') } }, ...spec },
})
const MINUTE = 60_000
const jobs = (cluster: TestCluster) =>
  cluster.api
    .all(Job)
    .map(({ metadata }) => metadata.name!)
    .sort()
const finish = (cluster: TestCluster, name: string, type = 'Complete') =>
  cluster.api.change(Job, name, job => {
    const at = timeOf(cluster.clock.now())
    job.status = {
      ...job.status,
      startTime: at,
      completionTime: at,
      conditions: [{ type, status: 'True', lastProbeTime: at, lastTransitionTime: at }],
    }
  })

describe('cronjob-controller', () => {
  it('starts a job for every run, named after its time', async () => {
    await using cluster = testCluster([cronJobController])
    await cluster.api.client().create(CronJob, cronJob())
    await cluster.advance(4 * MINUTE)
    expect(jobs(cluster)).toEqual([])
    await cluster.advance(MINUTE)
    const minutes = Date.UTC(2026, 0, 1, 0, 5) / MINUTE
    expect(jobs(cluster)).toEqual([`tick-${minutes}`])
    expect(cluster.api.all(Job)[0]!.metadata).toMatchObject({
      labels: { a: 'b' },
      annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:05:00Z' },
      ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
    })
    expect(cluster.api.find(CronJob, 'tick')!.status).toMatchObject({
      lastScheduleTime: '2026-01-01T00:05:00Z',
      active: [{ name: `tick-${minutes}` }],
    })
    await cluster.advance(10 * MINUTE)
    expect(jobs(cluster)).toHaveLength(3)
  })

  it('starts none while one runs, or replaces it, as its policy says', async () => {
    await using cluster = testCluster([cronJobController])
    await cluster.api.client().create(CronJob, cronJob({ concurrencyPolicy: 'Forbid' }))
    await cluster.advance(12 * MINUTE)
    expect(jobs(cluster)).toHaveLength(1)
    expect(cluster.events()).toContain(
      'JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid',
    )
    cluster.api.change(CronJob, 'tick', next => {
      next.spec.concurrencyPolicy = 'Replace'
    })
    const [first] = jobs(cluster)
    await cluster.advance(5 * MINUTE)
    expect(jobs(cluster)).toHaveLength(1)
    expect(jobs(cluster)).not.toContain(first)
  })

  it('after a long pause starts the last run that was missed, once', async () => {
    await using cluster = testCluster([cronJobController])
    cluster.api.put(CronJob, { ...cronJob({ suspend: true }), status: { lastScheduleTime: '2025-12-01T00:00:00Z' } })
    await cluster.advance(7 * MINUTE)
    expect(jobs(cluster)).toEqual([])
    cluster.api.change(CronJob, 'tick', next => {
      next.spec.suspend = false
    })
    await cluster.settle()
    expect(jobs(cluster)).toEqual([`tick-${Date.UTC(2026, 0, 1, 0, 5) / MINUTE}`])
    expect(cluster.events().join()).toContain('TooManyMissedTimes')
  })

  it('skips a run that comes too late', async () => {
    await using cluster = testCluster([cronJobController])
    cluster.api.put(CronJob, {
      ...cronJob({ schedule: '0 * * * *', startingDeadlineSeconds: 30 }),
      status: { lastScheduleTime: '2025-12-31T22:00:00Z' },
    })
    await cluster.advance(MINUTE)
    expect(jobs(cluster)).toHaveLength(1)
  })

  it('keeps the history as long as its limits', async () => {
    await using cluster = testCluster([cronJobController])
    await cluster.api.client().create(CronJob, cronJob({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0 }))
    for (let run = 0; run < 5; run++) {
      await cluster.advance(5 * MINUTE)
      finish(cluster, jobs(cluster).at(-1)!, run === 4 ? 'Failed' : 'Complete')
    }
    await cluster.settle()
    expect(jobs(cluster)).toHaveLength(2)
    expect(cluster.api.find(CronJob, 'tick')!.status).toMatchObject({ lastSuccessfulTime: '2026-01-01T00:20:00Z' })
    expect(cluster.api.find(CronJob, 'tick')!.status.active).toBeUndefined()
  })

  it('does not start a run twice when the answer got lost', async () => {
    await using cluster = testCluster([cronJobController])
    let lost = 0
    cluster.api.faults = {
      after({ verb, kind }) {
        if (verb === 'create' && kind === 'Job' && lost++ === 0) throw new Error('connection lost')
      },
    }
    await cluster.api.client().create(CronJob, cronJob())
    await cluster.advance(6 * MINUTE)
    expect(jobs(cluster)).toHaveLength(1)
    expect(cluster.api.find(CronJob, 'tick')!.status.lastScheduleTime).toBe('2026-01-01T00:05:00Z')
  })
})

describe('ttl-after-finished-controller', () => {
  it('deletes a finished job when its time is over', async () => {
    await using cluster = testCluster([ttlAfterFinishedController])
    cluster.api.put(Job, {
      metadata: { name: 'done', namespace: 'default' },
      spec: { ttlSecondsAfterFinished: 60, template: podTemplate('x') },
    })
    finish(cluster, 'done')
    await cluster.advance(59_000)
    expect(jobs(cluster)).toEqual(['done'])
    await cluster.advance(1_000)
    expect(cluster.api.find(Job, 'done')!.metadata).toMatchObject({ finalizers: ['foregroundDeletion'] })
  })
})

describe('the times of a schedule', () => {
  const from = (schedule: string, after: string, zone?: string, count = 3) => {
    const times = cronTimes(schedule, zone)
    const found: string[] = []
    for (let at = times.next(Date.parse(after)); at !== undefined && found.length < count; at = times.next(at))
      found.push(new Date(at).toISOString().slice(0, 16))
    return found
  }

  it('are those that Cron knows', () => {
    expect(from('*/20 9-10 * * *', '2026-01-01T09:30:00Z')).toEqual(['2026-01-01T09:40', '2026-01-01T10:00', '2026-01-01T10:20'])
    expect(from('0 0 31 * *', '2026-01-31T00:00:00Z')).toEqual(['2026-03-31T00:00', '2026-05-31T00:00', '2026-07-31T00:00'])
    expect(from('0 12 * jan mon', '2026-01-01T00:00:00Z')).toEqual(['2026-01-05T12:00', '2026-01-12T12:00', '2026-01-19T12:00'])
    expect(from('@monthly', '2026-01-15T00:00:00Z', undefined, 2)).toEqual(['2026-02-01T00:00', '2026-03-01T00:00'])
    expect(from('0 0 13 * 5', '2026-02-01T00:00:00Z')).toEqual(['2026-02-06T00:00', '2026-02-13T00:00', '2026-02-20T00:00'])
    expect(from('0 0 30 2 *', '2026-01-01T00:00:00Z')).toEqual([])
    expect(from('0 0 29 2 *', '2026-01-01T00:00:00Z', undefined, 1)).toEqual(['2028-02-29T00:00'])
    expect(from('@every 90m', '2026-01-01T00:00:00Z', undefined, 2)).toEqual(['2026-01-01T01:30', '2026-01-01T03:00'])
  })

  it('follow the clocks of their zone', () => {
    expect(from('30 8 * * *', '2026-03-27T12:00:00Z', 'Europe/Berlin')).toEqual([
      '2026-03-28T07:30',
      '2026-03-29T06:30',
      '2026-03-30T06:30',
    ])
  })

  it('leave out what clocks skip, and repeat what they repeat', () => {
    expect(from('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', 2)).toEqual(['2026-03-30T00:30', '2026-03-31T00:30'])
    expect(from('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin', 3)).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T01:30',
      '2026-10-26T01:30',
    ])
  })

  it('always move on', () => {
    const field = (max: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: 1, max }).map(String),
        fc.integer({ min: 2, max: 9 }).map(step => `*/${step}`),
      )
    fc.assert(
      fc.property(
        field(59),
        field(23),
        field(28),
        field(12),
        field(6),
        fc.constantFrom('UTC', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'),
        fc.integer({ min: 0, max: 1e9 }),
        (minute, hour, day, month, weekday, zone, seconds) => {
          const times = cronTimes(`${minute} ${hour} ${day} ${month} ${weekday}`, zone)
          const after = Date.UTC(2026, 0, 1) + (seconds % 1e8) * 1000
          const next = times.next(after)
          if (next === undefined) return
          expect(next).toBeGreaterThan(after)
          expect(times.next(next - 1)).toBe(next)
        },
      ),
      { numRuns: 60 },
    )
  })
})
