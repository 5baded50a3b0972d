import type { Node } from '#kinds/core/v1/node.ts'
import type { NodeAddress } from '#kinds/core/v1/node-status.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { CloudProvider } from '../../provider.ts'
import { AddressPool } from './address-pool.ts'
import { localLoadBalancers } from './local-load-balancers.ts'
import type { LocalNetwork } from './local-network.ts'
import { localRoutes } from './local-routes.ts'

/** A bare machine, as whoever owns it describes it. */
export interface LocalMachine {
  /** As its node is called. */
  readonly name: string
  /** Its own addresses in the cluster's network. */
  readonly addresses: readonly string[]
  readonly zone?: string | undefined
  readonly region?: string | undefined
  readonly instanceType?: string | undefined
}

/** What the local provider knows of the place. */
export interface LocalPlace {
  /** Undefined: nobody keeps a list, and every node's machine is taken to be there. */
  readonly machines: readonly LocalMachine[] | undefined
  /** Addresses for Services: `192.0.2.10-192.0.2.20`, `192.0.2.0/28`. */
  readonly pool: readonly string[]
  /** The link of this machine that answers for them. */
  readonly link: string
}

export interface LocalProviderOptions {
  /** Asked each time, so that a list that is changed counts at once. */
  readonly place: () => LocalPlace
  /** What comes before `/<machine>` in provider IDs: `local://site`. A node with another ID is not this provider's. */
  readonly idPrefix: string
  /** The machine that this runs on, and others whose routes are set from here. */
  readonly networks: readonly LocalNetwork[]
  /** The Services that there are, to know which addresses are taken. */
  readonly services: () => readonly Service[]
  /** Whether other machines stand on the link of the pool's addresses: they are told where an address is now. */
  readonly announces: boolean
}

/**
 * Bare machines as a cloud: a list says which there are, Services get addresses of a pool that this machine answers for and the cluster's
 * proxies lead on, and routes lead to the pods of other machines on the same network.
 */
export function localProvider(options: LocalProviderOptions): CloudProvider {
  const { place, idPrefix, networks, services, announces } = options
  const machineOf = ({ metadata }: Node) => place().machines?.find(({ name }) => name === metadata.name)
  const isOurs = ({ spec }: Node) => spec.providerID?.startsWith(`${idPrefix}/`) ?? false
  const loadBalancers = localLoadBalancers({
    pool: () => new AddressPool(place().pool),
    link: () => place().link,
    network: networks[0]!,
    services,
    announces,
  })
  return {
    name: 'local',
    instances: {
      // Only of a node that was described as one of these machines can be said that its machine is gone.
      exists: async node => !isOurs(node) || place().machines === undefined || machineOf(node) !== undefined,
      // Who is off looks the same from here as who is not reached: the node says so by being silent.
      isShutDown: async () => false,
      async describe(node) {
        const machine = machineOf(node)
        const mayBeOurs = isOurs(node) || !node.spec.providerID
        if (!mayBeOurs || (place().machines && !machine)) return undefined
        const { name = '' } = node.metadata
        return {
          providerID: node.spec.providerID || `${idPrefix}/${name}`,
          instanceType: machine?.instanceType ?? '',
          addresses: machine ? addressesOf(machine) : (node.status.addresses ?? []),
        }
      },
    },
    zones: { of: async node => ({ zone: machineOf(node)?.zone ?? '', region: machineOf(node)?.region ?? '' }) },
    routes: localRoutes(networks, isOurs),
    loadBalancers,
    // An address that two machines answer for leads nowhere once the proxy of one of them ends.
    standBy: () => (place().pool.length > 0 ? loadBalancers.release() : Promise.resolve()),
  }
}

function addressesOf({ name, addresses }: LocalMachine): NodeAddress[] {
  return [...addresses.map(address => ({ type: 'InternalIP' as const, address })), { type: 'Hostname' as const, address: name }]
}
