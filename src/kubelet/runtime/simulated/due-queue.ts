import type { Clock, Timer } from '#base/time/clock.ts'

/** Work for later on one timer, however much of it there is. Work of the same slice of time is done together. */
export class DueQueue<Key> implements Disposable {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #work: (key: Key) => void
  readonly #slices = new Map<number, Set<Key>>()
  #timer: Timer | undefined
  #timerSlice = Number.POSITIVE_INFINITY

  constructor(clock: Clock, work: (key: Key) => void, sliceMs = 20) {
    this.#clock = clock
    this.#work = work
    this.#sliceMs = sliceMs
  }

  /** Does the work for `key` at `atMs`, or at once if that is past. */
  add(key: Key, atMs: number): void {
    if (atMs <= this.#clock.now()) {
      this.#work(key)
      return
    }
    const slice = Math.ceil(atMs / this.#sliceMs)
    const keys = this.#slices.get(slice)
    if (keys) keys.add(key)
    else this.#slices.set(slice, new Set([key]))
    if (slice < this.#timerSlice) this.#arm(slice)
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#slices.clear()
  }

  #arm(slice: number): void {
    this.#timer?.cancel()
    this.#timerSlice = slice
    this.#timer = this.#clock.after(Math.max(0, slice * this.#sliceMs - this.#clock.now()), () => this.#fire())
  }

  #fire(): void {
    this.#timer = undefined
    this.#timerSlice = Number.POSITIVE_INFINITY
    const nowSlice = Math.floor(this.#clock.now() / this.#sliceMs)
    const due = [...this.#slices.keys()].filter(slice => slice <= nowSlice).sort((a, b) => a - b)
    for (const slice of due) {
      const keys = this.#slices.get(slice)!
      this.#slices.delete(slice)
      for (const key of keys) this.#work(key)
    }
    let next = Number.POSITIVE_INFINITY
    for (const slice of this.#slices.keys()) next = Math.min(next, slice)
    if (next < this.#timerSlice) this.#arm(next)
  }
}
