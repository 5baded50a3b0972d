import { canonicalAddress } from '../addresses.ts'

/** A resolver that others are asked through. */
export interface Upstream {
  readonly address: string
  readonly port: number
}

/** The name servers of a resolv.conf, each once, in order; those we are ourselves are left out. */
export function upstreamsOf(resolvConf: string, own: readonly Upstream[] = []): Upstream[] {
  const found = new Map<string, Upstream>()
  for (const line of resolvConf.split('\n')) {
    const [keyword, server = ''] = line.trim().split(/\s+/)
    if (keyword !== 'nameserver') continue
    // A link-local address carries its link (`fe80::1%eth0`), which is part of how it is reached.
    const [bare = '', link] = server.split('%')
    const canonical = canonicalAddress(bare)
    if (canonical === undefined) continue
    const address = link ? `${canonical}%${link}` : canonical
    if (!own.some(listener => listener.port === 53 && listener.address === address)) found.set(address, { address, port: 53 })
  }
  return [...found.values()]
}
