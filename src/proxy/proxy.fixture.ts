import type { ChangeHandler } from '#client/informers/informer.ts'
import type { EndpointSliceView, EndpointView, ServiceView } from './objects.ts'
import type { Source } from './proxy.ts'

/** An informer whose objects a test puts there by hand. It has synced from the start. */
export interface HandInformer<O> extends Source<O> {
  put(object: O): void
  remove(object: O): void
}

interface Named {
  readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined }
}

export function handInformer<O extends Named>(): HandInformer<O> {
  const objects = new Map<string, O>()
  const handlers = new Set<ChangeHandler<O>>()
  const indexes = new Map<string, (object: O) => readonly string[]>()
  const keyOf = (object: O) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
  const tell = (object: O | undefined, old: O | undefined) => {
    for (const handler of handlers) handler(object, old)
  }
  return {
    get: (namespace, name) => objects.get(`${namespace}/${name}`),
    list: () => [...objects.values()],
    byIndex: (index, key) => [...objects.values()].filter(object => indexes.get(index)!(object).includes(key)),
    addIndex: (name, keysOf) => void indexes.set(name, keysOf),
    onChange(handler) {
      handlers.add(handler)
      for (const object of objects.values()) handler(object, undefined)
      return { [Symbol.dispose]: () => handlers.delete(handler) }
    },
    synced: async () => {},
    put(object) {
      const old = objects.get(keyOf(object))
      objects.set(keyOf(object), object)
      tell(object, old)
    },
    remove(object) {
      objects.delete(keyOf(object))
      tell(undefined, object)
    },
  }
}

type Spec = ServiceView['spec']
type Port = NonNullable<Spec['ports']>[number]
type SlicePort = NonNullable<EndpointSliceView['ports']>[number]

/** What a test says of a Service; ports are TCP 80 without a name unless it says more. */
export type SpecParts = Omit<Partial<Spec>, 'ports'> & { readonly ports?: readonly Partial<Port>[] }

/** What a test says of an endpoint; it is ready unless it says otherwise. */
export type EndpointParts = string | (Partial<EndpointView> & Pick<EndpointView, 'addresses'>)

/** A ClusterIP Service `default/web` with port 80, changed by `spec`. */
export function serviceOf(
  { ports = [{}], ...spec }: SpecParts = {},
  more: { name?: string; namespace?: string; labels?: Record<string, string>; ingress?: { ip: string; ipMode?: 'VIP' | 'Proxy' }[] } = {},
): ServiceView {
  return {
    metadata: { name: more.name ?? 'web', namespace: more.namespace ?? 'default', ...(more.labels && { labels: more.labels }) },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      sessionAffinity: 'None',
      ports: ports.map(port => ({ name: '', protocol: 'TCP', port: 80, targetPort: 8080, ...port })),
      ...spec,
    },
    status: { loadBalancer: { ingress: more.ingress ?? [] } },
  }
}

/** A slice of `default/web` with unnamed port 8080 on `endpoints`. */
export function sliceOf(
  endpoints: readonly EndpointParts[],
  more: { name?: string; service?: string; addressType?: EndpointSliceView['addressType']; ports?: readonly Partial<SlicePort>[] } = {},
): EndpointSliceView {
  const service = more.service ?? 'web'
  return {
    metadata: { name: more.name ?? `${service}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': service } },
    addressType: more.addressType ?? 'IPv4',
    endpoints: endpoints.map(endpoint => ({ conditions: {}, ...(typeof endpoint === 'string' ? { addresses: [endpoint] } : endpoint) })),
    ports: (more.ports ?? [{}]).map(port => ({ name: '', protocol: 'TCP', port: 8080, ...port })),
  }
}
