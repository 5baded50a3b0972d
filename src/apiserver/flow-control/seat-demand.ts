/** How fast what was needed once is forgotten, per period, as upstream's `seatDemandSmoothingCoefficient`. */
const SMOOTHING = 0.977

/** Follows how many seats a level could use, waiting requests included, over a period. Times are milliseconds. */
export class SeatDemand {
  #current = 0
  #high = 0
  #since: number
  #at: number
  /** Integrals of the demand and of its square over time. */
  #sum = 0
  #squares = 0
  #smooth = 0

  constructor(now: number) {
    this.#since = now
    this.#at = now
  }

  /** The demand changes by so many seats. */
  add(seats: number, now: number): void {
    this.#pass(now)
    this.#current += seats
    if (this.#current > this.#high) this.#high = this.#current
  }

  /** Ends a period and begins the next. */
  take(now: number): { readonly high: number; readonly smooth: number } {
    this.#pass(now)
    const passed = now - this.#since
    const average = passed > 0 ? this.#sum / passed : this.#current
    const deviation = passed > 0 ? Math.sqrt(Math.max(0, this.#squares / passed - average * average)) : 0
    const envelope = average + deviation
    this.#smooth = Math.max(envelope, SMOOTHING * this.#smooth + (1 - SMOOTHING) * envelope)
    const high = this.#high
    this.#high = this.#current
    this.#sum = 0
    this.#squares = 0
    this.#since = now
    return { high, smooth: this.#smooth }
  }

  #pass(now: number): void {
    const passed = now - this.#at
    this.#sum += this.#current * passed
    this.#squares += this.#current * this.#current * passed
    this.#at = now
  }
}
