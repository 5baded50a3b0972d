/** A range of addresses, as numbers. */
export interface Cidr {
  readonly family: 'IPv4' | 'IPv6'
  readonly prefix: number
  readonly start: bigint
  readonly end: bigint
}

/** Reads `10.0.0.0/8` or `fd00::/48`; bits behind the prefix are cut off. Throws where it is neither. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/')
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  const bits = addressBits(family)
  const prefix = Number(length)
  if (!/^[0-9]{1,3}$/.test(length) || prefix > bits) throw new RangeError(`${text} is no CIDR: it needs a prefix length from 0 to ${bits}`)
  const size = 1n << BigInt(bits - prefix)
  const start = (parseAddress(address) / size) * size
  return { family, prefix, start, end: start + size - 1n }
}

export function addressBits(family: 'IPv4' | 'IPv6'): number {
  return family === 'IPv4' ? 32 : 128
}

/** The number of an address. */
export function parseAddress(text: string): bigint {
  if (!text.includes(':')) {
    const parts = text.split('.')
    if (parts.length !== 4 || !parts.every(part => /^[0-9]{1,3}$/.test(part) && Number(part) < 256))
      throw new RangeError(`${text} is no IP address`)
    return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  }
  const [head = '', tail] = text.split('::')
  const groups = (side: string) => (side === '' ? [] : side.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const missing = 8 - left.length - right.length
  if (missing < 0 || (tail === undefined && missing !== 0)) throw new RangeError(`${text} is no IP address`)
  const all = [...left, ...Array<string>(tail === undefined ? 0 : missing).fill('0'), ...right]
  if (!all.every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) throw new RangeError(`${text} is no IP address`)
  return all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
}

/** The text of an address; IPv6 with its longest run of zeros left out. */
export function formatAddress(address: bigint, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map(shift => (address >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => (address >> BigInt(112 - 16 * index)) & 65535n)
  const text = groups.map(group => group.toString(16))
  const runs = [
    ...groups
      .map(group => (group === 0n ? '0' : 'x'))
      .join('')
      .matchAll(/0{2,}/g),
  ]
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0]
  if (!longest) return text.join(':')
  return `${text.slice(0, longest.index).join(':')}::${text.slice(longest.index + longest[0].length).join(':')}`
}
