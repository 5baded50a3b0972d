import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'
import type { Client, WatchEvent } from '../client.ts'
import type { ChangeHandler, Informer, InformerOptions, Informers } from './informer.ts'

/** What informers need of the world. */
export interface InformerContext {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
}

/** Informers over `client`. Disposing them ends every watch. */
export function informers(context: InformerContext): Informers {
  const shared = new Map<AnyKind, { informer: Informer; stop: () => void }>()
  const started = new Set<Informer>()
  const loops = new Map<AbortController, Promise<void>>()
  const start = (kind: AnyKind, options: InformerOptions<ApiObject>) => {
    const informer = new Cache(kind, options)
    const own = new AbortController()
    const stop = () => own.abort(new Error(`the informer of ${kind.kind} was stopped`))
    started.add(informer)
    loops.set(own, reflect(context, informer, options, own.signal))
    return { informer, stop }
  }
  return {
    of<K extends AnyKind>(kind: K) {
      let entry = shared.get(kind)
      if (!entry) {
        entry = start(kind, {})
        shared.set(kind, entry)
      }
      return entry.informer as unknown as Informer<ObjectOf<K>>
    },
    forget(kind) {
      const entry = shared.get(kind)
      if (!entry) return
      shared.delete(kind)
      started.delete(entry.informer)
      entry.stop()
    },
    only<K extends AnyKind>(kind: K, options: InformerOptions<ObjectOf<K>>) {
      return start(kind, options as InformerOptions<ApiObject>).informer as unknown as Informer<ObjectOf<K>>
    },
    async synced(signal) {
      await orAborted(Promise.all([...started].map(informer => informer.synced())), signal)
    },
    async [Symbol.asyncDispose]() {
      for (const own of loops.keys()) own.abort(new Error('the informers were stopped'))
      await Promise.all(loops.values())
    },
  }
}

/** What `work` resolves to, unless `signal` aborts first: one listener, however much there is to wait for. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  signal.throwIfAborted()
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

const RETRY_FIRST_MS = 100
const RETRY_LIMIT_MS = 10_000

/** Lists and watches until aborted: the revision goes on where a watch ended cleanly; after an error it lists again. */
async function reflect(context: InformerContext, cache: Cache, options: InformerOptions<ApiObject>, signal: AbortSignal): Promise<void> {
  const { client, clock, log } = context
  const { namespace, labelSelector, fieldSelector } = options
  const scope = { namespace, labelSelector, fieldSelector }
  let resourceVersion: string | undefined
  let delayMs = RETRY_FIRST_MS
  while (!signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        const page = await client.list(cache.kind, { ...scope, signal })
        cache.replace(page.items as readonly ApiObject[], Number(page.metadata.resourceVersion ?? '0'))
        resourceVersion = page.metadata.resourceVersion ?? ''
        delayMs = RETRY_FIRST_MS
      }
      const last = await follow(client, cache, { ...scope, resourceVersion, allowBookmarks: true }, signal)
      const progressed = last !== resourceVersion
      resourceVersion = last
      if (progressed) {
        delayMs = RETRY_FIRST_MS
        continue
      }
    } catch (error) {
      if (signal.aborted) return
      if (resourceVersion !== undefined && isUnavailable(error)) resourceVersion = String(cache.revision())
      else resourceVersion = undefined
      if (!isExpired(error)) log.verbose('an informer lists again', { kind: cache.kind.kind, error, delayMs })
    }
    await sleep(clock, delayMs, signal).catch(() => undefined)
    delayMs = Math.min(2 * delayMs, RETRY_LIMIT_MS)
  }
}

/** Feeds `cache` from a watch until it ends; resolves to the last revision seen, rejects with the error that ended it. */
function follow(client: Client, cache: Cache, options: Parameters<Client['watch']>[1], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let last = options.resourceVersion ?? ''
    const watch = client.watch<AnyKind>(cache.kind, options, {
      event(event: WatchEvent<ApiObject>) {
        last = event.object.metadata.resourceVersion ?? last
        cache.apply(event)
      },
      closed(error) {
        signal.removeEventListener('abort', abort)
        if (error) reject(error)
        else resolve(last)
      },
    })
    const abort = () => {
      watch[Symbol.dispose]()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
}

const codeOf = (error: unknown) => (error as { code?: unknown } | undefined)?.code
const isExpired = (error: unknown) => codeOf(error) === 410
/** A broken connection says nothing about the revision: the watch may go on where it was. */
const isUnavailable = (error: unknown) => typeof codeOf(error) !== 'number' || codeOf(error) === 503 || codeOf(error) === 429

/** Under what the objects are filed. Their own keys stand there: a change that files an object as before, as most do, costs nothing. */
interface Index {
  readonly keysOf: (object: ApiObject) => readonly string[]
  readonly entries: Map<string, Set<string>>
}

/** Someone who waits for the cache to show a revision. */
interface Waiter {
  readonly revision: number
  done(): void
}

/** The objects of one informer, by namespace and name, and by its indexes. */
class Cache implements Informer<ApiObject> {
  readonly kind: AnyKind
  readonly #objects = new Map<string, ApiObject>()
  readonly #indexes = new Map<string, Index>()
  readonly #handlers = new Set<ChangeHandler<ApiObject>>()
  readonly #waiting = new Set<() => void>()
  readonly #behind: Waiter[] = []
  readonly #keyHandlers = new Map<string, Set<ChangeHandler<ApiObject>>>()
  #synced = false
  #revision = 0

  constructor(kind: AnyKind, options: InformerOptions<ApiObject>) {
    this.kind = kind
    this.addIndex('namespace', object => [object.metadata.namespace ?? ''])
    for (const [name, keysOf] of Object.entries(options.indexes ?? {})) this.addIndex(name, keysOf)
  }

  get(namespace: string, name: string): ApiObject | undefined {
    return this.#objects.get(`${namespace}/${name}`)
  }

  list(namespace?: string): readonly ApiObject[] {
    return namespace === undefined || namespace === '' ? [...this.#objects.values()] : this.byIndex('namespace', namespace)
  }

  byIndex(index: string, key: string): readonly ApiObject[] {
    const found = this.#indexes.get(index)
    if (!found) throw new Error(`the informer of ${this.kind.kind} has no index ${index}: add it with addIndex`)
    const keys = found.entries.get(key)
    if (!keys) return NOTHING
    const objects: ApiObject[] = []
    for (const objectKey of keys) objects.push(this.#objects.get(objectKey)!)
    return objects
  }

  addIndex(name: string, keysOf: (object: ApiObject) => readonly string[]): void {
    if (this.#indexes.has(name)) return
    const index: Index = { keysOf, entries: new Map() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) refile(index, key, undefined, object)
  }

  onChange(handler: ChangeHandler<ApiObject>): Disposable {
    this.#handlers.add(handler)
    for (const object of [...this.#objects.values()]) handler(object, undefined)
    return { [Symbol.dispose]: () => this.#handlers.delete(handler) }
  }

  watchKey(namespace: string, name: string, handler: ChangeHandler<ApiObject>): Disposable {
    const key = `${namespace}/${name}`
    const handlers = this.#keyHandlers.get(key) ?? new Set()
    this.#keyHandlers.set(key, handlers.add(handler))
    return {
      [Symbol.dispose]: () => {
        handlers.delete(handler)
        if (handlers.size === 0 && this.#keyHandlers.get(key) === handlers) this.#keyHandlers.delete(key)
      },
    }
  }

  hasSynced(): boolean {
    return this.#synced
  }

  synced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(done)
        reject(signal!.reason)
      }
      const done = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.add(done)
    })
  }

  revision(): number {
    return this.#revision
  }

  reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.#synced && !(this.#revision < revision)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        revision,
        done() {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      const abort = () => {
        const index = this.#behind.indexOf(waiter)
        if (index >= 0) this.#behind.splice(index, 1)
        reject(signal!.reason)
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#wait(waiter)
    })
  }

  /** Waiters stand in the order of their revisions, which is the order in which they mostly come. */
  #wait(waiter: Waiter): void {
    let index = this.#behind.length
    while (index > 0 && this.#behind[index - 1]!.revision > waiter.revision) index--
    this.#behind.splice(index, 0, waiter)
  }

  #arrived(): void {
    let count = 0
    while (count < this.#behind.length && this.#behind[count]!.revision <= this.#revision) count++
    if (count > 0) for (const waiter of this.#behind.splice(0, count)) waiter.done()
  }

  /** Makes the cache show exactly `objects`, telling handlers the difference. */
  replace(objects: readonly ApiObject[], revision: number): void {
    const present = new Set<string>()
    this.#revision = revision
    for (const object of objects) {
      const key = keyOf(object)
      present.add(key)
      const old = this.#objects.get(key)
      if (!old || old.metadata.resourceVersion !== object.metadata.resourceVersion || old.metadata.uid !== object.metadata.uid)
        this.#put(key, object)
    }
    for (const key of [...this.#objects.keys()]) if (!present.has(key)) this.#remove(key)
    this.#synced = true
    for (const done of this.#waiting) done()
    this.#waiting.clear()
    this.#arrived()
  }

  apply(event: WatchEvent<ApiObject>): void {
    const revision = Number(event.object.metadata.resourceVersion)
    if (revision > this.#revision) this.#revision = revision
    if (event.type === 'DELETED') this.#remove(keyOf(event.object))
    else if (event.type !== 'BOOKMARK') this.#put(keyOf(event.object), event.object)
    this.#arrived()
  }

  #put(key: string, object: ApiObject): void {
    const old = this.#objects.get(key)
    this.#objects.set(key, object)
    for (const index of this.#indexes.values()) refile(index, key, old, object)
    this.#tell(key, object, old)
  }

  #remove(key: string): void {
    const old = this.#objects.get(key)
    if (!old) return
    this.#objects.delete(key)
    for (const index of this.#indexes.values()) refile(index, key, old, undefined)
    this.#tell(key, undefined, old)
  }

  #tell(key: string, object: ApiObject | undefined, old: ApiObject | undefined): void {
    for (const handler of this.#handlers) handler(object, old)
    const handlers = this.#keyHandlers.get(key)
    if (handlers) for (const handler of handlers) handler(object, old)
  }
}

// Hot: bench/loops — asked of every index for every change.
function refile(index: Index, key: string, old: ApiObject | undefined, now: ApiObject | undefined): void {
  const before = old ? index.keysOf(old) : NOWHERE
  const after = now ? index.keysOf(now) : NOWHERE
  if (isSame(before, after)) return
  for (const entry of before) {
    const keys = index.entries.get(entry)
    keys?.delete(key)
    if (keys?.size === 0) index.entries.delete(entry)
  }
  for (const entry of after) {
    const keys = index.entries.get(entry)
    if (keys) keys.add(key)
    else index.entries.set(entry, new Set([key]))
  }
}

const NOWHERE: readonly string[] = []
const NOTHING: readonly ApiObject[] = []

function isSame(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false
  return true
}

function keyOf(object: ApiObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}
