import type { Clock, Timer } from '#base/time/clock.ts'

/**
 * Keys waiting to be worked on. A key waits at most once, however often it is added; it is worked on by one at a time, and if it is added
 * meanwhile it comes again afterwards. A key whose work fails comes again after a delay that doubles with each failure.
 */
export interface WorkQueue<Key> extends AsyncDisposable {
  /** Has the key worked on as soon as its turn comes. */
  add(key: Key): void
  /** Adds the key after `delayMs`; the earliest of several delays counts. */
  addAfter(key: Key, delayMs: number): void
  /** How many keys wait or are being worked on, delayed ones not counted. */
  size(): number
  /** How many keys wait, delayed ones not counted. */
  waiting(): number
  /** For how long each key that is being worked on has been so, in milliseconds. */
  agesMs(): number[]
  /** Resolves once no key waits or is being worked on. Delayed keys are not waited for. */
  idle(): Promise<void>
}

/** What a piece of work may ask for when it is done. */
export interface Worked {
  /** The key is not worked on again before this settles; others are. */
  readonly until?: Promise<void> | undefined
  /** The key comes again after so long, even if nobody adds it. */
  readonly againAfterMs?: number | undefined
  /** The work failed with this: as a rejection, but with an `until`. */
  readonly failure?: { readonly error: unknown } | undefined
}

export interface WorkQueueOptions<Key> {
  readonly clock: Clock
  /** Does the work. A rejection brings the key back later. */
  work(key: Key, signal: AbortSignal): Promise<Worked | undefined>
  /** How many keys are worked on at the same time. */
  readonly concurrency?: number
  readonly backoff?: { readonly firstMs: number; readonly limitMs: number }
  /** How many different keys may wait: reaching it is a mistake of the program. */
  readonly limit?: number
  /** Told of each failure, with how often the key has failed in a row and when it comes again. */
  failed?(key: Key, error: unknown, failures: number, delayMs: number): void
  readonly metrics?: QueueMetrics | undefined
}

/** What a queue tells of itself. Durations are in milliseconds. */
export interface QueueMetrics {
  added(): void
  /** Work on a key begins, which has waited so long. */
  begun(waitedMs: number): void
  ended(durationMs: number): void
  /** A key comes again after a failure. */
  retried(): void
}

/** A {@link WorkQueue} that works as soon as something is added. Disposing it waits for the work under way. */
export function workQueue<Key extends string>(options: WorkQueueOptions<Key>): WorkQueue<Key> {
  return new Queue(options)
}

const BACKOFF = { firstMs: 5, limitMs: 1_000_000 }

class Queue<Key extends string> implements WorkQueue<Key> {
  readonly #options: WorkQueueOptions<Key>
  /** Keys that wait, and since when. */
  readonly #waiting = new Map<Key, number>()
  readonly #begun = new Map<Key, number>()
  /** Keys that are worked on, and whether they were added again meanwhile. */
  readonly #working = new Map<Key, boolean>()
  readonly #delayed = new Map<Key, { readonly at: number; readonly timer: Timer }>()
  readonly #failures = new Map<Key, number>()
  readonly #idle = new Set<() => void>()
  readonly #ended = new AbortController()
  #active = 0
  #scheduled = false

  constructor(options: WorkQueueOptions<Key>) {
    this.#options = options
  }

  add(key: Key): void {
    if (this.#ended.signal.aborted || this.#waiting.has(key)) return
    if (this.#working.has(key)) {
      this.#working.set(key, true)
      return
    }
    const { limit = 1_000_000 } = this.#options
    if (this.#waiting.size >= limit) throw new Error(`a work queue holds its limit of ${limit} keys: raise the limit or add less`)
    this.#waiting.set(key, this.#options.clock.monotonic())
    this.#options.metrics?.added()
    this.#schedule()
  }

  addAfter(key: Key, delayMs: number): void {
    if (this.#ended.signal.aborted) return
    if (delayMs <= 0) {
      this.add(key)
      return
    }
    const at = this.#options.clock.monotonic() + delayMs
    const present = this.#delayed.get(key)
    if (present && present.at <= at) return
    present?.timer.cancel()
    const timer = this.#options.clock.after(delayMs, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, timer })
  }

  size(): number {
    return this.#waiting.size + this.#working.size
  }

  waiting(): number {
    return this.#waiting.size
  }

  agesMs(): number[] {
    const now = this.#options.clock.monotonic()
    return [...this.#begun.values()].map(since => now - since)
  }

  idle(): Promise<void> {
    return this.size() === 0 ? Promise.resolve() : new Promise(resolve => this.#idle.add(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the work queue was closed'))
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    this.#waiting.clear()
    while (this.#active > 0) await new Promise<void>(resolve => this.#idle.add(resolve))
    this.#working.clear()
    this.#settled()
  }

  /** Keys that are added in one go are all there before the first is worked on. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      const { concurrency = 5 } = this.#options
      for (const [key, since] of this.#waiting) {
        if (this.#active >= concurrency) return
        this.#waiting.delete(key)
        this.#working.set(key, false)
        void this.#run(key, since)
      }
    })
  }

  async #run(key: Key, waitingSince: number): Promise<void> {
    const { clock, metrics } = this.#options
    const startedMs = clock.monotonic()
    this.#active++
    this.#begun.set(key, startedMs)
    metrics?.begun(startedMs - waitingSince)
    let worked: Worked | undefined
    try {
      worked = await this.#options.work(key, this.#ended.signal)
      if (worked?.failure) this.#fail(key, worked.failure.error)
      else this.#failures.delete(key)
    } catch (error) {
      this.#fail(key, error)
    }
    this.#active--
    this.#begun.delete(key)
    metrics?.ended(clock.monotonic() - startedMs)
    if (this.#ended.signal.aborted) return this.#settled()
    if (worked?.againAfterMs !== undefined) this.addAfter(key, worked.againAfterMs)
    if (worked?.until) void worked.until.then(() => this.#release(key))
    else this.#release(key)
    this.#schedule()
  }

  #fail(key: Key, error: unknown): void {
    if (this.#ended.signal.aborted) return
    const { firstMs, limitMs } = this.#options.backoff ?? BACKOFF
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const delayMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 60), limitMs)
    this.#options.failed?.(key, error, failures, delayMs)
    this.#options.metrics?.retried()
    this.addAfter(key, delayMs)
  }

  #release(key: Key): void {
    const again = this.#working.get(key)
    this.#working.delete(key)
    if (again) this.add(key)
    this.#settled()
  }

  #settled(): void {
    if (this.#ended.signal.aborted ? this.#active > 0 : this.size() > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }
}
