import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { cloudAccountOf, cloudControllers, defaultCloudControllerOptions } from '#cloud/cloud-controllers.ts'
import { localNetwork } from '#cloud/providers/local/local-network.ts'
import { localProvider } from '#cloud/providers/local/local-provider.ts'
import { type RunningControllers, startControllers } from '#controllers/start-controllers.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { addressAt, parseNetwork } from '../layout/ipv4.ts'
import type { ClusterLayout } from '../layout/layout.ts'
import type { ControlPlane } from './control-plane.ts'

export interface CloudOptions {
  readonly plane: Pick<ControlPlane, 'server' | 'informers' | 'clientFor'>
  readonly layout: ClusterLayout
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** The first address of the bridge's network that Services get, and the last: nodes begin at 1, the machine itself is 254. */
const POOL_FIRST = 201
const POOL_LAST = 253

/**
 * The local provider for a cluster's own nodes: Services of type LoadBalancer get addresses on the bridge, for which the machine answers and
 * the proxies on it and on every node lead on.
 */
export function startCloud({ plane, layout, clock, random, log }: CloudOptions): RunningControllers {
  const { server, informers, clientFor } = plane
  const services = informers.of(Service)
  const machines = layout.nodes.map(({ name, address }) => ({ name, addresses: [address] }))
  const place = { machines, pool: balancerPool(layout), link: layout.bridge }
  const provider = localProvider({
    place: () => place,
    idPrefix: `t8s://${layout.id}`,
    networks: [localNetwork(), ...layout.nodes.map(({ netnsPath }) => localNetwork(netnsPath))],
    services: () => services.list(),
    announces: false,
  })
  const clientOf = (controller: string) =>
    clientFor(
      {
        name: `system:serviceaccount:kube-system:${cloudAccountOf(controller)}`,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
      },
      'cloud-controller-manager',
    )
  return startControllers({
    client: clientOf('cloud-node-controller'),
    clientFor: clientOf,
    informers,
    kinds: server.kinds,
    clock,
    random,
    log,
    controllers: cloudControllers(provider, { ...defaultCloudControllerOptions, clusterCIDRs: [layout.podCidr] }),
  })
}

/** Addresses of the bridge's network that no node has. */
function balancerPool({ nodeCidr, nodes }: ClusterLayout): string[] {
  const network = parseNetwork(nodeCidr)!
  const first = Math.max(POOL_FIRST, ...nodes.map(({ number }) => number + 1))
  return first > POOL_LAST ? [] : [`${addressAt(network, first)}-${addressAt(network, POOL_LAST)}`]
}
