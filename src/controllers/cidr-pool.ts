import { addressBits, type Cidr, formatAddress, parseCidr } from './runtime/cidr.ts'

/** A cluster's CIDR in parts of one size, of which each node takes one. */
export class CidrPool {
  readonly #cluster: Cidr
  readonly #maskSize: number
  readonly #partSize: bigint
  readonly #count: bigint
  readonly #taken = new Map<bigint, number>()
  /** Every part before this one is taken. */
  #firstFree = 0n

  constructor(cidr: string, maskSize: number) {
    this.#cluster = parseCidr(cidr)
    const bits = addressBits(this.#cluster.family)
    if (maskSize < this.#cluster.prefix || maskSize > bits)
      throw new RangeError(`nodes cannot get a /${maskSize} of ${cidr}: choose a mask size from ${this.#cluster.prefix} to ${bits}`)
    this.#maskSize = maskSize
    this.#partSize = 1n << BigInt(bits - maskSize)
    this.#count = 1n << BigInt(maskSize - this.#cluster.prefix)
  }

  /** Takes the first free part; undefined if there is none. */
  next(): string | undefined {
    while (this.#firstFree < this.#count && this.#taken.has(this.#firstFree)) this.#firstFree++
    if (this.#firstFree >= this.#count) return undefined
    const part = this.#firstFree
    this.#taken.set(part, 1)
    return `${formatAddress(this.#cluster.start + part * this.#partSize, this.#cluster.family)}/${this.#maskSize}`
  }

  /** Marks what overlaps with `cidr` as taken, once more if it is already. */
  take(cidr: string): void {
    for (const part of this.#partsOf(cidr)) this.#taken.set(part, (this.#taken.get(part) ?? 0) + 1)
  }

  /** Takes back one {@link take} or {@link next}. */
  give(cidr: string): void {
    for (const part of this.#partsOf(cidr)) {
      const count = (this.#taken.get(part) ?? 0) - 1
      if (count > 0) this.#taken.set(part, count)
      else {
        this.#taken.delete(part)
        if (part < this.#firstFree) this.#firstFree = part
      }
    }
  }

  *#partsOf(text: string): Iterable<bigint> {
    const cidr = parseCidr(text)
    const { family, start, end } = this.#cluster
    if (cidr.family !== family || cidr.end < start || cidr.start > end) return
    const from = cidr.start < start ? 0n : (cidr.start - start) / this.#partSize
    const to = cidr.end > end ? this.#count - 1n : (cidr.end - start) / this.#partSize
    for (let part = from; part <= to; part++) yield part
  }
}
