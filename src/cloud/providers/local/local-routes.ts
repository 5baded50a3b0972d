import type { Node } from '#kinds/core/v1/node.ts'
import type { Route, Routes } from '../../provider.ts'
import type { LocalNetwork } from './local-network.ts'

/** Routes on every one of `networks` to the pods of the others. */
export function localRoutes(networks: readonly LocalNetwork[], reaches: (node: Node) => boolean): Routes {
  /** Those that need the route: a machine reaches its own pods without one. */
  const needing = async (address: string) => {
    const isOwn = await Promise.all(networks.map(async network => (await network.addresses()).includes(address)))
    return networks.filter((_, index) => !isOwn[index])
  }
  return {
    reaches,
    async list() {
      const known = await Promise.all(
        networks.map(async network => ({ addresses: await network.addresses(), routes: await network.routes() })),
      )
      const all = new Map<string, Route>(
        known.flatMap(({ routes }) => routes.map(route => [`${route.cidr} ${route.address}`, route] as const)),
      )
      const has = (routes: readonly Route[], { cidr, address }: Route) => routes.some(one => one.cidr === cidr && one.address === address)
      return [...all.values()].map(route => {
        const isWhole = known.every(({ addresses, routes }) => addresses.includes(route.address) || has(routes, route))
        return isWhole ? route : { ...route, isPartial: true }
      })
    },
    async create(route) {
      for (const network of await needing(route.address)) await network.setRoute(route)
    },
    async delete(route) {
      for (const network of networks) await network.removeRoute(route)
    },
  }
}
