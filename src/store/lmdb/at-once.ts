/** How long an event loop has waited for something to do, and how long it has worked, in milliseconds: only differences mean something. */
export interface LoopTime {
  readonly idle: number
  readonly active: number
}

/** A write that takes no longer holds everybody up no more than two requests would: renewing a lease takes 0.35 ms. */
const PROMPT_MS = 0.75
/** How much of the average the last write is. */
const WEIGHT = 1 / 64
/** Nothing is known of a disk at first. */
const UNKNOWN_MS = 1.5
/** With less of it at leisure than this, the loop has something better to do than to wait for the disk. */
const AT_LEISURE = 0.3
/** How often that is looked at. */
const LOOK_MS = 20

/**
 * Whether a lone write to the log is done at once, by the thread that does everything else, which waits for the disk meanwhile: where the
 * disk is known to be prompt and the loop is at leisure. To hand a write over and its outcome back wakes two threads, which costs more than the
 * write (bench/apiserver: a fifth of what a renewal of a lease does). One stall of the disk is all that anybody waits for: by that the
 * average is beyond what is prompt, and the next hundred writes are handed over again.
 */
export class AtOnce {
  readonly #loopTime: () => LoopTime
  #averageMs = UNKNOWN_MS
  #looked: LoopTime
  #lookedMs = Number.NEGATIVE_INFINITY
  #isAtLeisure = false

  constructor(loopTime: () => LoopTime) {
    this.#loopTime = loopTime
    this.#looked = loopTime()
  }

  /** Whether a write is done at once, now. `nowMs` is of a clock that never goes back. */
  isBest(nowMs: number): boolean {
    return this.#averageMs < PROMPT_MS && this.#hasLeisure(nowMs)
  }

  /** A write took so long, on whatever thread it was. */
  took(durationMs: number): void {
    this.#averageMs += (durationMs - this.#averageMs) * WEIGHT
  }

  #hasLeisure(nowMs: number): boolean {
    if (nowMs - this.#lookedMs >= LOOK_MS) {
      const { idle, active } = this.#loopTime()
      const idleMs = idle - this.#looked.idle
      this.#isAtLeisure = idleMs / (idleMs + active - this.#looked.active) >= AT_LEISURE
      this.#looked = { idle, active }
      this.#lookedMs = nowMs
    }
    return this.#isAtLeisure
  }
}
