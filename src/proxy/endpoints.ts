import { canonicalAddress, type Family } from './addresses.ts'
import type { EndpointPortView, EndpointSliceView, EndpointView, ServiceView } from './objects.ts'

/** One address and port behind a Service port. */
export interface Backend {
  readonly address: string
  readonly port: number
  /** On this node: its own connections through the Service come back to it, and `Local` traffic policies may use it. */
  readonly local: boolean
}

/** The backends this node may use for one Service port. */
export interface Backends {
  /** For traffic of policy `Cluster`: the ready ones this node should prefer, or the terminating ones that still serve. */
  readonly cluster: readonly Backend[]
  /** For traffic of policy `Local`: the same question asked of this node's own endpoints. */
  readonly local: readonly Backend[]
  /** Whether anyone in the cluster serves this port; tells "refuse" from "drop, another node would answer". */
  readonly anywhere: boolean
}

/** The node that asks. The machine itself (no node) has no name: nothing is local to it. */
export interface Place {
  readonly nodeName?: string | undefined
  readonly zone?: string | undefined
  /** It stands in front of the nodes as their load balancer: what comes from outside it leads to every endpoint, with its source kept. */
  readonly balances?: boolean | undefined
}

/**
 * Chooses the backends of one Service port. Ready endpoints come first; where there are none, terminating ones that still serve
 * take the traffic, separately for the cluster and for this node. Hints count only if every ready endpoint carries one and one of them names us.
 */
export function chooseBackends(candidates: readonly Candidate[], place: Place): Backends {
  const ready = candidates.filter(candidate => candidate.ready)
  const lastResort = candidates.filter(candidate => candidate.serving && candidate.terminating)
  const hinted = preferredByHints(ready, place)
  const isLocal = (candidate: Candidate) => candidate.local
  const localReady = ready.filter(isLocal)
  return {
    cluster: hinted.length > 0 ? hinted : lastResort,
    local: localReady.length > 0 ? localReady : lastResort.filter(isLocal),
    anywhere: ready.length > 0 || lastResort.length > 0,
  }
}

/** An endpoint of one port together with what decides whether it is used. */
export interface Candidate extends Backend {
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly zones: readonly string[]
  readonly nodes: readonly string[]
}

/** The endpoints of one port in one family, from every slice of the Service, each address and port once, in a stable order. */
export function candidatesOf(
  slices: Iterable<EndpointSliceView>,
  port: { readonly name: string; readonly protocol: string },
  family: Family,
  place: Place,
): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const slice of slices) {
    if (slice.addressType !== (family === 'ip' ? 'IPv4' : 'IPv6')) continue
    for (const slicePort of slice.ports ?? []) {
      if (!servesPort(slicePort, port)) continue
      for (const endpoint of slice.endpoints ?? []) {
        const candidate = candidateFrom(endpoint, slicePort.port!, place)
        if (!candidate) continue
        const key = `${candidate.address} ${candidate.port}`
        // The same endpoint may stand in two slices while it moves; the ready one counts.
        const known = found.get(key)
        if (!known || (candidate.ready && !known.ready)) found.set(key, candidate)
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port))
}

/** Whether this Service is one the proxy serves: it has a cluster IP and no other proxy claims it. */
export function isProxied(service: ServiceView): boolean {
  const clusterIP = service.spec.clusterIP
  if (service.spec.type === 'ExternalName' || !clusterIP || clusterIP === 'None') return false
  return service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] === undefined
}

function servesPort(slicePort: EndpointPortView, port: { readonly name: string; readonly protocol: string }): boolean {
  return slicePort.port !== undefined && slicePort.name === port.name && slicePort.protocol === port.protocol
}

function candidateFrom(endpoint: EndpointView, port: number, place: Place): Candidate | undefined {
  const address = canonicalAddress(endpoint.addresses[0] ?? '')
  if (address === undefined) return undefined
  const ready = endpoint.conditions.ready ?? true
  return {
    address,
    port,
    local: place.nodeName !== undefined && endpoint.nodeName === place.nodeName,
    ready,
    serving: endpoint.conditions.serving ?? ready,
    terminating: endpoint.conditions.terminating ?? false,
    zones: endpoint.hints?.forZones?.map(zone => zone.name) ?? [],
    nodes: endpoint.hints?.forNodes?.map(node => node.name) ?? [],
  }
}

function preferredByHints(ready: readonly Candidate[], place: Place): readonly Candidate[] {
  const { nodeName, zone } = place
  if (ready.every(candidate => candidate.nodes.length > 0)) {
    const here = ready.filter(candidate => nodeName !== undefined && candidate.nodes.includes(nodeName))
    if (here.length > 0) return here
  }
  if (ready.every(candidate => candidate.zones.length > 0)) {
    const near = ready.filter(candidate => zone !== undefined && candidate.zones.includes(zone))
    if (near.length > 0) return near
  }
  return ready
}
