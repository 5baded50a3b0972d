import type { Source } from './cluster-view.ts'
import type { ServiceView, SliceView } from './records.ts'

/** Objects put by hand, found as in an informer's cache. */
export interface HandSource<O> extends Source<O> {
  put(...objects: O[]): void
  synced: () => Promise<void>
  setSynced(synced: boolean): void
}

export function handSource<
  O extends { readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined } },
>(...initial: O[]): HandSource<O> {
  const objects = new Map<string, O>()
  const indexes = new Map<string, (object: O) => readonly string[]>()
  let synced = true
  const put = (...more: O[]) => {
    for (const object of more) objects.set(`${object.metadata.namespace ?? ''}/${object.metadata.name}`, object)
  }
  put(...initial)
  return {
    put,
    get: (namespace, name) => objects.get(`${namespace}/${name}`),
    byIndex: (index, key) => [...objects.values()].filter(object => indexes.get(index)!(object).includes(key)),
    addIndex: (name, keysOf) => void indexes.set(name, keysOf),
    hasSynced: () => synced,
    synced: async () => {},
    setSynced(value) {
      synced = value
    },
  }
}

type Spec = ServiceView['spec']

export function serviceOf(name: string, spec: Partial<Spec>, namespace = 'default'): ServiceView {
  return { metadata: { name, namespace }, spec: { type: 'ClusterIP', sessionAffinity: 'None', ...spec } }
}

export function portOf(name: string, port: number, protocol: 'TCP' | 'UDP' = 'TCP'): NonNullable<Spec['ports']>[number] {
  return { name, port, protocol, targetPort: port }
}

interface SliceParts {
  readonly endpoints: readonly { readonly address: string; readonly hostname?: string; readonly ready?: boolean }[]
  readonly ports?: readonly { readonly name: string; readonly port: number; readonly protocol?: 'TCP' | 'UDP' }[]
  readonly addressType?: 'IPv4' | 'IPv6'
}

export function sliceOf(service: string, parts: SliceParts, name = `${service}-1`, namespace = 'default'): SliceView {
  return {
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: parts.addressType ?? 'IPv4',
    endpoints: parts.endpoints.map(({ address, hostname, ready }) => ({
      addresses: [address],
      conditions: { ready: ready ?? true },
      ...(hostname !== undefined && { hostname }),
    })),
    ports: (parts.ports ?? [{ name: '', port: 80 }]).map(({ name: portName, port, protocol }) => ({
      name: portName,
      port,
      protocol: protocol ?? 'TCP',
    })),
  }
}
