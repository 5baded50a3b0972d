import type { Clock } from '../../time/clock.ts'
import { Http2Error } from './http2-error.ts'

/** How many frames that ask for work and bring nothing a peer may send at once, and how many more per second. */
const AT_ONCE = 10_000
const PER_SECOND = 1000
/** A request that is taken back counts for so many. */
const RESET = 5

/**
 * What a connection bears of frames that cost their sender nothing: requests taken back at once (CVE-2023-44487), pings, settings, empty
 * data. Throws when it is used up.
 */
export class Patience {
  readonly #clock: Clock
  #left = AT_ONCE
  #atMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#atMs = clock.monotonic()
  }

  spendOnReset(): void {
    this.spend(RESET)
  }

  spend(cost = 1): void {
    this.#left -= cost
    if (this.#left > 0) return
    const nowMs = this.#clock.monotonic()
    this.#left = Math.min(AT_ONCE, ((nowMs - this.#atMs) * PER_SECOND) / 1000)
    this.#atMs = nowMs
    if (this.#left < 1) throw new Http2Error('enhanceYourCalm', 'too many frames that bring nothing')
  }
}
