import type { Informer } from '#client/informers/informer.ts'
import type { Namespace } from '#kinds/core/v1/namespace.ts'
import { canonicalAddress } from './addresses.ts'
import type { ClusterView, ServiceView, SliceView } from './records.ts'

/** What DNS uses of an informer. */
export type Source<O> = Pick<Informer<O>, 'get' | 'byIndex' | 'addIndex' | 'hasSynced' | 'synced'>

/** The informers that names are made of. */
export interface ClusterSources {
  readonly services: Source<ServiceView>
  readonly endpointSlices: Source<SliceView>
  readonly namespaces: Source<Pick<Namespace, 'metadata'>>
}

/** The cluster's names out of its informers' caches: nothing is copied, and answers go on while no API server answers. */
export function clusterView({ services, endpointSlices, namespaces }: ClusterSources): ClusterView {
  services.addIndex('dns.address', service => canonical([...(service.spec.clusterIPs ?? []), service.spec.clusterIP ?? '']))
  endpointSlices.addIndex('dns.service', slice => {
    const service = slice.metadata.labels?.['kubernetes.io/service-name']
    return service ? [`${slice.metadata.namespace}/${service}`] : []
  })
  endpointSlices.addIndex('dns.address', slice => canonical((slice.endpoints ?? []).flatMap(endpoint => endpoint.addresses)))
  return {
    service: (namespace, name) => services.get(namespace, name),
    slicesOf: (namespace, service) => endpointSlices.byIndex('dns.service', `${namespace}/${service}`),
    hasNamespace: name => namespaces.get('', name) !== undefined,
    servicesAt: address => services.byIndex('dns.address', address),
    slicesAt: address => endpointSlices.byIndex('dns.address', address),
  }
}

function canonical(addresses: readonly string[]): string[] {
  return [...new Set(addresses.map(canonicalAddress))].filter(address => address !== undefined)
}
