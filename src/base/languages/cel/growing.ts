import { CelList, CelMap, type CelValue, elementKey, keyOf } from './values.ts'

/** A list that only a macro's accumulator holds: appending to it copies nothing. */
export class GrowingList extends CelList {
  readonly #elements: CelValue[]
  readonly size: number
  constructor(elements: CelValue[]) {
    super()
    this.#elements = elements
    this.size = elements.length
  }
  at(index: number): CelValue {
    return this.#elements[index]!
  }
  /** The list with one more; in place if nobody appended to it before. */
  with(added: CelList): GrowingList {
    const elements = this.#elements.length === this.size ? this.#elements : this.#elements.slice(0, this.size)
    for (let i = 0; i < added.size; i++) elements.push(added.at(i))
    return new GrowingList(elements)
  }
}

/** `a + b` of lists. Sets and maps of a list gain what they do not have; elements of a map that both have are those of `b`. */
export function concatLists(a: CelList, b: CelList): CelList {
  if (a.keyedBy !== undefined) return new UnionList(a, b, a.keyedBy)
  if (a.size === 0) return a instanceof GrowingList ? a.with(b) : b
  if (a instanceof GrowingList) return a.with(b)
  return b.size === 0 ? a : new ConcatList(a, b)
}

/** Two lists whose elements are told apart by keys, as one: each key once, in the place where it came first. */
class UnionList extends CelList {
  override readonly keyedBy: readonly string[]
  readonly #elements: readonly CelValue[]
  constructor(a: CelList, b: CelList, keyedBy: readonly string[]) {
    super()
    this.keyedBy = keyedBy
    const elements = new Map<string, CelValue>()
    for (const list of [a, b]) for (const element of list) elements.set(elementKey(element, keyedBy), element)
    this.#elements = [...elements.values()]
  }
  get size(): number {
    return this.#elements.length
  }
  at(index: number): CelValue {
    return this.#elements[index]!
  }
}

/** Two lists, one after the other. */
class ConcatList extends CelList {
  readonly size: number
  readonly #a: CelList
  readonly #b: CelList
  #flat: readonly CelValue[] | undefined
  constructor(a: CelList, b: CelList) {
    super()
    this.#a = a
    this.#b = b
    this.size = a.size + b.size
  }
  at(index: number): CelValue {
    // A chain of concatenations would be walked for each element, and recursively.
    this.#flat ??= this.#flatten()
    return this.#flat[index]!
  }
  #flatten(): readonly CelValue[] {
    const parts: CelList[] = []
    const pending: CelList[] = [this]
    while (pending.length > 0) {
      const next = pending.pop()!
      if (next instanceof ConcatList && next.#flat === undefined) pending.push(next.#b, next.#a)
      else parts.push(next)
    }
    return parts.flatMap(part => [...part])
  }
}

/** A map that only a macro's accumulator holds: adding to it copies nothing. */
export class GrowingMap extends CelMap {
  readonly #entries: Map<string | bigint | boolean, readonly [CelValue, CelValue]>
  readonly size: number
  constructor(entries: Map<string | bigint | boolean, readonly [CelValue, CelValue]> = new Map()) {
    super()
    this.#entries = entries
    this.size = entries.size
  }
  get(key: CelValue): CelValue | undefined {
    const plain = keyOf(key)
    return plain === undefined ? undefined : this.#entries.get(plain)?.[1]
  }
  *keys(): Generator<CelValue> {
    for (const [key] of this.#entries.values()) yield key
  }
  /** The map with one entry more, whose key it does not have; in place if nobody added to it before. */
  with(key: CelValue, value: CelValue): GrowingMap {
    const entries = this.#entries.size === this.size ? this.#entries : new Map([...this.#entries].slice(0, this.size))
    entries.set(keyOf(key)!, [key, value])
    return new GrowingMap(entries)
  }
}
