/** Whether an address is IPv6. */
export const isIPv6 = (address: string) => address.includes(':')

/** The one spelling of an address; undefined when it is none. */
export function canonicalAddress(address: string): string | undefined {
  if (IPV4.test(address)) return address
  if (!/^[0-9a-fA-F:.]+$/.test(address) || !isIPv6(address)) return undefined
  try {
    return new URL(`http://[${address}]`).hostname.slice(1, -1)
  } catch {
    return undefined
  }
}

/** An address as one label of a name: `10-0-0-1`, `fd00--1`. */
export const dashed = (address: string) => address.replace(/[.:]/g, '-')

/** The address that a label such as `10-0-0-1` or `fd00--1` means. */
export function addressFromDashes(label: string): string | undefined {
  if (!/^[0-9a-f-]+$/.test(label)) return undefined
  return canonicalAddress(label.replaceAll('-', '.')) ?? canonicalAddress(label.replaceAll('-', ':'))
}

/** The address that a name under `in-addr.arpa` or `ip6.arpa` means; undefined for a part of one. */
export function addressFromReverseName(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const octets = name.slice(0, -'.in-addr.arpa'.length).split('.')
    return octets.length === 4 ? canonicalAddress(octets.reverse().join('.')) : undefined
  }
  const nibbles = name.slice(0, -'.ip6.arpa'.length).split('.')
  if (nibbles.length !== 32 || nibbles.some(nibble => !/^[0-9a-f]$/.test(nibble))) return undefined
  return canonicalAddress(
    nibbles
      .reverse()
      .join('')
      .replace(/(.{4})(?!$)/g, '$1:'),
  )
}

/** The bytes of an address in canonical form: 4 or 16. */
export function addressBytes(address: string): number[] {
  if (!isIPv6(address)) return address.split('.').map(Number)
  const [left = '', right] = address.split('::')
  const head = groups(left)
  const tail = right === undefined ? [] : groups(right)
  const middle = Array.from({ length: right === undefined ? 0 : 8 - head.length - tail.length }, () => 0)
  return [...head, ...middle, ...tail].flatMap(group => [group >> 8, group & 255])
}

/** The address whose bytes these are. */
export function addressOfBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const parts = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index]! << 8) | bytes[2 * index + 1]!).toString(16))
  return canonicalAddress(parts.join(':'))!
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(part => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a, b, c, d] = part.split('.').map(Number) as [number, number, number, number]
    return [(a << 8) | b, (c << 8) | d]
  })
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)
