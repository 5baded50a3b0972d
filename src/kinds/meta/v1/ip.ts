import type { FieldErrors } from '#machinery/status/field-errors.ts'

/** An address of 32 or 128 bits. */
export interface IpAddress {
  readonly family: 'IPv4' | 'IPv6'
  readonly bits: bigint
}

/** A range of addresses: those that share the first `length` bits. */
export interface Cidr extends IpAddress {
  readonly length: number
}

/** Reads an address; undefined if it is none. Numbers with leading zeros are none, nor is an address with a zone. */
export function parseIP(text: string): IpAddress | undefined {
  if (text.includes(':')) return parseIPv6(text)
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return undefined
  let bits = 0n
  for (const part of match.slice(1)) {
    if ((part.length > 1 && part.startsWith('0')) || Number(part) > 255) return undefined
    bits = (bits << 8n) | BigInt(part)
  }
  return { family: 'IPv4', bits }
}

/** Reads `10.0.0.0/8`; undefined if it is none. The bits after the prefix are kept. */
export function parseCIDR(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseIP(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (!address || !/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > widthOf(address)) return undefined
  return { ...address, length: Number(length) }
}

/** Whether the address lies in the range. */
export function contains(range: Cidr, address: IpAddress): boolean {
  if (range.family !== address.family) return false
  const rest = BigInt(widthOf(range) - range.length)
  return range.bits >> rest === address.bits >> rest
}

/** The shortest usual text of an address. */
export function textOfIP({ family, bits }: IpAddress): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map(shift => (bits >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  const zeros = longestZeros(groups)
  if (zeros.length < 2) return groups.join(':')
  return `${groups.slice(0, zeros.start).join(':')}::${groups.slice(zeros.start + zeros.length).join(':')}`
}

/** `errors` stands at the address. */
export function validateIP(text: string, errors: FieldErrors): IpAddress | undefined {
  const address = parseIP(text)
  if (!address) errors.invalid(text, parseIP(withoutZeros(text)) ? ZEROS : 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
  else if (isMapped(address)) errors.invalid(text, 'must not be an IPv4-mapped IPv6 address')
  return address
}

/** An address in the one text that is canonical. */
export function validateCanonicalIP(text: string, errors: FieldErrors): void {
  const address = validateIP(text, errors)
  if (address && textOfIP(address) !== text) errors.invalid(text, `must be in canonical form ("${textOfIP(address)}")`)
}

/** `errors` stands at the range. */
export function validateCIDR(text: string, errors: FieldErrors): Cidr | undefined {
  const range = parseCIDR(text)
  if (!range) {
    const detail = parseCIDR(withoutZeros(text)) ? ZEROS : 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
    errors.invalid(text, detail)
    return undefined
  }
  if (isMapped(range)) errors.invalid(text, 'must not have an IPv4-mapped IPv6 address')
  const rest = BigInt(widthOf(range) - range.length)
  const network = (range.bits >> rest) << rest
  if (network !== range.bits) {
    errors.invalid(text, `must not have bits set beyond the prefix length`)
  }
  return range
}

/** Addresses that mean something special to every host: traffic there is not a service's or an endpoint's. */
export function validateOrdinaryIP(text: string, errors: FieldErrors): void {
  const address = withoutMapping(parseIP(text))
  if (!address) errors.invalid(text, 'must be a valid IP address')
  else if (address.bits === 0n) errors.invalid(text, `may not be unspecified (${text})`)
  else {
    if (isIn(address, ['127.0.0.0/8', '::1/128'])) errors.invalid(text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')
    if (isIn(address, ['169.254.0.0/16', 'fe80::/10']))
      errors.invalid(text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')
    if (isIn(address, ['224.0.0.0/24', 'ff02::/16'])) {
      errors.invalid(text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
    }
  }
}

/** Whether both families stand in a list once. */
export function isDualStack(addresses: readonly (IpAddress | undefined)[]): boolean {
  return new Set(addresses.map(address => address?.family)).size === 2 && !addresses.includes(undefined)
}

const ZEROS = 'must not have leading 0s'

/** `010.0.0.01` as decimal: some read such numbers as octal, so they are refused. */
export function withoutZeros(text: string): string {
  return text.includes(':') ? text : text.replace(/(^|[./])0+(?=[0-9])/g, '$1')
}

function isIn(address: IpAddress, ranges: readonly string[]): boolean {
  return ranges.some(range => contains(parseCIDR(range)!, address))
}

/** `::ffff:10.0.0.1`: an IPv4 address in the clothes of IPv6. */
function isMapped({ family, bits }: IpAddress): boolean {
  return family === 'IPv6' && bits >> 32n === 0xffffn
}

/** `::ffff:127.0.0.1` is 127.0.0.1, however it is written. */
function withoutMapping(address: IpAddress | undefined): IpAddress | undefined {
  return address && isMapped(address) ? { ...address, family: 'IPv4', bits: address.bits & 0xffff_ffffn } : address
}

export function widthOf({ family }: { readonly family: 'IPv4' | 'IPv6' }): number {
  return family === 'IPv4' ? 32 : 128
}

function parseIPv6(text: string): IpAddress | undefined {
  let rest = text
  const tail: string[] = []
  const dotted = /^(.*:)([0-9.]+\.[0-9.]+)$/.exec(text)
  if (dotted) {
    const last = parseIP(dotted[2]!)
    if (!last) return undefined
    rest = dotted[1]! === '::' || dotted[1]!.endsWith('::') ? dotted[1]! : dotted[1]!.slice(0, -1)
    tail.push((last.bits >> 16n).toString(16), (last.bits & 0xffffn).toString(16))
  }
  const halves = rest.split('::')
  if (halves.length > 2) return undefined
  const groupsOf = (half: string) => (half === '' ? [] : half.split(':'))
  const head = groupsOf(halves[0]!)
  const end = [...groupsOf(halves[1] ?? ''), ...tail]
  const groups =
    halves.length === 2 ? [...head, ...Array<string>(Math.max(0, 8 - head.length - end.length)).fill('0'), ...end] : [...head, ...end]
  if (groups.length !== 8 || (halves.length === 2 && head.length + end.length > 7)) return undefined
  let bits = 0n
  for (const group of groups) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
    bits = (bits << 16n) | BigInt(`0x${group}`)
  }
  return { family: 'IPv6', bits }
}

function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === '0') end++
    if (end - start > best.length) best = { start, length: end - start }
  }
  return best
}
