import { run } from '#base/process/run.ts'
import type { Route } from '../../provider.ts'

/** A machine's network: its own, or a network namespace of it that is a node. */
export interface LocalNetwork {
  /** The addresses that are its own, prefixes left out. */
  addresses(): Promise<readonly string[]>
  /** Routes by way of another machine. */
  routes(): Promise<readonly Route[]>
  setRoute(route: Route): Promise<void>
  removeRoute(route: Route): Promise<void>
  /** Addresses of one link, each of a network of its own (`/32`, `/128`). */
  ownAddresses(link: string): Promise<readonly string[]>
  addAddress(address: string, link: string): Promise<void>
  removeAddress(address: string, link: string): Promise<void>
  /** Tells the other machines of the link that the address is here now (gratuitous ARP, RFC 5227); those of version 6 are found by asking. */
  announce(address: string, link: string): Promise<void>
}

/** The network of this machine, or of the namespace at `path`, by iproute2. */
export function localNetwork(path?: string): LocalNetwork {
  const inside = path === undefined ? [] : ['nsenter', `--net=${path}`]
  const here = (program: string, args: readonly string[], allowCodes: readonly number[] = []) => {
    const [command = program, ...rest] = [...inside, program, ...args]
    return run(command, rest, { allowCodes })
  }
  const ip = async (...args: string[]) => (await here('ip', args)).stdout
  const json = async (...args: string[]) => JSON.parse((await ip('-j', ...args)) || '[]') as unknown
  const addressesOf = async (...where: string[]) =>
    ((await json('address', 'show', ...where)) as { addr_info?: { local?: string; prefixlen?: number }[] }[]).flatMap(
      ({ addr_info = [] }) => addr_info,
    )
  const family = (address: string) => (address.includes(':') ? '-6' : '-4')
  return {
    addresses: async () => (await addressesOf()).flatMap(({ local }) => local ?? []),
    async routes() {
      const tables = await Promise.all(['-4', '-6'].map(which => json(which, 'route', 'show')))
      return (tables.flat() as { dst?: string; gateway?: string }[]).flatMap(({ dst, gateway }) =>
        dst?.includes('/') && gateway ? [{ cidr: dst, address: gateway }] : [],
      )
    },
    async setRoute({ cidr, address }) {
      await ip(family(address), 'route', 'replace', cidr, 'via', address)
    },
    async removeRoute({ cidr, address }) {
      await gone(ip(family(address), 'route', 'delete', cidr, 'via', address))
    },
    async ownAddresses(link) {
      return (await addressesOf('dev', link)).flatMap(({ local = '', prefixlen }) =>
        prefixlen === (local.includes(':') ? 128 : 32) ? [local] : [],
      )
    },
    async addAddress(address, link) {
      await ip(
        family(address),
        'address',
        'replace',
        `${address}/${bits(address)}`,
        'dev',
        link,
        ...(address.includes(':') ? ['nodad'] : []),
      )
    },
    async removeAddress(address, link) {
      await gone(ip(family(address), 'address', 'delete', `${address}/${bits(address)}`, 'dev', link))
    },
    async announce(address, link) {
      // It ends with 1 since nobody answers, which is as it should be.
      if (!address.includes(':')) await here('busybox', ['arping', '-U', '-q', '-c', '2', '-I', link, address], [1])
    },
  }
}

const bits = (address: string) => (address.includes(':') ? 128 : 32)

/** What is not there need not be removed. */
async function gone(removal: Promise<unknown>): Promise<void> {
  await removal.catch((error: Error) => {
    if (
      !/No such process|Cannot assign requested address|Address not found/.test(
        error.message + String((error as { stderr?: string }).stderr ?? ''),
      )
    )
      throw error
  })
}
