import { canonicalAddress, canonicalCIDR, type Family, familyOf } from './addresses.ts'
import { type Backend, candidatesOf, chooseBackends, isProxied, type Place } from './endpoints.ts'
import type { EndpointSliceView, ServicePortView, ServiceView } from './objects.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

/**
 * Where traffic to a frontend goes: to the cluster's backends, to this node's, nowhere with a refusal (no one serves it),
 * or nowhere silently (others serve it, but the policy says this node must not).
 */
export type Target = 'cluster' | 'local' | 'reject' | 'drop'

/** What this node does with one port of one Service in one address family. */
export interface PortRules {
  /** `default/web/tcp/http`; the port's number where it has no name. Unique within a family. */
  readonly name: string
  readonly family: Family
  readonly protocol: Protocol
  readonly port: number
  /** 0 when there is none. */
  readonly nodePort: number
  readonly clusterIPs: readonly string[]
  /** External IPs and those load balancer addresses that are delivered as they are. */
  readonly externalIPs: readonly string[]
  /** The load balancer addresses that only `sourceRanges` may use; empty ranges mean everyone. */
  readonly guardedIPs: readonly string[]
  readonly sourceRanges: readonly string[]
  /** How long a client keeps its backend; 0 when every connection chooses anew. */
  readonly affinitySeconds: number
  /** Traffic to the cluster IP. */
  readonly internal: Target
  /** Traffic to node ports, external and load balancer addresses. */
  readonly external: Target
  readonly cluster: readonly Backend[]
  readonly local: readonly Backend[]
}

/** The rules of every port of a Service on this node; none for a headless Service, an ExternalName or one of another proxy. */
export function rulesOf(service: ServiceView, slices: Iterable<EndpointSliceView>, place: Place): PortRules[] {
  if (!isProxied(service) || !PLAIN_NAME.test(`${service.metadata.namespace}/${service.metadata.name}`)) return []
  const all = [...slices]
  const rules: PortRules[] = []
  for (const family of familiesOf(service)) {
    for (const port of service.spec.ports ?? []) {
      if (PLAIN_PORT.test(port.name ?? '') && PROTOCOLS.has(port.protocol)) rules.push(rulesOfPort(service, port, all, family, place))
    }
  }
  return rules
}

/** How many endpoints of a Service on this node are ready: what its health check node port reports. */
export function readyHere(service: ServiceView, slices: Iterable<EndpointSliceView>, place: Place): number {
  const all = [...slices]
  const addresses = new Set<string>()
  for (const port of service.spec.ports ?? []) {
    for (const family of familiesOf(service)) {
      const wanted = { name: port.name ?? '', protocol: port.protocol }
      for (const candidate of candidatesOf(all, wanted, family, place))
        if (candidate.local && candidate.ready) addresses.add(candidate.address)
    }
  }
  return addresses.size
}

/** Whether load balancers ask this node for the Service's health. */
export function wantsHealthCheck(service: ServiceView): boolean {
  return (
    service.spec.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local' && (service.spec.healthCheckNodePort ?? 0) > 0
  )
}

function rulesOfPort(
  service: ServiceView,
  port: ServicePortView,
  slices: readonly EndpointSliceView[],
  family: Family,
  place: Place,
): PortRules {
  const { metadata, spec } = service
  const { protocol } = port
  const backends = chooseBackends(candidatesOf(slices, { name: port.name ?? '', protocol }, family, place), place)
  const internalLocal = spec.internalTrafficPolicy === 'Local'
  const externalLocal = spec.externalTrafficPolicy === 'Local'
  // Policy Local asks a load balancer for the nodes that have endpoints: one that leads to the endpoints themselves has done that.
  const outside = place.balances ? backends.cluster : backends.local
  const ingress = ofFamily(loadBalancerAddresses(service), family)
  const sourceRanges = (spec.loadBalancerSourceRanges ?? []).map(canonicalCIDR).filter(range => range !== undefined)
  // Ranges of the other family only still mean that not everyone may come.
  const ranged = (spec.loadBalancerSourceRanges ?? []).length > 0
  const lowered = protocol.toLowerCase() as Protocol
  return {
    name: `${metadata.namespace}/${metadata.name}/${lowered}/${port.name || port.port}`,
    family,
    protocol: lowered,
    port: port.port,
    nodePort: port.nodePort ?? 0,
    clusterIPs: ofFamily(clusterIPsOf(service), family),
    externalIPs: [...new Set([...ofFamily(spec.externalIPs ?? [], family), ...ingress])],
    guardedIPs: ranged ? ingress : [],
    sourceRanges: sourceRanges.filter(range => familyOf(range) === family),
    affinitySeconds: spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0,
    internal: targetOf(internalLocal ? backends.local : backends.cluster, backends.anywhere, internalLocal),
    external: targetOf(externalLocal ? outside : backends.cluster, backends.anywhere, externalLocal),
    cluster: backends.cluster.map(bare),
    local: internalLocal || externalLocal ? (externalLocal ? outside : backends.local).map(bare) : [],
  }
}

function targetOf(usable: readonly Backend[], anywhere: boolean, local: boolean): Target {
  if (usable.length > 0) return local ? 'local' : 'cluster'
  return anywhere ? 'drop' : 'reject'
}

/** A backend without what decided over it, so that a change which decides nothing changes nothing. */
const bare = ({ address, port, local }: Backend): Backend => ({ address, port, local })

function familiesOf(service: ServiceView): Family[] {
  const families = clusterIPsOf(service).map(familyOf)
  return [...new Set(families)].filter(family => family !== undefined)
}

function clusterIPsOf(service: ServiceView): readonly string[] {
  const { clusterIP, clusterIPs } = service.spec
  return clusterIPs && clusterIPs.length > 0 ? clusterIPs : clusterIP ? [clusterIP] : []
}

function loadBalancerAddresses(service: ServiceView): string[] {
  if (service.spec.type !== 'LoadBalancer') return []
  const ingress = service.status?.loadBalancer?.ingress ?? []
  return ingress.filter(entry => entry.ip && entry.ipMode !== 'Proxy').map(entry => entry.ip!)
}

function ofFamily(addresses: readonly string[], family: Family): string[] {
  const canonical = addresses.filter(address => familyOf(address) === family).map(canonicalAddress)
  return canonical.filter(address => address !== undefined)
}

/** Names become part of nft commands, so whatever the API server lets pass, here only DNS labels do. */
const PLAIN_NAME = /^[a-z0-9-]+\/[a-z0-9.-]+$/
const PLAIN_PORT = /^[a-z0-9-]*$/
const PROTOCOLS: ReadonlySet<string> = new Set(['TCP', 'UDP', 'SCTP'])
