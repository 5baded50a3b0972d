import { readFileSync } from 'node:fs'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { type DnsServer, startDnsServer } from '#dns/dns-server.ts'
import { upstreamsOf } from '#dns/server/resolv-conf.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { applyAddon } from './apply-addon.ts'

export interface ClusterDnsOptions {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** An address of this process that pods reach: that of the nodes' bridge. */
  readonly address: string
  /** The ClusterIP of the `kube-dns` Service. */
  readonly clusterIP: string
  /** Default: one of the system's choice, since the Service has port 53. */
  readonly port?: number
}

export const CLUSTER_DOMAIN = 'cluster.local'

/** Cluster DNS in this process, which alone is behind the Service `kube-dns` in kube-system. */
export async function startClusterDns(options: ClusterDnsOptions): Promise<DnsServer> {
  const { client, address, clusterIP } = options
  const server = await serveClusterDns(options)
  await publishDns(client, clusterIP)
  await publishDnsEndpoints(client, [address], server.listening[0]!.port)
  return server
}

/** Cluster DNS in this process; that it is found is another's concern. */
export async function serveClusterDns(options: Omit<ClusterDnsOptions, 'client'>): Promise<DnsServer> {
  const { informers, clock, random, log, address, clusterIP, port = 0 } = options
  return startDnsServer({
    listen: [{ address, port }],
    domain: CLUSTER_DOMAIN,
    services: informers.of(Service),
    endpointSlices: informers.of(EndpointSlice),
    namespaces: informers.of(Namespace),
    upstreams: upstreamsOf(readFileSync('/etc/resolv.conf', 'utf8'), [{ address: clusterIP, port: 53 }]),
    clock,
    random,
    log,
  })
}

const SERVICE = { namespace: 'kube-system', name: 'kube-dns', labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' } }
const PORTS = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
] as const

/** The Service by which pods find cluster DNS. */
export async function publishDns(client: Client, clusterIP: string): Promise<void> {
  await applyAddon(client, Service, { metadata: SERVICE, spec: { clusterIP, clusterIPs: [clusterIP], ports: PORTS } })
}

/** Who answers behind it. */
export async function publishDnsEndpoints(client: Client, addresses: readonly string[], port: number): Promise<void> {
  const labels = { 'kubernetes.io/service-name': 'kube-dns', 'endpointslice.kubernetes.io/managed-by': 't8s' }
  await applyAddon(client, EndpointSlice, {
    metadata: { ...SERVICE, labels },
    addressType: 'IPv4',
    endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
    ports: PORTS.map(one => ({ ...one, port })),
  })
}
