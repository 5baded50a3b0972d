import type { ChangeHandler } from '#client/informers/informer.ts'
import type { EndpointSliceView, EndpointView, ServicePortView, ServiceView } from './objects.ts'
import type { Source } from './proxy.ts'

/** An informer whose objects a test puts there by hand. It has synced from the start. */
export interface HandInformer<O> extends Source<O> {
  put(object: O): void
  remove(object: O): void
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
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

/** A ClusterIP Service `default/web` with port 80, changed by `spec`. */
export function serviceOf(
  spec: Partial<ServiceView['spec']> = {},
  more: { name?: string; namespace?: string; labels?: Record<string, string>; ingress?: { ip: string; ipMode?: string }[] } = {},
): ServiceView {
  const ports: ServicePortView[] = [{ name: '', protocol: 'TCP', port: 80 }]
  return {
    metadata: { name: more.name ?? 'web', namespace: more.namespace ?? 'default', ...(more.labels && { labels: more.labels }) },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.1', ports, ...spec },
    status: { loadBalancer: { ingress: more.ingress ?? [] } },
  }
}

/** A slice of `default/web` with unnamed port 8080 on `endpoints`; a string stands for a ready endpoint with that address. */
export function sliceOf(
  endpoints: readonly (string | EndpointView)[],
  more: { name?: string; service?: string; namespace?: string; addressType?: string; ports?: EndpointSliceView['ports'] } = {},
): EndpointSliceView {
  const service = more.service ?? 'web'
  return {
    metadata: {
      name: more.name ?? `${service}-1`,
      namespace: more.namespace ?? 'default',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: more.addressType ?? 'IPv4',
    endpoints: endpoints.map(endpoint =>
      typeof endpoint === 'string' ? { addresses: [endpoint], conditions: { ready: true } } : endpoint,
    ),
    ports: more.ports ?? [{ name: '', protocol: 'TCP', port: 8080 }],
  }
}
