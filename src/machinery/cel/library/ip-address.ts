/** An address of IPv4 (32 bits) or IPv6 (128 bits). */
export interface IpAddress {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** An address as Go's `netip.ParseAddr` reads it; throws an Error that says in its words what is wrong. */
export function parseIp(text: string): IpAddress {
  if (text.includes(':')) return { bits: 128, value: parseIpv6(text) }
  if (!text.includes('.')) throw new Error(`ParseAddr(${JSON.stringify(text)}): unable to parse IP`)
  return { bits: 32, value: parseIpv4(text, text) }
}

function parseIpv4(text: string, whole: string): bigint {
  const fail = (reason: string) => new Error(`ParseAddr(${JSON.stringify(whole)}): ${reason}`)
  const parts = text.split('.')
  let value = 0n
  for (const part of parts) {
    if (part === '') throw fail('IPv4 field must have at least one digit')
    if (!/^\d+$/.test(part)) throw fail('unexpected character')
    if (part.length > 1 && part.startsWith('0')) throw fail('IPv4 field has octet with leading zero')
    if (part.length > 3 || Number(part) > 255) throw fail('IPv4 field has value >255')
    value = (value << 8n) | BigInt(part)
  }
  if (parts.length < 4) throw fail('IPv4 address too short')
  if (parts.length > 4) throw fail('IPv4 address too long')
  return value
}

function parseIpv6(text: string): bigint {
  const fail = (reason: string) => new Error(`ParseAddr(${JSON.stringify(text)}): ${reason}`)
  const halves = text.split('::')
  if (halves.length > 2) throw fail('multiple :: in address')
  const groupsOf = (half: string): bigint[] => {
    if (half === '') return []
    const groups = half.split(':')
    return groups.flatMap((group, i) => {
      if (i === groups.length - 1 && group.includes('.')) {
        const embedded = parseIpv4(group, text)
        return [embedded >> 16n, embedded & 0xffffn]
      }
      if (!/^[0-9a-fA-F]+$/.test(group)) throw fail('unexpected character')
      if (group.length > 4) throw fail('each group must have 4 or less digits')
      return [BigInt(`0x${group}`)]
    })
  }
  const head = groupsOf(halves[0]!)
  const tail = halves.length === 2 ? groupsOf(halves[1]!) : []
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0)
    throw fail(missing > 0 ? 'address string too short' : 'trailing garbage after address')
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce((value, group) => (value << 16n) | group, 0n)
}

/** Whether an IPv6 address only wraps an IPv4 one: `::ffff:1.2.3.4`. */
export function isMapped({ bits, value }: IpAddress): boolean {
  return bits === 128 && value >> 32n === 0xffffn
}

/** The canonical text: the longest run of zeros as `::`. */
export function formatIp({ bits, value }: IpAddress): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && groups[i + run] === '0') run++
    if (run > length) {
      start = i
      length = run
    }
  }
  if (start < 0) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/** The address with all but its first bits zero. */
export function masked({ bits, value }: IpAddress, prefix: number): IpAddress {
  const host = BigInt(bits - prefix)
  return { bits, value: (value >> host) << host }
}
