import type { Logger } from '#base/log/logger.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { type KeyValue, prefix, type Store, type Watch, type WatchEvent } from '#store/store.ts'
import { ClosedError } from '#store/store-errors.ts'
import { checkConsistency, InconsistentCacheError } from './consistency.ts'
import type { StorageCodec } from './storage-codec.ts'
import { unreadable } from './unreadable.ts'
import { WatchCache } from './watch-cache.ts'

/** Every key of Kubernetes begins with this. */
export const REGISTRY = '/registry/'

const RELOAD_DELAY_MS = 1000
const BOOKMARK_PERIOD_MS = 60_000
/** As upstream. */
const CHECK_PERIOD_MS = 5 * 60_000
const DELETED = { object: undefined, why: undefined }

export interface StoreFeedOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Reads stored bytes. */
  readonly codec: Pick<StorageCodec, 'decode' | 'prepare'>
  /** The caches have got to a revision. */
  onRevision?(revision: number): void
}

/**
 * One watch over everything in the store, which feeds the caches of all kinds. So all caches stand at the same revision, and whether a
 * read is consistent is one question for all of them.
 */
export class StoreFeed {
  readonly #options: StoreFeedOptions
  /** By storage prefix without `/registry/`: `pods`, `services/specs`. */
  readonly #caches = new Map<string, WatchCache>()
  #watch: Watch | undefined
  #revision = 0
  #started = false
  #stopped = false
  #reload: Timer | undefined
  #bookmarks: Timer | undefined
  #checks: Timer | undefined
  /** What each cache showed when it was last compared with the store. */
  readonly #checked = new WeakMap<WatchCache, unknown>()
  #waiting: { readonly revision: number; resolve(): void }[] = []
  #sharedRead: Promise<number> | undefined
  /** Caches that are being filled, with what happened meanwhile. */
  readonly #filling = new Map<WatchCache, WatchEvent[]>()
  /** How often everything was read; what came before the last time is past. */
  #loads = 0
  /** There while a key of values that came is being fetched: what comes behind them waits. */
  #behind: Promise<void> | undefined
  readonly #schedule: (flush: () => void) => void

  constructor(options: StoreFeedOptions) {
    this.#options = options
    this.#schedule = flush => queueMicrotask(flush)
  }

  get revision(): number {
    return this.#revision
  }

  get caches(): Iterable<WatchCache> {
    return this.#caches.values()
  }

  /** The cache of a stored kind, if it is served. */
  find(kind: AnyKind): WatchCache | undefined {
    return this.#caches.get(kind.storagePrefix)
  }

  /** The cache of a stored kind; made, and filled from the store once the feed runs, if there is none. */
  cacheOf(kind: AnyKind): WatchCache {
    const known = this.#caches.get(kind.storagePrefix)
    if (known) return known
    const { clock } = this.#options
    const cache = new WatchCache(kind, `${REGISTRY}${kind.storagePrefix}/`, { now: () => clock.monotonic(), schedule: this.#schedule })
    this.#caches.set(kind.storagePrefix, cache)
    return cache
  }

  /** Adds a kind while the feed runs: fills its cache before it is used. */
  async add(kind: AnyKind): Promise<WatchCache> {
    const cache = this.cacheOf(kind)
    if (this.#started && !cache.isLoaded) await this.#fill(cache)
    return cache
  }

  /** What could not be read may be readable now: reads it again. */
  async retryUnreadable(): Promise<void> {
    const affected = [...this.#caches.values()].filter(cache => cache.unreadable.size > 0 && !this.#filling.has(cache))
    await Promise.all(affected.map(cache => this.#fill(cache)))
  }

  /** The keys whose values cannot be read. */
  unreadableKeys(): string[] {
    return [...this.#caches.values()].flatMap(cache => [...cache.unreadable.keys()].map(key => cache.prefix + key))
  }

  /** Drops the cache of a kind that is no longer served; its watches end. */
  remove(kind: AnyKind): void {
    const cache = this.#caches.get(kind.storagePrefix)
    if (!cache) return
    this.#caches.delete(kind.storagePrefix)
    cache.close(undefined)
  }

  /** Reads everything and follows what happens from there. */
  async start(): Promise<void> {
    await this.#load()
    this.#started = true
    this.#scheduleBookmarks()
    this.#scheduleCheck()
  }

  /**
   * Compares every cache that has changed since the last time with the store. Throws InconsistentCacheError for the first that differs.
   */
  async checkConsistency(): Promise<void> {
    for (const cache of this.#caches.values()) {
      const { objects } = cache.snapshot()
      if (!cache.isLoaded || this.#filling.has(cache) || this.#checked.get(cache) === objects) continue
      await checkConsistency(cache, this.#options.store)
      this.#checked.set(cache, objects)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#watch?.[Symbol.dispose]()
    this.#reload?.cancel()
    this.#bookmarks?.cancel()
    this.#checks?.cancel()
    for (const cache of this.#caches.values()) cache.close(undefined)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /**
   * Waits until the caches show everything that was stored when it was called. Undefined where that is so already, as on embedded engines.
   */
  caughtUp(): Promise<void> | undefined {
    const { store } = this.#options
    if (store.revisionNow) return undefined
    this.#sharedRead ??= this.#readRevision()
    return this.#sharedRead.then(revision => this.reached(revision))
  }

  /** Resolves once the caches show `revision`. */
  reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve()
    this.#watch?.requestProgress()
    return new Promise((resolve, reject) => {
      const waiter = { revision, resolve }
      this.#waiting.push(waiter)
      signal?.addEventListener(
        'abort',
        () => {
          this.#waiting = this.#waiting.filter(other => other !== waiter)
          reject(signal.reason)
        },
        { once: true },
      )
    })
  }

  /** Reads that come while one is under way would not be told anything newer by it: they share the next one. */
  async #readRevision(): Promise<number> {
    await Promise.resolve()
    this.#sharedRead = undefined
    const { revision } = await this.#options.store.range({ key: `${REGISTRY}.`, countOnly: true })
    return revision
  }

  async #load(): Promise<void> {
    const { store } = this.#options
    const everything = { ...prefix(REGISTRY), withoutCorrupt: true }
    const { kvs, revision, corruptKeys = [] } = store.rangeNow ? store.rangeNow(everything) : await store.range(everything)
    this.#reportDamaged(corruptKeys)
    const load = ++this.#loads
    const byCache = new Map<WatchCache, KeyValue[]>()
    for (const cache of this.#caches.values()) byCache.set(cache, [])
    for (const kv of kvs) {
      const cache = this.#cacheFor(kv.key)
      if (cache) byCache.get(cache)?.push(kv)
    }
    const pending = [...byCache].flatMap(([cache, own]) => own.flatMap(kv => this.#options.codec.prepare(cache.kind, kv) ?? []))
    if (pending.length > 0) await Promise.all(pending)
    if (load !== this.#loads) return
    for (const [cache, own] of byCache) this.#loadCache(cache, own, revision)
    this.#revision = revision
    // Who asked before there was anything to show would else wait for the next write, which may be long.
    this.#release()
    if (this.#stopped) return
    this.#watch = store.watch(
      { ...prefix(REGISTRY), revision: revision + 1 },
      {
        events: (events, upTo) => this.#receive(events, upTo),
        progress: upTo => this.#inOrder(undefined, () => this.#reached(upTo)),
        end: error => this.#ended(error),
      },
    )
    if (this.#waiting.length > 0) this.#watch.requestProgress()
  }

  async #fill(cache: WatchCache): Promise<void> {
    const { store, codec } = this.#options
    const meanwhile: WatchEvent[] = []
    this.#filling.set(cache, meanwhile)
    try {
      const { kvs, revision, corruptKeys = [] } = await store.range({ ...prefix(cache.prefix), withoutCorrupt: true })
      this.#reportDamaged(corruptKeys)
      await Promise.all(kvs.flatMap(kv => codec.prepare(cache.kind, kv) ?? []))
      await this.reached(revision)
      this.#loadCache(cache, kvs, revision)
      for (const event of meanwhile) if (event.kv.modRevision > revision) this.#applyTo(cache, event)
      cache.advance(this.#revision)
    } finally {
      this.#filling.delete(cache)
    }
  }

  #loadCache(cache: WatchCache, kvs: readonly KeyValue[], revision: number): void {
    const objects: [string, ApiObject][] = []
    const unreadable: [string, string][] = []
    for (const kv of kvs) {
      const key = kv.key.slice(cache.prefix.length)
      const { object, why } = this.#objectOf(cache, kv)
      if (object) objects.push([key, object])
      else unreadable.push([key, why])
    }
    cache.load(objects, revision)
    for (const [key, why] of unreadable) cache.markUnreadable(key, why)
  }

  /** A damaged object is not served, and does not keep the others from being served. */
  #reportDamaged(keys: readonly string[]): void {
    for (const key of keys) this.#options.log.error('a stored object is damaged and not served', { key })
  }

  #receive(events: readonly WatchEvent[], revision: number): void {
    let pending: Promise<void>[] | undefined
    for (const { type, kv } of events) {
      const cache = type === 'put' ? this.#cacheFor(kv.key) : undefined
      const fetching = cache && this.#options.codec.prepare(cache.kind, kv)
      if (fetching) pending = [...(pending ?? []), fetching]
    }
    this.#inOrder(pending && Promise.all(pending), () => this.#apply(events, revision))
  }

  /** Acts at once, if nothing is to be waited for. */
  #inOrder(pending: Promise<unknown> | undefined, act: () => void): void {
    if (!pending && !this.#behind) {
      act()
      return
    }
    const load = this.#loads
    const mine: Promise<void> = Promise.all([this.#behind, pending]).then(() => {
      if (this.#behind === mine) this.#behind = undefined
      if (load === this.#loads && !this.#stopped) act()
    })
    this.#behind = mine
  }

  #apply(events: readonly WatchEvent[], revision: number): void {
    for (const event of events) {
      const cache = this.#cacheFor(event.kv.key)
      if (!cache) continue
      const meanwhile = this.#filling.get(cache)
      if (meanwhile) meanwhile.push(event)
      else this.#applyTo(cache, event)
    }
    this.#reached(revision)
  }

  #applyTo(cache: WatchCache, { type, kv }: WatchEvent): void {
    const key = kv.key.slice(cache.prefix.length)
    const { object, why } = type === 'put' ? this.#objectOf(cache, kv) : DELETED
    if (why === undefined) {
      cache.apply(key, object, kv.modRevision)
      return
    }
    cache.markUnreadable(key, why)
    cache.close(unreadable([[kv.key, why]]))
  }

  #reached(revision: number): void {
    if (revision <= this.#revision) return
    this.#revision = revision
    this.#options.onRevision?.(revision)
    for (const cache of this.#caches.values()) cache.advance(revision)
    this.#release()
  }

  /** Tells those who wait for a revision that the caches show by now. */
  #release(): void {
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter(waiter => waiter.revision <= this.#revision)
    this.#waiting = this.#waiting.filter(waiter => waiter.revision > this.#revision)
    for (const { resolve } of ready) resolve()
  }

  #ended(error: Error): void {
    if (this.#stopped || error instanceof ClosedError) return
    const { log, clock } = this.#options
    log.warn('the watch of the store ended; reading everything again', { error: error.message })
    const again = () => {
      this.#load().catch((failure: unknown) => {
        if (this.#stopped) return
        log.warn('the store cannot be read; trying again', { error: String(failure), delayMs: RELOAD_DELAY_MS })
        this.#reload = clock.after(RELOAD_DELAY_MS, again)
      })
    }
    again()
  }

  #cacheFor(key: string): WatchCache | undefined {
    const first = key.indexOf('/', REGISTRY.length)
    if (first < 0) return undefined
    const second = key.indexOf('/', first + 1)
    const long = second < 0 ? undefined : this.#caches.get(key.slice(REGISTRY.length, second))
    return long ?? this.#caches.get(key.slice(REGISTRY.length, first))
  }

  #objectOf(
    cache: WatchCache,
    kv: KeyValue,
  ): { readonly object: ApiObject; readonly why?: never } | { readonly object?: never; readonly why: string } {
    try {
      return { object: this.#options.codec.decode(cache.kind, kv) }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#options.log.error('a stored object cannot be read and is not served', { key: kv.key, error: why })
      return { why }
    }
  }

  /** A cache that differs from the store is an error of ours: it is told, and everything is read again. */
  #scheduleCheck(): void {
    if (this.#stopped) return
    this.#checks = this.#options.clock.after(CHECK_PERIOD_MS, () => {
      this.checkConsistency()
        .catch((error: unknown) => {
          if (this.#stopped || !(error instanceof InconsistentCacheError)) return
          this.#options.log.error(error.message)
          this.#watch?.[Symbol.dispose]()
          this.#ended(error)
        })
        .finally(() => this.#scheduleCheck())
    })
  }

  #scheduleBookmarks(): void {
    if (this.#stopped) return
    this.#bookmarks = this.#options.clock.after(BOOKMARK_PERIOD_MS, () => {
      for (const cache of this.#caches.values()) {
        cache.forgetOld()
        if (cache.watcherCount > 0) cache.sendBookmarks()
      }
      this.#scheduleBookmarks()
    })
  }
}
