/** The keys of objects by one value that each has, or has not. */
export class KeysByValue {
  readonly #values = new Map<string, Keys>()

  clear(): void {
    this.#values.clear()
  }

  /** The object under `key` has the value `after` from now on, and had `before`; undefined for none. */
  move(key: string, before: string | undefined, after: string | undefined): void {
    if (before === after) return
    if (before !== undefined) this.#remove(before, key)
    if (after === undefined) return
    const keys = this.#values.get(after)
    if (!keys) this.#values.set(after, { all: new Set([key]), sorted: undefined })
    else {
      keys.all.add(key)
      keys.sorted = undefined
    }
  }

  /** How many objects have the value. */
  count(value: string): number {
    return this.#values.get(value)?.all.size ?? 0
  }

  /** The keys of those that have the value, in order. */
  keys(value: string): readonly string[] {
    const keys = this.#values.get(value)
    if (!keys) return NONE
    keys.sorted ??= [...keys.all].sort()
    return keys.sorted
  }

  #remove(value: string, key: string): void {
    const keys = this.#values.get(value)
    if (!keys?.all.delete(key)) return
    keys.sorted = undefined
    if (keys.all.size === 0) this.#values.delete(value)
  }
}

interface Keys {
  readonly all: Set<string>
  /** In order, since they were last asked for. */
  sorted: readonly string[] | undefined
}

const NONE: readonly string[] = []
