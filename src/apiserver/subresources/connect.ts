import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { Core } from '../registry/core.ts'
import { get } from '../registry/read.ts'

/** A request that is answered outside of this server: by a kubelet, or by a program in a pod. */
export interface ConnectCall {
  readonly namespace: string
  /** As in the path; of a proxied one with its scheme and port. */
  readonly name: string
  readonly query: URLSearchParams
  /** What stands behind the subresource in the path, escaped as it was sent: '' or with a slash in front. */
  readonly path: string
}

/** Where such a request goes on to. */
export type Destination = ToKubelet | ToAddress

/** The kubelet of a node. */
export interface ToKubelet {
  readonly to: 'kubelet'
  readonly node: string
  /** Escaped. */
  readonly path: string
  readonly query: URLSearchParams
}

/** A program in a pod, or a port of a node that is not the kubelet's. */
export interface ToAddress {
  readonly to: 'address'
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
}

/** A subresource that joins the client with somebody else. */
export interface ConnectSubresource {
  readonly group: string
  readonly resource: string
  readonly name: string
  /** A `log` is read; a `stream` changes the connection's protocol; a `proxy` passes on whatever was sent. */
  readonly manner: 'log' | 'stream' | 'proxy'
  /** Undefined: there is nothing to say yet. */
  locate(core: Core, call: ConnectCall): Promise<Destination | undefined>
  /** What the caller must be allowed to do beside the method's own verb. */
  alsoNeeds?(call: ConnectCall): 'create' | undefined
}

/** An object of the core group, or a 404. */
export async function read<T extends ApiObject>(core: Core, kind: string, namespace: string, name: string): Promise<T> {
  const known = core.kinds.byKind('', 'v1', kind) as AnyKind
  return (await get(core, { kind: known, namespace, name }, {})) as T
}
