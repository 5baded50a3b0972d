import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'

/**
 * A cache of all objects of a kind (or of those a selector admits), kept current by a watch. What it hands out is deeply read-only. It
 * lists and watches again by itself after every error; `hasSynced` tells when the first list is in.
 */
export interface Informer<O = ApiObject> {
  readonly kind: AnyKind
  /** The object as last seen. `namespace` is '' for cluster-wide kinds. */
  get(namespace: string, name: string): O | undefined
  /** All objects, or those in a namespace. Cost: what is returned. */
  list(namespace?: string): readonly O[]
  /** The objects that `index` files under `key` (see {@link InformerOptions.indexes}). */
  byIndex(index: string, key: string): readonly O[]
  /** Adds an index; the objects that are there are filed at once. A second index of the same name must be the same function. */
  addIndex(name: string, keysOf: (object: O) => readonly string[]): void
  /** Called for each change from now on, after the cache shows it; present objects are delivered first as added. */
  onChange(handler: ChangeHandler<O>): Disposable
  /** Called for each change of one object from now on. Cost: nothing for changes of others. */
  watchKey(namespace: string, name: string, handler: ChangeHandler<O>): Disposable
  /** Whether everything that was there at the start is in the cache. */
  hasSynced(): boolean
  /** Resolves once {@link hasSynced}; rejects with the reason when `signal` aborts. */
  synced(signal?: AbortSignal): Promise<void>
  /** The revision up to which the cache is known to be complete, as a number; 0 before the first list. */
  revision(): number
  /** Resolves once {@link revision} is at least `revision`: then the cache shows a write that was answered with it. */
  reached(revision: number, signal?: AbortSignal): Promise<void>
}

/** What happened to an object. `object` is undefined when it was deleted, `old` when it was added. */
export type ChangeHandler<O> = (object: O | undefined, old: O | undefined) => void

export interface InformerOptions<O> {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Named functions from an object to the keys it is filed under. */
  readonly indexes?: Readonly<Record<string, (object: O) => readonly string[]>>
}

/** Informers of a process, one per kind, shared by all that ask. */
export interface Informers extends AsyncDisposable {
  /** The shared informer of all objects of `kind`; it is started on first use. */
  of<K extends AnyKind>(kind: K): Informer<ObjectOf<K>>
  /** Ends the shared informer of a kind that is no longer served. */
  forget(kind: AnyKind): void
  /** An informer of its own for a part of the objects (a kubelet's pods). It ends with these informers. */
  only<K extends AnyKind>(kind: K, options: InformerOptions<ObjectOf<K>>): Informer<ObjectOf<K>>
  /** Resolves once every informer started so far has synced. */
  synced(signal?: AbortSignal): Promise<void>
}
