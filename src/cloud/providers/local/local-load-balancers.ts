import type { Service } from '#kinds/core/v1/service.ts'
import type { LoadBalancers } from '../../provider.ts'
import type { AddressPool } from './address-pool.ts'
import type { LocalNetwork } from './local-network.ts'

export interface LocalLoadBalancersOptions {
  readonly pool: () => AddressPool
  /** The link that answers for the addresses. */
  readonly link: () => string
  readonly network: Pick<LocalNetwork, 'ownAddresses' | 'addAddress' | 'removeAddress' | 'announce'>
  readonly services: () => readonly Service[]
  /** Whether there are other machines on the link, which may believe that an address is elsewhere. */
  readonly announces: boolean
}

/** Load balancers, and how a machine lets go of all their addresses. */
export interface LocalLoadBalancers extends LoadBalancers {
  release(): Promise<void>
}

/**
 * Addresses of a pool for Services. This machine answers for an address by having it; where packets then go is the proxies' work, on this
 * machine and on every node. Who has which address stands in the Services' status and nowhere else.
 */
export function localLoadBalancers({ pool, link, network, services, announces }: LocalLoadBalancersOptions): LocalLoadBalancers {
  /** Given, and not to be seen in a Service yet: by uid. */
  const given = new Map<string, readonly string[]>()

  const announced = new Set<string>()

  const takenByOthers = ({ metadata: { uid } }: Pick<Service, 'metadata'>) => {
    const taken = new Set([...given].flatMap(([other, addresses]) => (other === uid ? [] : addresses)))
    for (const other of services()) if (other.metadata.uid !== uid) for (const address of addressesOf(other)) taken.add(address)
    return taken
  }
  /** Addresses that this machine still has though no Service does: left by who ended between two steps. */
  const sweep = async (held: ReadonlySet<string>) => {
    const addresses = pool()
    for (const address of await network.ownAddresses(link()))
      if (addresses.includes(address) && !held.has(address)) await network.removeAddress(address, link())
    for (const address of announced) if (!held.has(address)) announced.delete(address)
  }

  return {
    className: 'typernetes.dev/local',
    async ensure(service) {
      const uid = service.metadata.uid ?? ''
      const taken = takenByOthers(service)
      const addresses = chooseAddresses(service, pool(), taken, given.get(uid) ?? [])
      given.set(uid, addresses)
      const present = await network.ownAddresses(link())
      for (const address of addresses) {
        if (!present.includes(address)) await network.addAddress(address, link())
        // Also of one that was here before: another machine may have had it meanwhile.
        if (!announces || announced.has(address)) continue
        announced.add(address)
        await network.announce(address, link())
      }
      await sweep(new Set([...taken, ...addresses]))
      return { ingress: addresses.map(ip => ({ ip, ipMode: 'VIP' as const })) }
    },
    async delete(service) {
      given.delete(service.metadata.uid ?? '')
      await sweep(takenByOthers(service))
    },
    release: () => sweep(new Set()),
  }
}

/** What a Service has, as long as it may have it; else the first free addresses, one of each family that it wants. */
function chooseAddresses(service: Service, pool: AddressPool, taken: ReadonlySet<string>, given: readonly string[]): string[] {
  const { loadBalancerIP: asked, ipFamilies = ['IPv4'] } = service.spec
  const had = [...addressesOf(service), ...given]
  return ipFamilies.map(family => {
    const isOf = (address: string) => (family === 'IPv6') === address.includes(':')
    if (asked && isOf(asked)) {
      if (!pool.includes(asked)) throw new Error(`the address ${asked} that spec.loadBalancerIP asks for is not of the pool`)
      if (taken.has(asked)) throw new Error(`the address ${asked} that spec.loadBalancerIP asks for is another Service's`)
      return asked
    }
    const kept = had.find(address => isOf(address) && pool.includes(address) && !taken.has(address))
    const address = kept ?? pool.free(family as 'IPv4' | 'IPv6', taken)
    if (address === undefined) throw new Error(`no ${family} address is free in the pool`)
    return address
  })
}

function addressesOf({ status }: Pick<Service, 'status'>): string[] {
  return (status.loadBalancer.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []))
}
