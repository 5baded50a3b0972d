import { parseCidr } from '#controllers/runtime/cidr.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import type { Route } from './provider.ts'

/** The routes that a node's pods need: each of its CIDRs is at its address of that family. */
export function routesOf({ spec, status }: Node): readonly Route[] {
  const cidrs = spec.podCIDRs?.length ? spec.podCIDRs : spec.podCIDR ? [spec.podCIDR] : []
  const addresses = (status.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address)
  return cidrs.flatMap(cidr => {
    const address = addresses.find(one => one.includes(':') === cidr.includes(':'))
    return address === undefined ? [] : [{ cidr, address }]
  })
}

export interface RoutesPlan {
  readonly create: readonly Route[]
  readonly delete: readonly Route[]
}

/** What is to change of `present` so that the pods of `nodes` are reached. Routes outside of the cluster's CIDRs are somebody else's. */
export function planRoutes(nodes: readonly Node[], present: readonly Route[], clusterCIDRs: readonly string[]): RoutesPlan {
  const wanted = nodes.flatMap(routesOf)
  const is = (one: Route) => (other: Route) => one.cidr === other.cidr && one.address === other.address
  return {
    create: wanted.filter(route => !present.filter(({ isPartial }) => !isPartial).some(is(route))),
    delete: present.filter(route => !wanted.some(is(route)) && clusterCIDRs.some(cidr => contains(cidr, route.cidr))),
  }
}

function contains(outer: string, inner: string): boolean {
  const [a, b] = [parseCidr(outer), parseCidr(inner)]
  return a.family === b.family && a.start <= b.start && b.end <= a.end
}
