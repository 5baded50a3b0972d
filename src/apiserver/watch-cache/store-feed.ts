import type { Logger } from '#base/log/logger.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { type KeyValue, prefix, type Store, type Watch, type WatchEvent } from '#store/store.ts'
import { ClosedError } from '#store/store-errors.ts'
import { adopt } from './stored-form.ts'
import { WatchCache } from './watch-cache.ts'

/** Every key of Kubernetes begins with this. */
export const REGISTRY = '/registry/'

const RELOAD_DELAY_MS = 1000
const BOOKMARK_PERIOD_MS = 60_000

export interface StoreFeedOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Reads stored bytes. */
  parse(value: Uint8Array, kind: AnyKind): unknown
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
  #waiting: { readonly revision: number; resolve(): void }[] = []
  #sharedRead: Promise<number> | undefined
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
  }

  stop(): void {
    this.#stopped = true
    this.#watch?.[Symbol.dispose]()
    this.#reload?.cancel()
    this.#bookmarks?.cancel()
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
    const byCache = new Map<WatchCache, [string, ApiObject][]>()
    for (const cache of this.#caches.values()) byCache.set(cache, [])
    for (const kv of kvs) {
      const cache = this.#cacheFor(kv.key)
      const object = cache && this.#objectOf(cache, kv)
      if (object) byCache.get(cache)?.push([kv.key.slice(cache.prefix.length), object])
    }
    for (const [cache, objects] of byCache) cache.load(objects, revision)
    this.#revision = revision
    if (this.#stopped) return
    this.#watch = store.watch(
      { ...prefix(REGISTRY), revision: revision + 1 },
      {
        events: (events, upTo) => this.#apply(events, upTo),
        progress: upTo => this.#reached(upTo),
        end: error => this.#ended(error),
      },
    )
  }

  async #fill(cache: WatchCache): Promise<void> {
    const { store } = this.#options
    const { kvs, revision, corruptKeys = [] } = await store.range({ ...prefix(cache.prefix), withoutCorrupt: true })
    this.#reportDamaged(corruptKeys)
    await this.reached(revision)
    const objects: [string, ApiObject][] = []
    for (const kv of kvs) {
      const object = this.#objectOf(cache, kv)
      if (object) objects.push([kv.key.slice(cache.prefix.length), object])
    }
    if (this.#revision === revision) return cache.load(objects, revision)
    const again = await store.range({ ...prefix(cache.prefix), revision: this.#revision, withoutCorrupt: true })
    const fresh = again.kvs.map(kv => [kv.key.slice(cache.prefix.length), this.#objectOf(cache, kv)] as const)
    cache.load(
      fresh.filter((entry): entry is readonly [string, ApiObject] => entry[1] !== undefined),
      this.#revision,
    )
  }

  /** A damaged object is not served, and does not keep the others from being served. */
  #reportDamaged(keys: readonly string[]): void {
    for (const key of keys) this.#options.log.error('a stored object is damaged and not served', { key })
  }

  #apply(events: readonly WatchEvent[], revision: number): void {
    for (const { type, kv } of events) {
      const cache = this.#cacheFor(kv.key)
      if (!cache) continue
      const object = type === 'put' ? this.#objectOf(cache, kv) : undefined
      if (type === 'put' && !object) continue
      cache.apply(kv.key.slice(cache.prefix.length), object, kv.modRevision)
    }
    this.#reached(revision)
  }

  #reached(revision: number): void {
    if (revision <= this.#revision) return
    this.#revision = revision
    this.#options.onRevision?.(revision)
    for (const cache of this.#caches.values()) cache.advance(revision)
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter(waiter => waiter.revision <= revision)
    this.#waiting = this.#waiting.filter(waiter => waiter.revision > revision)
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

  #objectOf(cache: WatchCache, kv: KeyValue): ApiObject | undefined {
    try {
      return adopt(kv.value, kv.modRevision, value => this.#options.parse(value, cache.kind))
    } catch (error) {
      this.#options.log.error('a stored object cannot be read and is not served', { key: kv.key, error: String(error) })
      return undefined
    }
  }

  #scheduleBookmarks(): void {
    if (this.#stopped) return
    this.#bookmarks = this.#options.clock.after(BOOKMARK_PERIOD_MS, () => {
      for (const cache of this.#caches.values()) if (cache.watcherCount > 0) cache.sendBookmarks()
      this.#scheduleBookmarks()
    })
  }
}
