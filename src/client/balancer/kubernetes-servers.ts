import type { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import type { Informer } from '../informers/informer.ts'

/** Calls `changed` with the API servers (`https://host:port`) that the EndpointSlices of the Service `kubernetes` name, whenever these change. Never with none. */
export function followKubernetesServers(slices: Informer<EndpointSlice>, changed: (servers: string[]) => void): Disposable {
  let last = ''
  return slices.onChange((now, before) => {
    if (!isOfServers(now ?? before)) return
    const servers = slices.list('default').filter(isOfServers).flatMap(serversIn).sort()
    if (servers.length === 0 || servers.join() === last) return
    last = servers.join()
    changed(servers)
  })
}

function isOfServers(slice: EndpointSlice | undefined): boolean {
  return slice?.metadata.namespace === 'default' && slice.metadata.labels?.['kubernetes.io/service-name'] === 'kubernetes'
}

function serversIn({ endpoints, ports, addressType }: EndpointSlice): string[] {
  const port = (ports ?? []).find(({ name }) => name === 'https')?.port
  if (!port) return []
  const addresses = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).flatMap(endpoint => endpoint.addresses)
  return addresses.map(address => `https://${addressType === 'IPv6' ? `[${address}]` : address}:${port}`)
}
