import type { Clock, Timer } from '#base/time/clock.ts'

/** A connection whose client has not proved yet who it is. */
export interface Stranger {
  /** A request of it begins. */
  begin(): void
  /** That request is over. */
  end(): void
  /** The client has proved who it is, or has gone: nobody looks after it any more. */
  leave(): void
}

interface Entry extends Stranger {
  active: number
  idleSinceMs: number
  readonly cut: () => void
}

const GRAIN_MS = 1000

/**
 * Cuts off those who hold a connection, say nothing that can be answered, and do not say who they are: a client that sends a head byte by
 * byte, or nothing at all, costs memory for as long as it is borne. Who has proved who they are may be idle as long as they like.
 */
export class Strangers {
  readonly #clock: Clock
  readonly #patienceMs: number
  readonly #entries = new Set<Entry>()
  #timer: Timer | undefined

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock
    this.#patienceMs = patienceMs
  }

  get count(): number {
    return this.#entries.size
  }

  /** `cut` is called when the stranger has had no request under way for as long as the patience lasts. */
  meet(cut: () => void): Stranger {
    const entry: Entry = {
      active: 0,
      idleSinceMs: this.#clock.monotonic(),
      cut,
      begin: () => void entry.active++,
      end: () => {
        entry.active--
        entry.idleSinceMs = this.#clock.monotonic()
      },
      leave: () => void this.#entries.delete(entry),
    }
    this.#entries.add(entry)
    this.#timer ??= this.#clock.after(GRAIN_MS, () => this.#look())
    return entry
  }

  #look(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonic()
    for (const entry of this.#entries) {
      if (entry.active > 0 || nowMs - entry.idleSinceMs < this.#patienceMs) continue
      this.#entries.delete(entry)
      entry.cut()
    }
    if (this.#entries.size > 0) this.#timer = this.#clock.after(GRAIN_MS, () => this.#look())
  }
}
