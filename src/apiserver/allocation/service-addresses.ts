import type { Random } from '#base/random/random.ts'

/** A range of addresses that Services take theirs from, as numbers: bigints, since IPv6 has no others. */
export interface AddressRange {
  readonly cidr: string
  readonly family: 'IPv4' | 'IPv6'
  readonly first: bigint
  /** How many addresses may be given: neither that of the network itself nor, in IPv4, the broadcast address. */
  readonly size: bigint
}

/** The range of a CIDR. Throws a sentence if it is none. */
export function addressRange(cidr: string): AddressRange {
  const [address = '', bits = ''] = cidr.split('/')
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  const width = family === 'IPv4' ? 32 : 128
  const value = parseAddress(address)
  const prefix = Number(bits)
  if (value === undefined || !/^\d+$/.test(bits) || prefix > width)
    throw new Error(`${cidr} is no range of addresses: write it as 10.96.0.0/16`)
  const hosts = 1n << BigInt(width - prefix)
  const network = (value / hosts) * hosts
  return { cidr, family, first: network + 1n, size: hosts - (family === 'IPv4' ? 2n : 1n) }
}

export function contains({ first, size, family }: AddressRange, address: string): boolean {
  const value = parseAddress(address)
  return value !== undefined && address.includes(':') === (family === 'IPv6') && value >= first && value < first + size
}

/** The address at `offset` from the first. */
export function addressAt(range: AddressRange, offset: bigint): string {
  return formatAddress(range.first + offset, range.family)
}

/**
 * Addresses to try for a Service that names none, until one is free: from a random place on, through the upper part of the range first, since
 * people choose addresses of their own from the lower (KEP-3070).
 */
export function* candidates(range: AddressRange, random: Random): Generator<string> {
  const lower = lowerBand(range.size)
  yield* around(range, lower, range.size - lower, random)
  yield* around(range, 0n, lower, random)
}

/** Between 16 and 256 addresses, a sixteenth of the range. */
function lowerBand(size: bigint): bigint {
  const sixteenth = size / 16n
  const bounded = sixteenth < 16n ? 16n : sixteenth > 256n ? 256n : sixteenth
  return size <= 16n ? 0n : bounded
}

/** At most this many are tried: a range of IPv6 is never walked through. */
const TRIES = 65_536n

function* around(range: AddressRange, from: bigint, count: bigint, random: Random): Generator<string> {
  if (count <= 0n) return
  const start = BigInt(Math.floor(random.next() * Number(count < 2n ** 52n ? count : 2n ** 52n)))
  const tries = count < TRIES ? count : TRIES
  for (let step = 0n; step < tries; step++) yield addressAt(range, from + ((start + step) % count))
}

function parseAddress(text: string): bigint | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text)
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some(part => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255)) return undefined
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function parseIPv6(text: string): bigint | undefined {
  const [head = '', tail, more] = text.split('::')
  if (more !== undefined) return undefined
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined
  const all = [...left, ...Array<string>(tail === undefined ? 0 : missing).fill('0'), ...right]
  if (all.some(group => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return all.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n)
}

function formatAddress(value: bigint, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 65_535n).toString(16)).join(':')
  const zeros = [...groups.matchAll(/(^|:)0(:0)+(?=:|$)/g)].map(match => match[0]).sort((a, b) => b.length - a.length)[0]
  return zeros === undefined ? groups : groups.replace(zeros, '::').replace(/:{3,}/, '::')
}
