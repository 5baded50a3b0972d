import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { AuditSink } from './audit-sink.ts'

/** POSTs a document; resolves to the status of the answer, and rejects if there is none. */
export type Post = (body: Uint8Array, signal: AbortSignal) => Promise<{ readonly status: number; readonly retryAfter: string }>

export interface WebhookSinkOptions {
  readonly post: Post
  /** How long to wait before the second attempt; each further one waits half as long again. */
  readonly initialBackoffMs: number
  readonly clock: Clock
  readonly log: Logger
}

const ATTEMPTS = 5
const FACTOR = 1.5
/** How long what still waits may take to be sent when the server ends. */
const ENDING_MS = 5_000

/** Sends events as an EventList to a program that collects them (`--audit-webhook-config-file`). */
export function webhookSink({ post, initialBackoffMs, clock, log }: WebhookSinkOptions): AuditSink {
  const over = new AbortController()
  const underWay = new Set<Promise<void>>()
  const send = async (body: Uint8Array) => {
    let waitMs = initialBackoffMs
    for (let attempt = 1; ; attempt++) {
      const failure = await post(body, over.signal).then(
        ({ status }) =>
          status >= 200 && status < 300 ? undefined : { mayPass: status === 429 || status >= 500, why: `it answered ${status}` },
        (error: unknown) => ({ mayPass: true, why: error instanceof Error ? error.message : String(error) }),
      )
      if (!failure) return
      if (!failure.mayPass || attempt >= ATTEMPTS) throw new Error(`the audit webhook did not take the events: ${failure.why}`)
      log.verbose('the audit webhook is tried again', { attempt, reason: failure.why })
      await sleep(clock, waitMs, over.signal)
      waitMs *= FACTOR
    }
  }
  return {
    name: 'webhook',
    process(events) {
      const list = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items: events }
      const sending = send(new TextEncoder().encode(JSON.stringify(list))).finally(() => underWay.delete(sending))
      underWay.add(sending)
      return sending
    },
    async stop() {
      const timer = clock.after(ENDING_MS, () => over.abort(new Error('the server has ended')))
      await Promise.allSettled([...underWay])
      timer.cancel()
    },
  }
}
