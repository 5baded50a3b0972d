import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { workQueue } from '#client/queue/work-queue.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { SchedulingReview, type SchedulingReviewStatus, type SchedulingSupposition } from '#kinds/typernetes/v1/scheduling-review.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Verdict } from './verdict.ts'
import type { Supposition } from './what-if.ts'

export interface AnswerOptions {
  readonly client: Client
  readonly informers: Informers
  readonly scheduler: Pick<Scheduler, 'verdict' | 'whatIf' | 'isFor'>
  readonly clock: Clock
  readonly log: Logger
}

/** How long an answer stands before it is taken away. */
const KEPT_MS = 60_000

/**
 * Answers the questions of {@link SchedulingReview}s, wherever the scheduler runs: they come and go through the API like everything else.
 * Does nothing where the API server does not serve them.
 */
export async function answerReviews(options: AnswerOptions): Promise<AsyncDisposable | undefined> {
  const { client, informers, clock, log } = options
  if (!(await isServed(options))) return undefined
  const reviews = informers.of(SchedulingReview)
  const queue = workQueue<string>({
    clock,
    failed: (key, error) => log.warn('a scheduling review could not be answered', { review: key, error: String(error) }),
    async work(key, signal) {
      const [namespace = '', name = ''] = key.split('/')
      const review = reviews.get(namespace, name)
      if (!review) return undefined
      const { time, problem } = review.status
      if (time === undefined && problem === undefined) {
        const status = answer(review, options)
        if (status) await unlessGone(client.updateStatus(SchedulingReview, { ...review, status }, { signal }))
        return undefined
      }
      const dueInMs = Date.parse(review.metadata.creationTimestamp ?? '') + KEPT_MS - clock.now()
      if (dueInMs > 0) return { againAfterMs: dueInMs }
      await unlessGone(client.delete(SchedulingReview, review, { signal }))
      return undefined
    },
  })
  const following = reviews.onChange(review => {
    if (review) queue.add(`${review.metadata.namespace}/${review.metadata.name}`)
  })
  return {
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]()
      await queue[Symbol.asyncDispose]()
    },
  }
}

/** Asked at the start: a group is switched on by a flag, and not while a server runs. Its roles may come a moment after the server. */
async function isServed({ client, clock, log }: AnswerOptions): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      await client.list(SchedulingReview, { limit: 1 })
      return true
    } catch (error) {
      const code = error instanceof StatusError ? error.code : undefined
      if (code !== 404 && code !== 403) throw error
      if (code === 403 && tries < TRIES) {
        await sleep(clock, RETRY_MS)
        continue
      }
      log.verbose('scheduling is not explained: the API server does not serve typernetes.dev, or not to this scheduler', { code })
      return false
    }
  }
}

const TRIES = 5
const RETRY_MS = 1000

/** Undefined: the pod is another scheduler's, which may answer for itself. */
function answer({ metadata, spec }: SchedulingReview, { scheduler, informers }: AnswerOptions): SchedulingReviewStatus | undefined {
  const namespace = metadata.namespace ?? ''
  const pod = informers.of(Pod).get(namespace, spec.pod)
  if (!pod) return { problem: `there is no pod ${spec.pod} in the namespace ${namespace}` }
  if (!scheduler.isFor(pod)) return undefined
  if (spec.supposition) return statusOf(scheduler.whatIf(pod, suppositionOf(spec.supposition)))
  const verdict = scheduler.verdict(namespace, spec.pod)
  if (verdict && verdict.pod.uid === pod.metadata.uid) return statusOf(verdict)
  const where = pod.spec.nodeName ? ` It is on the node ${pod.spec.nodeName}.` : ''
  return {
    problem: `what was found out when this pod was scheduled is not known any more: only the latest are kept, and none by a scheduler started since.${where}`,
  }
}

function suppositionOf({ labels, withoutTaints, moreNodes, ...rest }: SchedulingSupposition): Supposition {
  const byNode: Record<string, Record<string, string>> = Object.create(null) as Record<string, Record<string, string>>
  for (const { node, key, value = '' } of labels ?? []) byNode[node] = { ...byNode[node], [key]: value }
  return {
    ...rest,
    ...(moreNodes ? { moreNodes: { ...moreNodes, count: Math.min(moreNodes.count, MORE_NODES_LIMIT) } } : {}),
    withoutTaints: (withoutTaints ?? []).map(({ node, key }) => (node ? { node, key } : { key })),
    labels: byNode,
  }
}

/** One question must not keep the scheduler for long. */
const MORE_NODES_LIMIT = 1000

function statusOf({ schedulerName, at, node, message, nodes, refusals, scores }: Verdict): SchedulingReviewStatus {
  return {
    schedulerName,
    time: `${new Date(at).toISOString().slice(0, -1)}000Z`,
    ...(node === undefined ? {} : { node }),
    ...(message === undefined ? {} : { message }),
    nodes,
    refusals: refusals.map(({ nodes: names, reasons, ...rest }) => ({ ...rest, reasons: [...reasons], nodes: names.slice(0, NAMES) })),
    scores: scores.slice(0, SCORES).map(({ plugins, ...rest }) => ({ ...rest, plugins: { ...plugins } })),
  }
}

/** How much of a verdict is written down. */
const NAMES = 20
const SCORES = 10

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 409)) throw error
  }
}
