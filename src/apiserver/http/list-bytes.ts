import type { Pieces } from '#base/net/pieces.ts'

/**
 * The JSON of a list as its objects' kept bytes one behind the other. Each piece is cut out when it is sent: the 200,000 pieces of a list of
 * 100,000 pods would take a tenth of a second to make, and be garbage that only a full collection takes away. Hot: bench/apiserver.
 */
export class ListBytes<T> implements Pieces {
  /** A head, a separator and its bytes for each item, a tail. */
  readonly length: number
  readonly byteLength: number
  readonly #head: Uint8Array
  readonly #items: readonly T[]
  readonly #bytesOf: (item: T) => Uint8Array
  readonly #skipped: number

  /** `bytesOf` answers the same bytes whenever it is asked; of them `skipped` at the beginning and one at the end are left out. */
  constructor(head: Uint8Array, items: readonly T[], bytesOf: (item: T) => Uint8Array, skipped: number) {
    this.#head = head
    this.#items = items
    this.#bytesOf = bytesOf
    this.#skipped = skipped
    this.length = 2 * items.length + 2
    let bytes = head.length + TAIL.length
    for (let index = 0; index < items.length; index++) {
      bytes += (index === 0 ? FIRST : NEXT).length + bytesOf(items[index]!).length - skipped - 1
    }
    this.byteLength = bytes
  }

  at(index: number): Uint8Array | undefined {
    const place = index < 0 ? this.length + index : index
    if (place === 0) return this.#head
    if (place === this.length - 1) return TAIL
    if (place % 2 === 1) return place === 1 ? FIRST : NEXT
    const item = this.#items[place / 2 - 1]
    if (item === undefined) return undefined
    const bytes = this.#bytesOf(item)
    return bytes.subarray(this.#skipped, bytes.length - 1)
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let index = 0; index < this.length; index++) yield this.at(index)!
  }

  /** Some of the pieces, as of an array. */
  slice(from = 0, end = this.length): Uint8Array[] {
    const pieces: Uint8Array[] = []
    for (let index = from < 0 ? this.length + from : from; index < Math.min(end, this.length); index++) pieces.push(this.at(index)!)
    return pieces
  }
}

const encoder = new TextEncoder()
// Each item has lost its type and its line feed, and gains `{` and, but for the first, a comma.
const FIRST = encoder.encode('{')
const NEXT = encoder.encode(',{')
const TAIL = encoder.encode(']}\n')
