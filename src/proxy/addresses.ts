/** The two address families, under nftables' names. */
export type Family = 'ip' | 'ip6'

/** The family of an address or CIDR, or undefined when it is neither. */
export function familyOf(address: string): Family | undefined {
  if (address.includes(':')) return 'ip6'
  return IPV4.test(address) ? 'ip' : undefined
}

/** One spelling per address, so that two spellings of an IPv6 address cannot become two entries of a map. Undefined when it is no address. */
export function canonicalAddress(address: string): string | undefined {
  if (IPV4.test(address)) return address.includes('/') ? undefined : address
  if (!IPV6_LETTERS.test(address)) return undefined
  try {
    return new URL(`http://[${address}]`).hostname.slice(1, -1)
  } catch {
    return undefined
  }
}

/** One spelling per CIDR; undefined when it is none. */
export function canonicalCIDR(cidr: string): string | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(cidr.trim())
  const address = match && canonicalAddress(match[1]!)
  if (!address || Number(match[2]) > (address.includes(':') ? 128 : 32)) return undefined
  return `${address}/${Number(match[2])}`
}

/** `10.0.0.1:80` or `[fd00::1]:80`. */
export function socketAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}(?:/\\d{1,2})?$`)
const IPV6_LETTERS = /^[0-9a-fA-F:.]+$/
