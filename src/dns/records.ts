import type { Service } from '#kinds/core/v1/service.ts'
import type { Endpoint, EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { addressFromDashes, addressFromReverseName, canonicalAddress, dashed, isIPv6 } from './addresses.ts'
import type { RecordData, ResourceRecord } from './wire/record.ts'

/** What the names of a cluster are made of, as of now. Names are lower case; addresses are in canonical form. */
export interface ClusterView {
  service(namespace: string, name: string): ServiceView | undefined
  slicesOf(namespace: string, service: string): readonly SliceView[]
  hasNamespace(name: string): boolean
  servicesAt(address: string): readonly ServiceView[]
  slicesAt(address: string): readonly SliceView[]
}

export type ServiceView = Pick<Service, 'metadata' | 'spec'>
export type SliceView = Pick<EndpointSlice, 'metadata' | 'addressType' | 'endpoints' | 'ports'>

/** The zone that is answered for. */
export interface Zone {
  /** `cluster.local`: lower case, without a dot at the end. */
  readonly domain: string
  /** How long answers, negative ones too, may be kept. */
  readonly ttlSeconds: number
}

/** What the cluster says about a name. */
export interface ClusterAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN'
  readonly answers: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
  /** The target of a CNAME in `answers` that is still to be resolved. */
  readonly follow?: string
}

/** The version of the Kubernetes DNS specification that the names follow. */
export const SCHEMA_VERSION = '1.1.0'

/**
 * Answers a question about a name of the cluster; undefined when the name is not the cluster's, so that someone else must be asked.
 * `name` is lower case, `type` a mnemonic such as `A`. A name that exists without a record of the type has an answer with no records.
 */
export function lookUp(zone: Zone, view: ClusterView, name: string, type: string): ClusterAnswer | undefined {
  if (name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa')) return reverse(zone, view, name, type)
  if (name === zone.domain) return zoneItself(zone, name, type)
  if (!name.endsWith(`.${zone.domain}`)) return undefined
  const labels = name.slice(0, -zone.domain.length - 1).split('.')
  const kind = labels.pop()
  if (kind === 'svc') return underServices(zone, view, name, labels, type)
  if (kind === 'pod') return underPods(zone, view, name, labels, type)
  if (kind === 'dns-version' && labels.length === 0) {
    return type === 'TXT' || type === 'ANY' ? found(zone, name, [{ type: 'TXT', texts: [SCHEMA_VERSION] }]) : empty
  }
  if (kind === 'dns') return underDns(zone, view, name, labels, type)
  return absent
}

/** The record that tells how long a negative answer may be kept. */
export function startOfAuthority(zone: Zone, serial: number): ResourceRecord {
  return {
    name: zone.domain,
    ttlSeconds: zone.ttlSeconds,
    data: {
      type: 'SOA',
      primary: `ns.dns.${zone.domain}`,
      mailbox: `hostmaster.${zone.domain}`,
      serial,
      refresh: 7_200,
      retry: 1_800,
      expire: 86_400,
      minimum: zone.ttlSeconds,
    },
  }
}

const empty: ClusterAnswer = { rcode: 'NOERROR', answers: [], additionals: [] }
const absent: ClusterAnswer = { rcode: 'NXDOMAIN', answers: [], additionals: [] }

function found(zone: Zone, name: string, data: readonly RecordData[], additionals: readonly ResourceRecord[] = []): ClusterAnswer {
  const answers = data.map(entry => ({ name, ttlSeconds: zone.ttlSeconds, data: entry }))
  return { rcode: 'NOERROR', answers, additionals }
}

function zoneItself(zone: Zone, name: string, type: string): ClusterAnswer {
  if (type === 'NS') return found(zone, name, [{ type: 'NS', target: `ns.dns.${zone.domain}` }])
  if (type === 'SOA') return { rcode: 'NOERROR', answers: [startOfAuthority(zone, 1)], additionals: [] }
  return empty
}

/** `ns.dns.<zone>` is the server itself: the cluster's DNS Service. */
function underDns(zone: Zone, view: ClusterView, name: string, labels: readonly string[], type: string): ClusterAnswer {
  if (labels.length === 0) return empty
  if (labels.length > 1 || labels[0] !== 'ns') return absent
  const service = view.service('kube-system', 'kube-dns')
  return service ? found(zone, name, addressRecords(clusterIPsOf(service), type)) : empty
}

/** `1-2-3-4.<namespace>.pod.<zone>`: any address, so long as the namespace exists. */
function underPods(zone: Zone, view: ClusterView, name: string, labels: readonly string[], type: string): ClusterAnswer {
  if (labels.length === 0) return empty
  if (!view.hasNamespace(labels.at(-1)!)) return absent
  if (labels.length === 1) return empty
  const address = labels.length === 2 ? addressFromDashes(labels[0]!) : undefined
  return address === undefined ? absent : found(zone, name, addressRecords([address], type))
}

/** `[[_port._protocol | endpoint].]service.namespace.svc.<zone>` */
function underServices(zone: Zone, view: ClusterView, name: string, labels: readonly string[], type: string): ClusterAnswer {
  if (labels.length === 0) return empty
  const [namespace, serviceName, ...below] = [...labels].reverse() as [string, ...string[]]
  if (!view.hasNamespace(namespace)) return absent
  if (serviceName === undefined) return empty
  const service = view.service(namespace, serviceName)
  if (!service || below.length > 2) return absent
  const whole = { zone, service, base: `${serviceName}.${namespace}.svc.${zone.domain}`, name, type }

  if (service.spec.type === 'ExternalName') return below.length === 0 ? externalName(whole) : absent
  const endpoints = endpointsOf(service, view.slicesOf(namespace, serviceName))
  if (below.length === 0) return isHeadless(service) ? headless(whole, endpoints) : virtual(whole)
  if (below.length === 2) {
    const [protocol, port] = below as [string, string]
    if (!port.startsWith('_') || !protocol.startsWith('_')) return absent
    return servicePort(whole, endpoints, port.slice(1), protocol.slice(1))
  }
  if (below[0]!.startsWith('_')) return hasProtocol(service, below[0]!.slice(1)) ? empty : absent
  const matching = endpoints.filter(endpoint => endpoint.hostname === below[0])
  if (matching.length === 0) return absent
  return found(
    zone,
    name,
    addressRecords(
      matching.map(endpoint => endpoint.address),
      type,
    ),
  )
}

interface Whole {
  readonly zone: Zone
  readonly service: ServiceView
  /** The Service's own name. */
  readonly base: string
  /** The name that was asked for. */
  readonly name: string
  readonly type: string
}

function externalName({ zone, service, name }: Whole): ClusterAnswer {
  const target = service.spec.externalName?.toLowerCase().replace(/\.$/, '')
  // An address is no name: a CNAME cannot point to it.
  if (!target || canonicalAddress(target)) return absent
  return { ...found(zone, name, [{ type: 'CNAME', target }]), follow: target }
}

function virtual(whole: Whole): ClusterAnswer {
  const { zone, service, name, type } = whole
  if (type !== 'SRV') return found(zone, name, addressRecords(clusterIPsOf(service), type))
  const ports = service.spec.ports ?? []
  return found(
    zone,
    name,
    ports.map(port => serverRecord(port.port, whole.base)),
    virtualAdditionals(whole),
  )
}

function headless(whole: Whole, endpoints: readonly NamedEndpoint[]): ClusterAnswer {
  const { zone, name, type } = whole
  if (endpoints.length === 0) return absent
  if (type !== 'SRV')
    return found(
      zone,
      name,
      addressRecords(
        endpoints.map(endpoint => endpoint.address),
        type,
      ),
    )
  return endpointServers(whole, endpoints, () => true)
}

/** `_http._tcp.web.default.svc.<zone>`: unnamed ports have no such name. */
function servicePort(whole: Whole, endpoints: readonly NamedEndpoint[], port: string, protocol: string): ClusterAnswer {
  const { zone, service, name, type, base } = whole
  if (isHeadless(service)) {
    const matches = (candidate: EndpointPort) => candidate.name === port && candidate.protocol === protocol
    if (!endpoints.some(endpoint => endpoint.ports.some(matches))) return absent
    return type === 'SRV' || type === 'ANY' ? endpointServers(whole, endpoints, matches) : empty
  }
  const named = service.spec.ports?.find(entry => entry.name?.toLowerCase() === port && entry.protocol.toLowerCase() === protocol)
  if (!named) return absent
  return type === 'SRV' || type === 'ANY' ? found(zone, name, [serverRecord(named.port, base)], virtualAdditionals(whole)) : empty
}

function endpointServers(whole: Whole, endpoints: readonly NamedEndpoint[], matches: (port: EndpointPort) => boolean): ClusterAnswer {
  const { zone, base, name } = whole
  const servers = new Map<string, RecordData>()
  const additionals = new Map<string, ResourceRecord>()
  for (const { hostname, address, ports } of endpoints) {
    const target = `${hostname}.${base}`
    for (const port of ports.filter(matches)) {
      servers.set(`${port.port} ${target}`, serverRecord(port.port, target))
      additionals.set(address, { name: target, ttlSeconds: zone.ttlSeconds, data: addressRecord(address) })
    }
  }
  return found(zone, name, [...servers.values()], [...additionals.values()])
}

function virtualAdditionals({ zone, service, base }: Whole): ResourceRecord[] {
  return clusterIPsOf(service).map(address => ({ name: base, ttlSeconds: zone.ttlSeconds, data: addressRecord(address) }))
}

/** The name of an address: of the Service whose cluster IP it is, or of the endpoints that have it in headless Services. */
function reverse(zone: Zone, view: ClusterView, name: string, type: string): ClusterAnswer | undefined {
  const address = addressFromReverseName(name)
  if (address === undefined) return undefined
  const targets = new Set<string>()
  for (const { metadata, spec } of view.servicesAt(address)) {
    if (spec.type !== 'ExternalName') targets.add(`${metadata.name}.${metadata.namespace}.svc.${zone.domain}`)
  }
  if (targets.size === 0) {
    for (const slice of view.slicesAt(address)) {
      const namespace = slice.metadata.namespace ?? ''
      const service = view.service(namespace, slice.metadata.labels?.['kubernetes.io/service-name'] ?? '')
      if (!service || !isHeadless(service)) continue
      for (const endpoint of endpointsOf(service, [slice])) {
        if (endpoint.address === address) targets.add(`${endpoint.hostname}.${service.metadata.name}.${namespace}.svc.${zone.domain}`)
      }
    }
  }
  if (targets.size === 0) return undefined
  return type === 'PTR' || type === 'ANY'
    ? found(
        zone,
        name,
        [...targets].map(target => ({ type: 'PTR', target })),
      )
    : empty
}

interface EndpointPort {
  readonly name: string
  readonly protocol: string
  readonly port: number
}

interface NamedEndpoint {
  readonly hostname: string
  readonly address: string
  readonly ports: readonly EndpointPort[]
}

/** The endpoints that have names: the ready ones, or all of a Service that publishes those too that are not. */
function endpointsOf(service: ServiceView, slices: readonly SliceView[]): NamedEndpoint[] {
  const all = service.spec.publishNotReadyAddresses === true
  return slices.flatMap(slice => {
    if (slice.addressType === 'FQDN') return []
    const ports = (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
      port === undefined ? [] : [{ name: name.toLowerCase(), protocol: protocol.toLowerCase(), port }],
    )
    const named = (slice.endpoints ?? []).filter(endpoint => all || (endpoint.conditions.ready ?? true))
    return named.flatMap(endpoint => endpoint.addresses.map(address => ({ hostname: hostnameOf(endpoint, address), address, ports })))
  })
}

const hostnameOf = (endpoint: Endpoint, address: string) => endpoint.hostname?.toLowerCase() || dashed(address)

function isHeadless(service: ServiceView): boolean {
  return clusterIPsOf(service).length === 0
}

function clusterIPsOf(service: ServiceView): readonly string[] {
  const { clusterIP, clusterIPs } = service.spec
  const all = clusterIPs && clusterIPs.length > 0 ? clusterIPs : clusterIP ? [clusterIP] : []
  return all.filter(address => address !== 'None' && address !== '')
}

function hasProtocol(service: ServiceView, protocol: string): boolean {
  return (service.spec.ports ?? []).some(port => port.name !== undefined && port.protocol.toLowerCase() === protocol)
}

function addressRecords(addresses: readonly string[], type: string): RecordData[] {
  return [...new Set(addresses)].map(addressRecord).filter(record => type === 'ANY' || record.type === type)
}

const addressRecord = (address: string): RecordData => ({ type: isIPv6(address) ? 'AAAA' : 'A', address })
const serverRecord = (port: number, target: string): RecordData => ({ type: 'SRV', priority: 0, weight: 100, port, target })
