import { PersistentMap } from '#base/collections/persistent-map.ts'
import type { Clock } from '#base/time/clock.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { type KeyValue, prefix, type RangeOptions, type Store, type Txn } from '#store/store.ts'
import { CompactedError, FutureRevisionError, NoSpaceError, UnavailableError } from '#store/store-errors.ts'
import type { StorageCodec } from '../watch-cache/storage-codec.ts'
import type { StoreFeed } from '../watch-cache/store-feed.ts'
import { adopt, slotted, written } from '../watch-cache/stored-form.ts'
import { unreadable } from '../watch-cache/unreadable.ts'
import type { Snapshot, WatchCache } from '../watch-cache/watch-cache.ts'
import { atRevision } from '../watch-cache/watcher.ts'

/** How long one lease serves objects that vanish by themselves, and how many. */
const LEASE_REUSE_MS = 60_000
const LEASE_REUSE_COUNT = 1000

export interface ObjectStoreOptions {
  readonly store: Store
  readonly feed: StoreFeed
  readonly clock: Clock
  readonly codec: StorageCodec
}

/** What came of an object that was to be written and taken away. */
export interface Removal {
  /** As it was written. */
  readonly last: ApiObject
  /** With the resourceVersion of the delete. */
  readonly removed: ApiObject | undefined
}

/** Objects in the store: read from the caches, written with a comparison of their revision. */
export class ObjectStore {
  readonly #options: ObjectStoreOptions
  readonly #leases = new Map<number, { id: number; until: number; left: number }>()

  constructor(options: ObjectStoreOptions) {
    this.#options = options
  }

  /** The cache of a stored kind; a kind that is not served is a 404. */
  cacheOf(kind: AnyKind): WatchCache {
    const cache = this.#options.feed.find(kind)
    if (!cache)
      throw new StatusError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} })
    return cache
  }

  /** Before it is said that an object is not there: throws if it is, but cannot be read. */
  refuseUnreadable(kind: AnyKind, key: string): void {
    const cache = this.cacheOf(kind)
    const why = cache.unreadable.get(key)
    if (why !== undefined) throw unreadable([[cache.prefix + key, why]])
  }

  /** The newest revision that all caches show. */
  get revision(): number {
    return this.#options.feed.revision
  }

  /** Resolves once all caches show `revision`. */
  reached(revision: number, signal?: AbortSignal): Promise<void> {
    return this.#options.feed.reached(revision, signal)
  }

  /** The objects of a cache as of a revision that the cache has forgotten; undefined if the store has, too. */
  async past(cache: WatchCache, revision: number): Promise<Snapshot | undefined> {
    const kvs = await this.#readPast({ ...prefix(cache.prefix), revision })
    if (!kvs) return undefined
    let objects = PersistentMap.empty<ApiObject>()
    for (const kv of kvs) objects = objects.set(kv.key.slice(cache.prefix.length), await this.#objectOf(cache, kv))
    return { objects, revision }
  }

  /** The object under `key` as of such a revision, if there was one. */
  async pastObject(cache: WatchCache, key: string, revision: number): Promise<{ readonly object: ApiObject | undefined } | undefined> {
    const kvs = await this.#readPast({ key: `${cache.prefix}${key}`, revision })
    return kvs && { object: kvs[0] && (await this.#objectOf(cache, kvs[0])) }
  }

  /** Undefined where caches show everything that is stored; else a wait until they do. */
  caughtUp(): Promise<void> | undefined {
    return this.#options.feed.caughtUp()
  }

  /** Whether the stored value of an object is to be written anew although nothing of it has changed. */
  isStale(kind: AnyKind, object: ApiObject): boolean {
    return this.#options.codec.isStale(kind, object)
  }

  /**
   * Writes `object` if the stored one is still at `expected` (0: if there is none). Undefined if it is not. The object becomes the cache's.
   */
  async put(kind: AnyKind, object: ApiObject, expected: number, lifetimeSeconds?: number): Promise<ApiObject | undefined> {
    const { store, codec } = this.#options
    const key = this.#keyOf(kind, object)
    const whole = { ...object, metadata: slotted(object.metadata) }
    const lease = lifetimeSeconds ? { lease: await this.#lease(lifetimeSeconds) } : {}
    const form = codec.encode(kind, key, whole, this.#storedNow(kind, object))
    try {
      const { succeeded, revision } = await this.#commit({
        compare: [{ key, modRevision: expected }],
        success: [{ type: 'put', key, value: form.value, ...lease }],
      })
      if (!succeeded) return await this.#stale()
      adopt(form.value, revision, () => form)
      if (!store.revisionNow) await this.#options.feed.reached(revision)
      return whole
    } finally {
      written(form)
    }
  }

  /**
   * Writes `object` as {@link put} does, and then takes it away: two changes, as everyone sees them. Undefined if the stored one is not at
   * `expected`; `removed` is undefined if somebody else came between the two.
   *
   * Hot: bench/loops (preemption) — where the store decides at once, both wait for the disk together.
   */
  async putAndRemove(kind: AnyKind, object: ApiObject, expected: number, lifetimeSeconds?: number): Promise<Removal | undefined> {
    const { store, codec } = this.#options
    if (!store.decideNow || lifetimeSeconds) {
      const last = await this.put(kind, object, expected, lifetimeSeconds)
      return last && { last, removed: await this.remove(kind, last) }
    }
    const key = this.#keyOf(kind, object)
    const last = { ...object, metadata: slotted(object.metadata) }
    const form = codec.encode(kind, key, last, this.#storedNow(kind, object))
    try {
      const { result, done } = store.decideNow({
        compare: [{ key, modRevision: expected }],
        success: [{ type: 'put', key, value: form.value }],
      })
      if (!result.succeeded) {
        await done
        return await this.#stale()
      }
      const taking = store.txn({ compare: [{ key, modRevision: result.revision }], success: [{ type: 'delete', key }] })
      const [{ revision }] = await Promise.all([taking, done])
      adopt(form.value, result.revision, () => form)
      return { last, removed: atRevision(last, revision) }
    } catch (error) {
      throw storeFailure(error)
    } finally {
      written(form)
    }
  }

  /** Deletes the object if it is still the stored one; answers it with the delete's resourceVersion, or undefined. */
  async remove(kind: AnyKind, object: ApiObject): Promise<ApiObject | undefined> {
    const key = this.#keyOf(kind, object)
    const { succeeded, revision } = await this.#commit({
      compare: [{ key, modRevision: revisionOf(object) }],
      success: [{ type: 'delete', key }],
    })
    if (!succeeded) return this.#stale()
    if (!this.#options.store.revisionNow) await this.#options.feed.reached(revision)
    return atRevision(object, revision)
  }

  /** Undefined if the revision is not kept any more, or has not happened yet. */
  async #readPast(range: RangeOptions): Promise<readonly KeyValue[] | undefined> {
    try {
      return (await this.#options.store.range(range)).kvs
    } catch (error) {
      if (error instanceof CompactedError || error instanceof FutureRevisionError) return undefined
      throw error
    }
  }

  async #objectOf({ kind }: WatchCache, kv: KeyValue): Promise<ApiObject> {
    const { codec } = this.#options
    await codec.prepare(kind, kv)
    try {
      return codec.decode(kind, kv)
    } catch (error) {
      throw unreadable([[kv.key, (error as Error).message]])
    }
  }

  /** The stored version of an object, as the cache has it. */
  #storedNow(kind: AnyKind, object: ApiObject): ApiObject | undefined {
    return this.cacheOf(kind).get(cacheKeyOf(object))
  }

  #keyOf(kind: AnyKind, object: ApiObject): string {
    return `${this.cacheOf(kind).prefix}${cacheKeyOf(object)}`
  }

  /** The comparison failed because the cache was behind (etcd): the next try has to see the present. */
  async #stale(): Promise<undefined> {
    await this.#options.feed.caughtUp()
  }

  async #commit(txn: Txn) {
    try {
      return await this.#options.store.txn(txn)
    } catch (error) {
      throw storeFailure(error)
    }
  }

  async #lease(ttlSeconds: number): Promise<number> {
    const now = this.#options.clock.monotonic()
    const known = this.#leases.get(ttlSeconds)
    if (known && known.until > now && known.left > 0) {
      known.left--
      return known.id
    }
    const { id } = await this.#options.store.grantLease(ttlSeconds + LEASE_REUSE_MS / 1000)
    this.#leases.set(ttlSeconds, { id, until: now + LEASE_REUSE_MS, left: LEASE_REUSE_COUNT })
    return id
  }
}

/** The key of an object in its kind's cache. */
export function cacheKeyOf(object: ApiObject): string {
  return cacheKey(object.metadata.namespace ?? '', object.metadata.name ?? '')
}

export function cacheKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`
}

export function revisionOf(object: ApiObject): number {
  return Number(object.metadata.resourceVersion)
}

/** What a client is told when the store does not take a write. */
function storeFailure(error: unknown): unknown {
  if (error instanceof NoSpaceError)
    return new StatusError({ code: 500, reason: '', message: `etcdserver: mvcc: database space exceeded: ${error.message}`, cause: error })
  if (error instanceof UnavailableError) {
    const details = { retryAfterSeconds: 1 }
    return new StatusError({ code: 503, reason: 'ServiceUnavailable', message: error.message, details, cause: error })
  }
  return error
}
