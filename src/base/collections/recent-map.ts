/** A map of bounded size: what was neither set nor asked for the longest goes first. */
export class RecentMap<K, V> {
  readonly #entries = new Map<K, Entry<V>>()
  readonly #limit: number
  /** An entry among so many of the last ones counts as the last: to put it behind them would be work for nothing. */
  readonly #slack: number
  #moves = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#slack = limit >> 2
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    if (entry) this.#touch(key, entry)
    return entry?.value
  }

  set(key: K, value: V): void {
    const entry = this.#entries.get(key)
    if (entry) {
      entry.value = value
      this.#touch(key, entry)
      return
    }
    this.#entries.set(key, { value, at: ++this.#moves })
    if (this.#entries.size <= this.#limit) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      break
    }
  }

  #touch(key: K, entry: Entry<V>): void {
    if (this.#moves - entry.at < this.#slack) return
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.at = ++this.#moves
  }
}

interface Entry<V> {
  value: V
  /** Which move it was that put it last. */
  at: number
}
