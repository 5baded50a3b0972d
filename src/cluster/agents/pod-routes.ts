import type { Node } from '#kinds/core/v1/node.ts'

/** A route to another node's pods. */
export interface PodRoute {
  readonly to: string
  readonly via: string
}

/** Marks the routes in the kernel that are ours (`ip route … proto 84`), so that those nobody wants any more are found. */
export const ROUTE_PROTOCOL = '84'

/** The routes a node needs: to the pods of every other one, by way of that node's address. */
export function wantedRoutes(nodes: readonly Node[], self: string): PodRoute[] {
  return nodes.flatMap(({ metadata, spec, status }) => {
    const via = status.addresses?.find(({ type, address }) => type === 'InternalIP' && !address.includes(':'))?.address
    const to = (spec.podCIDRs ?? [spec.podCIDR ?? '']).find(cidr => cidr !== '' && !cidr.includes(':'))
    return metadata.name === self || !via || !to ? [] : [{ to, via }]
  })
}

/** Commands for `ip -batch` that turn the present routes into the wanted ones; none where they are so already. */
export function planRoutes(wanted: readonly PodRoute[], present: readonly PodRoute[]): string[] {
  const isIn = (routes: readonly PodRoute[]) => (route: PodRoute) => routes.some(({ to, via }) => to === route.to && via === route.via)
  const gone = present.filter(({ to }) => !wanted.some(route => route.to === to))
  return [
    ...gone.map(({ to }) => `route del ${to} proto ${ROUTE_PROTOCOL}`),
    ...wanted.filter(route => !isIn(present)(route)).map(({ to, via }) => `route replace ${to} via ${via} proto ${ROUTE_PROTOCOL}`),
  ]
}
