/**
 * A Map for what comes and goes all the time: requests, streams, pods that wait. Its values must not be undefined.
 *
 * Hot: bench/loops — a Map of V8's that has seen as many entries go as it has room for moves to another table, and the one that it leaves goes on
 * referring to that one and to whatever was in it then. Once one of them has reached the old generation, all that follow do, and all that
 * passes through them is garbage that only a full collection takes away: of what a request holds for some milliseconds nearly everything.
 * Here the tables refer to numbers, and what goes is taken out of the one list that there is.
 */
export class PassingMap<K extends string | number, V extends object> {
  readonly #places = new Map<K, number>()
  readonly #values: (V | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#places.size
  }

  has(key: K): boolean {
    return this.#places.has(key)
  }

  get(key: K): V | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#values[place]
  }

  set(key: K, value: V): void {
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.#free.pop() ?? this.#values.length
      this.#places.set(key, place)
    }
    this.#values[place] = value
  }

  delete(key: K): boolean {
    const place = this.#places.get(key)
    if (place === undefined) return false
    this.#places.delete(key)
    this.#values[place] = undefined
    this.#free.push(place)
    return true
  }

  clear(): void {
    this.#places.clear()
    this.#values.length = 0
    this.#free.length = 0
  }

  /** Calls `see` with each value, in the order in which their keys came; what comes or goes meanwhile is as with {@link Map.forEach}. Makes nothing. */
  visit(see: (value: V) => void): void {
    this.#places.forEach(place => {
      see(this.#values[place]!)
    })
  }

  /** In the order in which their keys came. */
  *values(): Generator<V> {
    for (const place of this.#places.values()) yield this.#values[place]!
  }
}
