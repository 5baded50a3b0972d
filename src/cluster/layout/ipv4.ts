/** An IPv4 network as `base` (a 32-bit number) and prefix length. */
export interface Network {
  readonly base: number
  readonly prefix: number
}

/** Reads `10.0.0.0/8`, or one address as its /32. Undefined when it is not IPv4. */
export function parseNetwork(text: string): Network | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text)
  if (!match) return undefined
  const bytes = match.slice(1, 5).map(Number)
  const prefix = Number(match[5] ?? 32)
  if (bytes.some(byte => byte > 255) || prefix > 32) return undefined
  return { base: (bytes.reduce((sum, byte) => sum * 256 + byte, 0) & mask(prefix)) >>> 0, prefix }
}

export function overlaps(left: Network, right: Network): boolean {
  const shorter = mask(Math.min(left.prefix, right.prefix))
  return (left.base & shorter) === (right.base & shorter)
}

/** The address `offset` places after the network's base. */
export function addressAt(network: Network, offset: number): string {
  const value = network.base + offset
  return [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
}

export function networkText(network: Network): string {
  return `${addressAt(network, 0)}/${network.prefix}`
}

function mask(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
}
