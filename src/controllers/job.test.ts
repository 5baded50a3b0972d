import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Job } from '#kinds/batch/v1/job.ts'
import { isActive, isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { timeOf } from '#machinery/time/time.ts'
import { jobController } from './job.ts'
import { formatIndexes, parseIndexes } from './job-indexes.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const job = (spec: object) => ({
  metadata: { name: 'task', namespace: 'default' },
  spec: {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { job: 'task' } },
    template: {
      metadata: { labels: { job: 'task', 'batch.kubernetes.io/job-name': 'task' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] },
    },
    ...spec,
  },
})

/** What a kubelet reports of a pod that has ended. */
function end(
  cluster: Pick<TestCluster, 'api' | 'clock'>,
  pod: Pod,
  phase: 'Succeeded' | 'Failed',
  exitCode = phase === 'Failed' ? 1 : 0,
): void {
  cluster.api.change(Pod, pod.metadata.name!, next => {
    next.status.phase = phase
    const terminated = {
      exitCode,
      finishedAt: timeOf(cluster.clock.now()),
      signal: 0,
      reason: '',
      message: '',
      startedAt: null,
      containerID: '',
    }
    next.status.containerStatuses = [
      { name: 'main', state: { terminated }, ready: false, restartCount: 0, image: '', imageID: '', lastState: {} } as never,
    ]
  })
}

const status = (cluster: TestCluster) => cluster.api.find(Job, 'task')!.status
const active = (cluster: TestCluster) => cluster.api.all(Pod).filter(isActive)
const conditions = (cluster: TestCluster) =>
  (status(cluster).conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`)

describe('job-controller', () => {
  it('runs a pod to completion and counts it', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({}))
    await cluster.settle()
    const [pod] = active(cluster)
    expect(pod!.metadata.finalizers).toEqual(['batch.kubernetes.io/job-tracking'])
    expect(status(cluster)).toMatchObject({ active: 1, startTime: '2026-01-01T00:00:00Z' })
    end(cluster, pod!, 'Succeeded')
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ succeeded: 1, completionTime: '2026-01-01T00:00:00Z', uncountedTerminatedPods: {} })
    expect(conditions(cluster)).toEqual(['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached'])
    expect(cluster.api.all(Pod)[0]!.metadata.finalizers).toBeUndefined()
    expect(cluster.events()).toContain('Completed: Job completed')
  })

  it('keeps as many pods at work as parallelism says until all completions are in', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({ parallelism: 3, completions: 5 }))
    await cluster.settle()
    expect(active(cluster)).toHaveLength(3)
    for (const pod of active(cluster)) end(cluster, pod, 'Succeeded')
    await cluster.settle()
    expect(active(cluster)).toHaveLength(2)
    for (const pod of active(cluster)) end(cluster, pod, 'Succeeded')
    await cluster.settle()
    expect(status(cluster).succeeded).toBe(5)
  })

  it('waits longer after each failure and gives up at the backoff limit', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({ backoffLimit: 2 }))
    await cluster.settle()
    end(cluster, active(cluster)[0]!, 'Failed')
    await cluster.advance(9_000)
    expect(active(cluster)).toHaveLength(0)
    await cluster.advance(1_000)
    end(cluster, active(cluster)[0]!, 'Failed')
    await cluster.advance(19_000)
    expect(active(cluster)).toHaveLength(0)
    await cluster.advance(1_000)
    end(cluster, active(cluster)[0]!, 'Failed')
    await cluster.settle()
    expect(status(cluster).failed).toBe(3)
    expect(conditions(cluster)).toEqual(['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded'])
    expect(cluster.events()).toContain('BackoffLimitExceeded: Job has reached the specified backoff limit')
  })

  it('stops what runs beyond the deadline', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({ activeDeadlineSeconds: 30 }))
    await cluster.advance(30_000)
    expect(cluster.api.all(Pod).filter(pod => !pod.metadata.deletionTimestamp)).toHaveLength(0)
    expect(conditions(cluster)).toContain('Failed=True DeadlineExceeded')
  })

  it('suspended deletes its pods without counting them, and starts anew when resumed', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({ parallelism: 2, completions: 2 }))
    await cluster.settle()
    const suspend = (suspend: boolean) =>
      cluster.api.change(Job, 'task', next => {
        next.spec.suspend = suspend
      })
    suspend(true)
    await cluster.settle()
    expect(active(cluster)).toHaveLength(0)
    expect(status(cluster).failed).toBeUndefined()
    expect(conditions(cluster)).toEqual(['Suspended=True JobSuspended'])
    await cluster.advance(60_000)
    suspend(false)
    await cluster.settle()
    expect(active(cluster)).toHaveLength(2)
    expect(status(cluster).startTime).toBe('2026-01-01T00:01:00Z')
    expect(conditions(cluster)).toEqual(['Suspended=False JobResumed'])
  })

  it('gives each index of an indexed job one pod that knows it', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({ completionMode: 'Indexed', parallelism: 2, completions: 3 }))
    await cluster.settle()
    const pods = active(cluster)
    expect(pods.map(pod => pod.metadata.annotations!['batch.kubernetes.io/job-completion-index'])).toEqual(['0', '1'])
    expect(pods[1]!.spec.hostname).toBe('task-1')
    expect(pods[1]!.metadata.name).toMatch(/^task-1-[a-z0-9]{5}$/)
    expect(pods[0]!.spec.containers[0]!.env).toMatchObject([{ name: 'JOB_COMPLETION_INDEX' }])
    for (const pod of pods) end(cluster, pod, 'Succeeded')
    await cluster.settle()
    for (const pod of active(cluster)) end(cluster, pod, 'Succeeded')
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ succeeded: 3, completedIndexes: '0-2' })
  })

  it('lets an index fail without the others when limits are per index', async () => {
    await using cluster = testCluster([jobController])
    const spec = { completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimitPerIndex: 1, backoffLimit: 2 ** 31 - 1 }
    await cluster.api.client().create(Job, job(spec))
    await cluster.settle()
    const podOf = (index: string) =>
      active(cluster).find(pod => pod.metadata.annotations!['batch.kubernetes.io/job-completion-index'] === index)
    end(cluster, podOf('0')!, 'Failed')
    await cluster.advance(10_000)
    expect(podOf('0')!.metadata.annotations!['batch.kubernetes.io/job-index-failure-count']).toBe('1')
    end(cluster, podOf('0')!, 'Failed')
    end(cluster, podOf('1')!, 'Succeeded')
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ failed: 2, succeeded: 1, failedIndexes: '0', completedIndexes: '1' })
    expect(conditions(cluster)).toContain('Failed=True FailedIndexes')
  })

  it('ends as its pod failure policy says', async () => {
    await using cluster = testCluster([jobController])
    const rules = [
      { action: 'Ignore', onExitCodes: { operator: 'In', values: [3] } },
      { action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } },
    ]
    await cluster.api.client().create(Job, job({ podFailurePolicy: { rules }, podReplacementPolicy: 'Failed', backoffLimit: 0 }))
    await cluster.settle()
    end(cluster, active(cluster)[0]!, 'Failed', 3)
    await cluster.advance(10_000)
    expect(status(cluster).failed).toBeUndefined()
    const [pod] = active(cluster)
    end(cluster, pod!, 'Failed', 42)
    await cluster.settle()
    const failed = status(cluster).conditions!.find(({ type }) => type === 'Failed')!
    expect(failed.message).toBe(
      `Container main for pod default/${pod!.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
    )
  })

  it('succeeds early as its success policy says', async () => {
    await using cluster = testCluster([jobController])
    const spec = { completionMode: 'Indexed', parallelism: 3, completions: 3, successPolicy: { rules: [{ succeededIndexes: '0' }] } }
    await cluster.api.client().create(Job, job(spec))
    await cluster.settle()
    end(cluster, active(cluster)[0]!, 'Succeeded')
    await cluster.settle()
    expect(active(cluster)).toHaveLength(0)
    expect(conditions(cluster)).toContain('Complete=True SuccessPolicy')
  })

  it('lets go of pods whose job is gone', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({}))
    await cluster.settle()
    cluster.api.remove(Job, 'task')
    await cluster.settle()
    expect(cluster.api.all(Pod)[0]!.metadata.finalizers).toBeUndefined()
  })

  it('leaves a job to the controller that it names', async () => {
    await using cluster = testCluster([jobController])
    await cluster.api.client().create(Job, job({ managedBy: 'example.com/queue' }))
    await cluster.settle()
    expect(cluster.api.all(Pod)).toHaveLength(0)
  })
})

describe('any job', () => {
  const crash = fc.option(
    fc.record({
      verb: fc.constantFrom('create', 'patch', 'updateStatus', 'delete'),
      nth: fc.nat({ max: 6 }),
      when: fc.constantFrom('before', 'after'),
    }),
  )
  const outcomes = fc.array(fc.constantFrom('Succeeded', 'Failed', 'deleted', 'wait'), { maxLength: 30 })

  it('SAFETY: no pod counts twice or is lost, never more than parallelism at work. LIVENESS: it ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        outcomes,
        crash,
        async (parallelism, completions, isIndexed, steps, fault) => {
          const cluster = testCluster([jobController])
          let counted = 0
          const hit = (verb: string, when: string) => {
            if (fault?.verb === verb && fault.when === when && counted++ === fault.nth) throw new Error('connection lost')
          }
          cluster.api.faults = { before: ({ verb }) => hit(verb, 'before'), after: ({ verb }) => hit(verb, 'after') }
          const more = isIndexed ? { completionMode: 'Indexed' } : {}
          cluster.api.put(Job, job({ parallelism, completions, backoffLimit: 3, ...more }))
          const ends = { Succeeded: new Set<string>(), Failed: new Set<string>() }
          const step = (outcome: string) => {
            const [pod] = active(cluster)
            if (!pod || outcome === 'wait') return
            const { uid = '', name = '' } = pod.metadata
            if (outcome === 'deleted') {
              if (cluster.api.find(Job, 'task'))
                cluster.api.change(Pod, name, next => {
                  next.metadata.deletionTimestamp = timeOf(cluster.clock.now())
                })
              return
            }
            ends[outcome as 'Succeeded' | 'Failed'].add(uid)
            end(cluster, pod, outcome as 'Succeeded' | 'Failed')
          }
          for (const outcome of steps) {
            step(outcome)
            await cluster.advance(outcome === 'wait' ? 15_000 : 100)
            // SAFETY
            expect(active(cluster).length).toBeLessThanOrEqual(parallelism)
            const { succeeded = 0, uncountedTerminatedPods } = status(cluster)
            expect(succeeded + (isIndexed ? 0 : (uncountedTerminatedPods?.succeeded?.length ?? 0))).toBeLessThanOrEqual(ends.Succeeded.size)
          }
          // LIVENESS: pods that succeed from now on end the job.
          for (let round = 0; round < 30 && !conditions(cluster).some(text => /^(Complete|Failed)=/.test(text)); round++) {
            step('Succeeded')
            await cluster.advance(60_000)
          }
          expect(conditions(cluster).some(text => /^(Complete|Failed)=/.test(text))).toBe(true)
          if (!isIndexed) expect(status(cluster).succeeded ?? 0).toBe(ends.Succeeded.size)
          for (const pod of cluster.api.all(Pod)) if (isTerminal(pod)) expect(pod.metadata.finalizers).toBeUndefined()
          await cluster[Symbol.asyncDispose]()
        },
      ),
      { numRuns: 40 },
    )
  }, 30_000)
})

describe('indexes', () => {
  it('are written as ranges and read back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 30 })), indexes => {
        expect([...parseIndexes(formatIndexes(new Set(indexes)), 31)].sort()).toEqual([...indexes].sort())
      }),
    )
    expect(formatIndexes(new Set([1, 3, 4, 5, 7, 8]))).toBe('1,3-5,7,8')
  })
})
