import { formatAddress, parseAddress, parseCidr } from '#controllers/runtime/cidr.ts'

/** A range of addresses of one family. */
interface Range {
  readonly family: 'IPv4' | 'IPv6'
  readonly start: bigint
  readonly end: bigint
}

/** Addresses to give away. It remembers nothing: who asks says which are taken. */
export class AddressPool {
  readonly #ranges: readonly Range[]

  /** Of `192.0.2.10-192.0.2.20`, `192.0.2.0/28` or single addresses. Throws RangeError where one is neither. */
  constructor(texts: readonly string[]) {
    this.#ranges = texts.map(rangeOf)
  }

  includes(address: string): boolean {
    const [family, number] = [familyOf(address), parseAddress(address)]
    return this.#ranges.some(range => range.family === family && range.start <= number && number <= range.end)
  }

  /** The first address of the family that is not taken; undefined if there is none. */
  free(family: 'IPv4' | 'IPv6', taken: ReadonlySet<string>): string | undefined {
    for (const range of this.#ranges) {
      if (range.family !== family) continue
      for (let number = range.start; number <= range.end; number++) {
        const address = formatAddress(number, family)
        if (!taken.has(address)) return address
      }
    }
    return undefined
  }
}

function rangeOf(text: string): Range {
  const [first = '', last] = text.split('-').map(part => part.trim())
  if (text.includes('/')) return parseCidr(text)
  const family = familyOf(first)
  if (last !== undefined && familyOf(last) !== family) throw new RangeError(`${text} begins in one family of addresses and ends in another`)
  const range = { family, start: parseAddress(first), end: parseAddress(last ?? first) }
  if (range.end < range.start) throw new RangeError(`${text} ends before it begins`)
  return range
}

const familyOf = (address: string): 'IPv4' | 'IPv6' => (address.includes(':') ? 'IPv6' : 'IPv4')
