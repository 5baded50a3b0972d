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
}

export const CLUSTER_DOMAIN = 'cluster.local'

/** Cluster DNS in this process, behind the Service `kube-dns` in kube-system. It listens on a port of the system's choice: the Service has port 53. */
export async function startClusterDns(options: ClusterDnsOptions): Promise<DnsServer> {
  const { client, informers, clock, random, log, address, clusterIP } = options
  const server = await startDnsServer({
    listen: [{ address, port: 0 }],
    domain: CLUSTER_DOMAIN,
    services: informers.of(Service),
    endpointSlices: informers.of(EndpointSlice),
    namespaces: informers.of(Namespace),
    upstreams: upstreamsOf(readFileSync('/etc/resolv.conf', 'utf8'), [{ address: clusterIP, port: 53 }]),
    clock,
    random,
    log,
  })
  const { port } = server.listening[0]!
  const metadata = { namespace: 'kube-system', name: 'kube-dns', labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' } }
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ]
  await applyAddon(client, Service, { metadata, spec: { clusterIP, clusterIPs: [clusterIP], ports } })
  await applyAddon(client, EndpointSlice, {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns', 'endpointslice.kubernetes.io/managed-by': 't8s' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: ports.map(one => ({ ...one, port })),
  })
  return server
}
