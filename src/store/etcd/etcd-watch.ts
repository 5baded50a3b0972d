import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js'
import { type Clock, sleep } from '#base/time/clock.ts'
import { inRange } from '../embedded/evaluate.ts'
import { everyKey, type Watch, type WatchEvent, type WatchOptions, type WatchSink } from '../store.ts'
import { CompactedError, UnavailableError } from '../store-errors.ts'
import type { EtcdChannel } from './etcd-channel.ts'
import { keyValue, rangeOf } from './etcd-convert.ts'
import type { EtcdWatchResponse } from './etcd-messages.ts'

/** Trying again would end the same. */
const HOPELESS: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
])
const RETRY_MS = 100
const MAX_RETRY_MS = 2000

/** What a watch needs of its store. */
export interface EtcdWatchContext {
  readonly channel: EtcdChannel
  readonly clock: Clock
  /** The newest revision, from the leader. */
  currentRevision(): Promise<number>
  /** Called once when the watch is over. */
  onEnd(watch: EtcdWatch): void
}

/**
 * One watch on a stream of its own; when that breaks it goes on, with the next member, from the first revision it has not seen.
 *
 * Progress: etcd before 3.4.31 and 3.5.13 may answer a progress request before events it should have sent first. So a watch that wants
 * progress watches every key and picks its own: each revision then shows itself by an event, and having seen the revision that the
 * leader told is proof enough, on every version and whatever else is written.
 */
export class EtcdWatch implements Watch {
  readonly #context: EtcdWatchContext
  readonly #options: WatchOptions
  readonly #sink: WatchSink
  readonly #aborted = new AbortController()
  #stream: ClientDuplexStream<object, EtcdWatchResponse> | undefined
  /** The first revision not seen; 0 until a watch without revision has begun. */
  #next: number
  #asked: number[] = []
  #unanswered = 0
  /** While something is sure to come. */
  #expecting: Disposable | undefined

  constructor(context: EtcdWatchContext, options: WatchOptions, sink: WatchSink) {
    this.#context = context
    this.#options = options
    this.#sink = sink
    this.#next = options.revision ?? 0
    void this.#run()
  }

  requestProgress(): void {
    this.#unanswered++
    if (this.#next > 0) void this.#askRevision()
  }

  [Symbol.dispose](): void {
    if (this.#aborted.signal.aborted) return
    this.#aborted.abort()
    this.#expecting?.[Symbol.dispose]()
    this.#stream?.cancel()
    this.#context.onEnd(this)
  }

  /** Ends the watch with an error. */
  end(error: Error): void {
    if (this.#aborted.signal.aborted) return
    this[Symbol.dispose]()
    this.#sink.end(error)
  }

  async #run(): Promise<void> {
    const { signal } = this.#aborted
    for (let retryMs = RETRY_MS; !signal.aborted; ) {
      const before = this.#next
      try {
        await this.#follow()
      } catch (error) {
        if (error instanceof CompactedError) return this.end(error)
        const { code, details } = error as Partial<ServiceError>
        if (code !== undefined && HOPELESS.has(code)) {
          return this.end(new UnavailableError(`etcd refuses the watch: ${details}`, { outcomeUnknown: false, cause: error }))
        }
      }
      retryMs = this.#next === before ? Math.min(2 * retryMs, MAX_RETRY_MS) : RETRY_MS
      await sleep(this.#context.clock, retryMs, signal).catch(() => {})
    }
  }

  /** Follows one stream until it breaks. */
  async #follow(): Promise<void> {
    const stream = await this.#context.channel.stream<object, EtcdWatchResponse>('Watch', 'watch')
    if (this.#aborted.signal.aborted) return stream.cancel()
    this.#stream = stream
    const range = this.#sink.progress ? everyKey : this.#options
    stream.write({ createRequest: { ...rangeOf(range), startRevision: this.#next, prevKv: this.#options.prevKv ?? false } })
    this.#expect(true)
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (response: EtcdWatchResponse) => {
        if (this.#aborted.signal.aborted) return
        if (response.compactRevision > 0) reject(new CompactedError(this.#next, response.compactRevision))
        else if (response.canceled) reject(new Error(response.cancelReason))
        else this.#take(response)
      })
      stream.on('error', reject)
      stream.on('end', resolve)
    }).finally(() => {
      this.#expect(false)
      stream.cancel()
    })
  }

  /** The stream ends if its member falls silent, or loses the leader, while something is sure to come. From now on that is so, or not. */
  #expect(isSure: boolean): void {
    this.#expecting?.[Symbol.dispose]()
    this.#expecting = isSure && this.#stream && !this.#aborted.signal.aborted ? this.#context.channel.expecting(this.#stream) : undefined
  }

  #take({ header, created, events }: EtcdWatchResponse): void {
    if (created && this.#next === 0) {
      this.#next = header.revision + 1
      for (let ask = 0; ask < this.#unanswered; ask++) void this.#askRevision()
    }
    if (created) this.#expect(this.#asked.length > 0)
    if (events.length === 0) return
    const seen: WatchEvent[] = []
    let last = 0
    for (const { type, kv, prevKv } of events) {
      const event: WatchEvent = { type: type === 'PUT' ? 'put' : 'delete', kv: keyValue(kv), ...(prevKv && { prevKv: keyValue(prevKv) }) }
      last = event.kv.modRevision
      if (last >= this.#next && inRange(this.#options, event.kv.key)) seen.push(event)
    }
    this.#next = Math.max(this.#next, last + 1)
    try {
      if (seen.length > 0) this.#sink.events(seen, last)
      this.#answer()
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #askRevision(): Promise<void> {
    for (;;) {
      if (this.#aborted.signal.aborted) return
      try {
        this.#asked.push(await this.#context.currentRevision())
        if (!this.#expecting) this.#expect(true)
        break
      } catch {
        await sleep(this.#context.clock, RETRY_MS, this.#aborted.signal).catch(() => {})
      }
    }
    try {
      this.#answer()
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #answer(): void {
    const due = this.#asked.filter(revision => revision < this.#next)
    if (due.length === 0 || this.#aborted.signal.aborted) return
    this.#asked = this.#asked.filter(revision => revision >= this.#next)
    this.#expect(this.#asked.length > 0)
    this.#unanswered -= due.length
    this.#sink.progress?.(this.#next - 1)
  }
}
