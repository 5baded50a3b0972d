import { run } from '#base/process/run.ts'
import { addressAt, type Network, overlaps, parseNetwork } from '#cluster/layout/ipv4.ts'

/** RFC 2544, for tests of network devices: no one's own machines are there. */
const BENCHMARKING = parseNetwork('198.18.0.0/15')!
const COUNT = 2 ** (24 - BENCHMARKING.prefix)

/**
 * The first three bytes of a /24 network that nothing on this machine has, such as `198.18.7`. A fixed one works until a run is cut off and leaves
 * its links behind: from then on the kernel sends what is for the new link to the old one, and whoever asks across it waits in vain.
 */
export async function freeNetwork(): Promise<string> {
  const listed = async (...args: string[]) => JSON.parse((await run('ip', ['-4', '-j', ...args])).stdout || '[]') as Listed[]
  const [routes, links] = await Promise.all([listed('route', 'show', 'table', 'all'), listed('address', 'show')])
  const addresses = links.flatMap(({ addr_info = [] }) => addr_info.map(({ local }) => local))
  return firstFree([...routes.map(({ dst }) => dst ?? ''), ...addresses], process.pid)
}

interface Listed {
  readonly dst?: string
  readonly addr_info?: readonly { readonly local: string }[]
}

/** The first one, from the `start`th on, that no network or address of `taken` overlaps; the default route overlaps none. */
export function firstFree(taken: readonly string[], start: number): string {
  const networks = taken.map(parseNetwork).filter((network): network is Network => network !== undefined && network.prefix > 0)
  for (let n = 0; n < COUNT; n++) {
    const network = { base: BENCHMARKING.base + 256 * ((start + n) % COUNT), prefix: 24 }
    if (!networks.some(other => overlaps(network, other))) return addressAt(network, 0).split('.').slice(0, 3).join('.')
  }
  throw new Error('every network of 198.18.0.0/15 is in use on this machine: remove links that earlier tests left (`ip -4 address`)')
}
