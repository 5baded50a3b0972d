import { PassingMap } from '#base/collections/passing-map.ts'
import type { Clock, Timer } from '#base/time/clock.ts'

/** Something that has to be over by a time. */
export interface Deadline {
  /** It is over. */
  met(): void
}

interface Entry extends Deadline {
  readonly dueMs: number
  readonly missed: () => void
}

/** How late a missed deadline may be noticed. */
const GRAIN_MS = 500

/**
 * Watches over requests of which each may take the same time. Hot: bench/apiserver — most end long before, so they share one timer, which
 * runs only while there are any.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #allowedMs: number
  /** By their numbers, the oldest first. */
  readonly #entries = new PassingMap<number, Entry>()
  #last = 0
  #timer: Timer | undefined

  constructor(clock: Clock, allowedMs: number) {
    this.#clock = clock
    this.#allowedMs = allowedMs
  }

  /** `missed` is called once, unless the deadline is met. */
  start(startMs: number, missed: () => void): Deadline {
    const number = ++this.#last
    const entry: Entry = { dueMs: startMs + this.#allowedMs, missed, met: () => void this.#entries.delete(number) }
    this.#entries.set(number, entry)
    this.#timer ??= this.#clock.after(GRAIN_MS, () => this.#look())
    return entry
  }

  #look(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonic()
    for (const entry of this.#entries.values()) {
      if (entry.dueMs > nowMs) break
      entry.met()
      entry.missed()
    }
    if (this.#entries.size > 0) this.#timer = this.#clock.after(GRAIN_MS, () => this.#look())
  }
}
