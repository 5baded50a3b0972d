import { beside } from '#base/collections/beside.ts'

/** A binary heap from which any element can be removed in logarithmic time. `compare` is negative if `left` comes first. */
export class PodHeap<T extends object> {
  readonly #compare: (left: T, right: T) => number
  readonly #items: T[] = []
  readonly #places = beside<number | undefined>()

  constructor(compare: (left: T, right: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  push(item: T): void {
    this.#items.push(item)
    this.#up(this.#items.length - 1, item)
  }

  /** The first, which stays. */
  peek(): T | undefined {
    return this.#items[0]
  }

  /** Takes out the first. */
  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  remove(item: T): void {
    const place = this.#places.get(item)
    if (place === undefined) return
    this.#places.set(item, undefined)
    const last = this.#items.pop()!
    if (last === item) return
    this.#down(place, last)
    this.#up(this.#places.get(last)!, last)
  }

  #up(start: number, item: T): void {
    let place = start
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (this.#compare(this.#items[parent]!, item) <= 0) break
      this.#set(place, this.#items[parent]!)
      place = parent
    }
    this.#set(place, item)
  }

  #down(start: number, item: T): void {
    let place = start
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.#items.length) break
      if (child + 1 < this.#items.length && this.#compare(this.#items[child + 1]!, this.#items[child]!) < 0) child++
      if (this.#compare(item, this.#items[child]!) <= 0) break
      this.#set(place, this.#items[child]!)
      place = child
    }
    this.#set(place, item)
  }

  #set(place: number, item: T): void {
    this.#items[place] = item
    this.#places.set(item, place)
  }
}
