const FIRST_MS = 10_000
const LIMIT_MS = 300_000

interface Entry {
  delayMs: number
  /** When the container was last started again. */
  updatedMs: number
}

/** How long each container of a pod waits before it is started again: 10 s, doubling to 5 min, forgotten after it ran for 10 min. */
export class RestartBackoff {
  readonly #entries = new Map<string, Entry>()
  readonly #firstMs: number
  readonly #limitMs: number

  constructor(firstMs = FIRST_MS, limitMs = LIMIT_MS) {
    this.#firstMs = firstMs
    this.#limitMs = limitMs
  }

  /** How long the next start must stay away from the container's end; 0 for its first restart. */
  delayOf(key: string, endedMs: number): number {
    const entry = this.#entries.get(key)
    return entry === undefined || this.#isForgotten(entry, endedMs) ? 0 : entry.delayMs
  }

  /** Notes a start after a container of that key ended. */
  started(key: string, endedMs: number, now: number): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#isForgotten(entry, endedMs)) this.#entries.set(key, { delayMs: this.#firstMs, updatedMs: now })
    else this.#entries.set(key, { delayMs: Math.min(entry.delayMs * 2, this.#limitMs), updatedMs: now })
  }

  #isForgotten(entry: Entry, endedMs: number): boolean {
    return endedMs - entry.updatedMs > 2 * this.#limitMs
  }
}
