import type { Random } from '#base/random/random.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { notFound, serviceUnavailable } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'

/** Where a program listens. */
export interface Address {
  /** An IP address, or the name that an ExternalName Service stands for. */
  readonly host: string
  readonly port: number
}

/** Finds a program behind a Service, for whom the server calls itself: webhooks and aggregated servers. */
export interface ServiceResolver {
  /** One address behind a port of the Service, another one each time. Throws a StatusError: no such Service or port, or nobody is ready. */
  resolve(namespace: string, name: string, port: number): Address
}

/** The kinds whose caches the resolver reads. */
export const RESOLVER_CACHES: readonly AnyKind[] = [Service, EndpointSlice]

/**
 * Resolves by the server's own view of Services and EndpointSlices: it reaches pods directly and needs no proxy on its machine. This is
 * what upstream does with `--enable-aggregator-routing`; an ExternalName Service is called by its name.
 */
export function serviceResolver(informers: () => Informers, random: Random): ServiceResolver {
  return {
    resolve(namespace, name, port) {
      const service = informers().of(Service).get(namespace, name)
      if (!service) throw notFound({ group: '', resource: 'service' }, name)
      const { type, externalName, ports = [] } = service.spec
      if (type === 'ExternalName') return { host: externalName ?? '', port }
      const servicePort = ports.find(one => one.port === port)
      if (!servicePort) throw serviceUnavailable(`no service port ${port} found for service ${quote(name)}`)
      const ready = readyAddresses(slicesOf(informers(), namespace, name), servicePort.name ?? '')
      if (ready.length === 0) throw serviceUnavailable(`no endpoints available for service ${quote(name)}`)
      return ready[random.below(ready.length)]!
    },
  }
}

/** The slices that tell who is behind a Service. */
export function slicesOf(informers: Informers, namespace: string, service: string): readonly EndpointSlice[] {
  const slices = informers.of(EndpointSlice)
  slices.addIndex(BY_SERVICE, serviceOf)
  return slices.byIndex(BY_SERVICE, `${namespace}/${service}`)
}

/** Who takes requests on a port, known by its name in the Service. */
export function readyAddresses(slices: readonly EndpointSlice[], portName: string): Address[] {
  return slices
    .filter(({ addressType }) => addressType !== 'FQDN')
    .flatMap(({ ports, endpoints }) =>
      (ports ?? [])
        .filter(({ name, port }) => name === portName && port !== undefined)
        .flatMap(({ port }) =>
          (endpoints ?? [])
            .filter(({ conditions }) => conditions.ready !== false)
            .flatMap(({ addresses }) => addresses.slice(0, 1).map(host => ({ host, port: port! }))),
        ),
    )
}

const BY_SERVICE = 'webhooks.service'

function serviceOf({ metadata }: EndpointSlice): readonly string[] {
  const service = metadata.labels?.['kubernetes.io/service-name']
  return service === undefined ? [] : [`${metadata.namespace}/${service}`]
}
