import type { AnyKind, DraftObjectOf, ObjectOf } from '#machinery/kind/kind.ts'
import type { ListMeta } from '#machinery/kind/object-meta.ts'

/**
 * The only way to an API server, for every component and every test. Two transports implement it: `direct` in the same process, where a
 * returned object *is* the watch cache's object, and `http` over the wire. What comes back is deeply read-only; take a `draft()` to change it.
 *
 * Every method rejects with a `StatusError` (machinery/status) when the server refuses, and with the signal's reason when aborted.
 */
export interface Client {
  get<K extends AnyKind>(kind: K, name: ObjectName, options?: GetOptions): Promise<ObjectOf<K>>
  list<K extends AnyKind>(kind: K, options?: ListOptions): Promise<ListOf<K>>
  /**
   * Delivers what happens from `resourceVersion` on, in order, to `sink`. Disposing the result ends it; then nothing more is delivered.
   * A watch that cannot start, breaks or is ended by the server calls `sink.closed` once, never silently stops.
   */
  watch<K extends AnyKind>(kind: K, options: WatchOptions, sink: WatchSink<ObjectOf<K>>): Disposable
  create<K extends AnyKind>(kind: K, object: DraftObjectOf<K>, options?: WriteOptions): Promise<ObjectOf<K>>
  /** Replaces the object. With `metadata.resourceVersion` it conflicts (409) if the object has changed since. */
  update<K extends AnyKind>(kind: K, object: DraftObjectOf<K>, options?: WriteOptions): Promise<ObjectOf<K>>
  /** Replaces the status; what stands outside of it in `object` is ignored. */
  updateStatus<K extends AnyKind>(kind: K, object: DraftObjectOf<K>, options?: WriteOptions): Promise<ObjectOf<K>>
  patch<K extends AnyKind>(kind: K, name: ObjectName, patch: Patch, options?: PatchOptions): Promise<ObjectOf<K>>
  /** Resolves to the object as it stands: still there (with a deletionTimestamp) or just gone; undefined if the server answers with a Status. */
  delete<K extends AnyKind>(kind: K, name: ObjectName, options?: DeleteOptions): Promise<ObjectOf<K> | undefined>
  deleteCollection<K extends AnyKind>(kind: K, options?: ListOptions & DeleteOptions): Promise<void>
  /** A verb on a subresource with a body of its own: `pods/binding`, `pods/eviction`, `serviceaccounts/token`, `deployments/scale`. */
  subresource<K extends AnyKind>(kind: K, name: ObjectName, request: SubresourceRequest): Promise<unknown>
}

/** Which object. A stored object itself serves too. */
export type ObjectName =
  | { readonly namespace?: string | undefined; readonly name: string }
  | { readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined } }

/** The namespace ('' for cluster-wide kinds) and name that an {@link ObjectName} means. */
export function nameOf(name: ObjectName): { readonly namespace: string; readonly name: string } {
  const meta = 'metadata' in name ? name.metadata : name
  return { namespace: meta.namespace ?? '', name: meta.name ?? '' }
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
}

export interface GetOptions extends RequestOptions {
  /** Absent: the newest; `'0'`: whatever the cache has. */
  readonly resourceVersion?: string | undefined
  /** The object as it was at `resourceVersion`, as far as history is kept: what upstream has for lists only (docs/reference/typernetes.dev.md). */
  readonly resourceVersionMatch?: 'Exact' | undefined
}

export interface ListOptions extends RequestOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined
  readonly limit?: number | undefined
  readonly continue?: string | undefined
}

/** A page of objects, all as of `metadata.resourceVersion`. */
export interface ListOf<K extends AnyKind> {
  readonly metadata: ListMeta
  readonly items: readonly ObjectOf<K>[]
}

export interface WatchOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Events after this revision. Absent or `'0'`: first the present objects as ADDED, then what follows. */
  readonly resourceVersion?: string | undefined
  /** First the present objects as ADDED, then a bookmark annotated `k8s.io/initial-events-end`. */
  readonly sendInitialEvents?: boolean | undefined
  readonly allowBookmarks?: boolean | undefined
}

/** An event of a watch. A bookmark carries nothing but a resourceVersion, which is all that `object.metadata` then has. */
export interface WatchEvent<O> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: O
}

/** Who receives a watch. Neither function may throw; both are called in the order of revisions. */
export interface WatchSink<O> {
  event(event: WatchEvent<O>): void
  /** The watch has ended. `error` is a StatusError (410 Expired: list again) or undefined for a clean end: watch again from the last revision. */
  closed(error: Error | undefined): void
}

export interface WriteOptions extends RequestOptions {
  readonly dryRun?: boolean | undefined
  readonly fieldManager?: string | undefined
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined
}

/** A change of an object: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch, or server-side apply. */
export type Patch =
  | { readonly type: 'json'; readonly body: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: unknown }
  | { readonly type: 'strategic'; readonly body: unknown }
  | { readonly type: 'apply'; readonly body: unknown; readonly force?: boolean }

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

export interface PatchOptions extends WriteOptions {
  /** '' or absent: the object itself. */
  readonly subresource?: string | undefined
}

export interface DeleteOptions extends RequestOptions {
  readonly dryRun?: boolean | undefined
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined
  /** The object is deleted only if it is this one. */
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined
}

export interface SubresourceRequest extends RequestOptions {
  readonly subresource: string
  readonly verb: 'get' | 'create' | 'update' | 'patch'
  readonly body?: unknown
  readonly options?: Readonly<Record<string, string>>
}
