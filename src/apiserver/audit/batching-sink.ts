import type { Clock, Timer } from '#base/time/clock.ts'
import type { AuditEvent } from './audit-event.ts'
import type { AuditSink } from './audit-sink.ts'

export interface Batching {
  /** How many events may wait; further ones are lost, and reported. */
  readonly bufferSize: number
  readonly maxBatchSize: number
  /** How long an event waits for others. */
  readonly maxWaitMs: number
  /** Batches per second, and how many at once; undefined: as they come. */
  readonly throttle?: { readonly qps: number; readonly burst: number } | undefined
}

/** Collects events and sends them on together, one batch after the other, so that no request waits for them. */
export function batchingSink(sink: AuditSink, options: Batching, clock: Clock, lost: (count: number, error: unknown) => void): AuditSink {
  const { bufferSize, maxBatchSize, maxWaitMs, throttle } = options
  const waiting: AuditEvent[] = []
  let timer: Timer | undefined
  let sending: Promise<void> | undefined
  let isEnding = false
  let tokens = throttle?.burst ?? 0
  let refilledMs = clock.monotonic()

  const admitted = async () => {
    if (!throttle || isEnding) return
    const nowMs = clock.monotonic()
    tokens = Math.min(throttle.burst, tokens + ((nowMs - refilledMs) / 1000) * throttle.qps)
    refilledMs = nowMs
    tokens--
    if (tokens < 0) await new Promise<void>(resolve => clock.after((-tokens / throttle.qps) * 1000, resolve))
  }
  const sendAll = async () => {
    while (waiting.length > 0) {
      await admitted()
      const batch = waiting.splice(0, maxBatchSize)
      await sink.process(batch).catch((error: unknown) => lost(batch.length, error))
      if (waiting.length < maxBatchSize && !isEnding) break
    }
  }
  const send = () => {
    timer?.cancel()
    timer = undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
      if (waiting.length > 0) schedule()
    })
  }
  const schedule = () => {
    if (waiting.length >= maxBatchSize || isEnding) send()
    else timer ??= clock.after(maxWaitMs, send)
  }

  return {
    name: sink.name,
    async process(events) {
      const room = Math.max(0, bufferSize - waiting.length)
      waiting.push(...events.slice(0, room))
      schedule()
      if (events.length > room) throw new Error(`audit buffer queue blocked: ${bufferSize} events wait already`)
    },
    async stop() {
      isEnding = true
      timer?.cancel()
      while (waiting.length > 0 || sending) {
        if (!sending) send()
        await sending
      }
      await sink.stop()
    },
  }
}
