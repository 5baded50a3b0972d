import type { AnyKind } from '#machinery/kind/kind.ts'
import type {
  DeleteOptions,
  GetOptions,
  ListOptions,
  Patch,
  PatchOptions,
  SubresourceRequest,
  WatchEvent,
  WatchOptions,
  WatchSink,
  WriteOptions,
} from '../client.ts'

/** Who asks: what authentication found out, or what the composition root says of a component in the same process. */
export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Where a request goes. */
export interface RequestTarget {
  readonly kind: AnyKind
  /** '' for cluster-wide kinds, and for all namespaces. */
  readonly namespace: string
  /** '' for a collection. */
  readonly name: string
}

/** Who calls, and what they want to hear beside the answer. */
export interface Caller {
  readonly user: UserInfo
  readonly userAgent?: string
  /** Called with what an audit is to say of the request; absent where none is recorded. */
  annotate?(key: string, value: string): void
  /** Called for each warning the server has for the client. */
  warn?(text: string): void
}

/**
 * An API server as seen from within its process: requests as objects, with authorization and admission, without encoding. Both the direct
 * client and the server's own HTTP front stand on it. Objects passed in are not changed and not kept; objects that come out are the
 * cache's own. Rejects with StatusError.
 */
export interface ApiHandler {
  get(caller: Caller, target: RequestTarget, options: GetOptions): Promise<object>
  list(
    caller: Caller,
    target: RequestTarget,
    options: ListOptions,
  ): Promise<{ readonly metadata: object; readonly items: readonly object[] }>
  watch(caller: Caller, target: RequestTarget, options: WatchOptions, sink: WatchSink<object>): Disposable
  create(caller: Caller, target: RequestTarget, object: object, options: WriteOptions): Promise<object>
  /** `subresource` '' is the object itself. `created` tells a PUT that created. */
  update(
    caller: Caller,
    target: RequestTarget,
    subresource: string,
    object: object,
    options: WriteOptions,
  ): Promise<{ readonly object: object; readonly created: boolean }>
  patch(
    caller: Caller,
    target: RequestTarget,
    patch: Patch,
    options: PatchOptions,
  ): Promise<{ readonly object: object; readonly created: boolean }>
  /** The object (deleted or terminating) and whether it is gone. */
  delete(caller: Caller, target: RequestTarget, options: DeleteOptions): Promise<{ readonly object: object; readonly gone: boolean }>
  deleteCollection(caller: Caller, target: RequestTarget, list: ListOptions, options: DeleteOptions): Promise<readonly object[]>
  subresource(caller: Caller, target: RequestTarget, request: SubresourceRequest): Promise<unknown>
}

export type { WatchEvent }
