import type { Clock, Timer } from '#base/time/clock.ts'
import { LeaseNotFoundError } from '../store-errors.ts'

const RETRY_MS = 1000

/** When the leases of a store run out: one timer for all of them. */
export class LeaseDeadlines {
  readonly #clock: Clock
  readonly #revoke: (id: number) => Promise<void>
  readonly #deadlines = new Map<number, number>()
  #next: { readonly at: number; readonly timer: Timer } | undefined
  #stopped = false

  /** `revoke` is called for what has run out, and again later if it fails. */
  constructor(clock: Clock, revoke: (id: number) => Promise<void>) {
    this.#clock = clock
    this.#revoke = revoke
  }

  has(id: number): boolean {
    return this.#deadlines.has(id)
  }

  /** From now on the lease lives `ttlSeconds`. */
  start(id: number, ttlSeconds: number): void {
    const deadline = this.#clock.monotonic() + ttlSeconds * 1000
    this.#deadlines.set(id, deadline)
    if (!this.#next || deadline < this.#next.at) this.#wait(0)
  }

  /** The lease is no more. */
  end(id: number): void {
    this.#deadlines.delete(id)
    if (this.#deadlines.size === 0) this.#wait(0)
  }

  stop(): void {
    this.#stopped = true
    this.#next?.timer.cancel()
  }

  #wait(leastMs: number): void {
    this.#next?.timer.cancel()
    this.#next = undefined
    if (this.#deadlines.size === 0 || this.#stopped) return
    let at = Number.POSITIVE_INFINITY
    for (const deadline of this.#deadlines.values()) at = Math.min(at, deadline)
    const waitMs = Math.max(leastMs, at - this.#clock.monotonic())
    this.#next = { at, timer: this.#clock.after(waitMs, () => void this.#expire()) }
  }

  async #expire(): Promise<void> {
    const now = this.#clock.monotonic()
    const due: number[] = []
    for (const [id, deadline] of this.#deadlines) if (deadline <= now) due.push(id)
    const outcomes = await Promise.allSettled(due.map(id => this.#revoke(id)))
    let hasFailed = false
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status !== 'rejected') continue
      if (outcome.reason instanceof LeaseNotFoundError) this.#deadlines.delete(due[index]!)
      else hasFailed = true
    }
    this.#wait(hasFailed ? RETRY_MS : 0)
  }
}
