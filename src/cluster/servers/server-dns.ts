import { followKubernetesServers } from '#client/balancer/kubernetes-servers.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { type ClusterDnsOptions, publishDns, publishDnsEndpoints, serveClusterDns } from '../components/cluster-dns.ts'
import type { ServerLayout } from './server-record.ts'

/** The same on all servers, so that each knows where the others answer. */
const DNS_PORT = 10_053

/** Cluster DNS on every server. Those that are endpoints of the Service `kubernetes` are also those of `kube-dns`, so a server that dies leaves both. */
export async function startServerDns(
  options: Omit<ClusterDnsOptions, 'address' | 'clusterIP' | 'port'> & { readonly layout: ServerLayout },
): Promise<{ stop(): Promise<void> }> {
  const { client, informers, log, layout } = options
  const server = await serveClusterDns({
    ...options,
    address: layout.advertiseAddress,
    clusterIP: layout.cluster.dnsAddress,
    port: DNS_PORT,
  })
  await publishDns(client, layout.cluster.dnsAddress)
  const following = followKubernetesServers(informers.of(EndpointSlice), servers => {
    const addresses = servers.map(url => new URL(url).hostname.replace(/^\[|\]$/g, ''))
    publishDnsEndpoints(client, addresses, DNS_PORT).catch(error =>
      log.warn('the endpoints of cluster DNS could not be written', { error }),
    )
  })
  return {
    async stop() {
      following[Symbol.dispose]()
      await server.stop()
    },
  }
}
