import { type Clock, sleep } from '#base/time/clock.ts'
import { type Client, nameOf, type ObjectName } from '#client/client.ts'
import type { Informer } from '#client/informers/informer.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { statusErrorOf } from '#machinery/status/status-error.ts'

/** How long a key waits for the cache to show its writes before it asks the server what there is. */
const DEADLINE_MS = 10_000

/**
 * The writes of one key that the caches have not shown yet. A controller plans again only when they have, so that it never acts twice on
 * what it has already done. A write whose outcome is unknown leaves a doubt, which one consistent list resolves.
 */
export class Sightings {
  readonly #cacheOf: (kind: AnyKind) => Informer | undefined
  readonly #client: Client
  readonly #clock: Clock
  #pending: { kind: AnyKind; namespace: string; seen: (signal: AbortSignal) => Promise<void> }[] = []
  readonly #doubts = new Map<string, { kind: AnyKind; namespace: string }>()

  constructor(cacheOf: (kind: AnyKind) => Informer | undefined, client: Client, clock: Clock) {
    this.#cacheOf = cacheOf
    this.#client = client
    this.#clock = clock
  }

  /** Whether nothing is outstanding. */
  get isClear(): boolean {
    return this.#pending.length === 0 && this.#doubts.size === 0
  }

  /** A client that notes down its writes here. */
  watching(): Client {
    const client = this.#client
    return {
      ...client,
      create: (kind, object, options) => this.#wrote(kind, namespaceOf(object), client.create(kind, object, options)),
      update: (kind, object, options) => this.#wrote(kind, namespaceOf(object), client.update(kind, object, options)),
      updateStatus: (kind, object, options) => this.#wrote(kind, namespaceOf(object), client.updateStatus(kind, object, options)),
      patch: (kind, name, patch, options) => this.#wrote(kind, nameOf(name).namespace, client.patch(kind, name, patch, options)),
      subresource: (kind, name, request) => this.#wrote(kind, nameOf(name).namespace, client.subresource(kind, name, request)),
      delete: (kind, name, options) => this.#deleted(kind, name, client.delete(kind, name, options)),
    }
  }

  /** Resolves once the caches show all writes, or once the deadline has made a doubt of those they do not. */
  async seen(signal: AbortSignal): Promise<void> {
    const pending = this.#pending.splice(0)
    if (pending.length === 0) return
    const ended = new AbortController()
    const abort = () => ended.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const deadline = sleep(this.#clock, DEADLINE_MS, ended.signal).then(() => ended.abort(new Error('the cache is behind')))
    deadline.catch(() => undefined)
    const results = await Promise.allSettled(pending.map(({ seen }) => seen(ended.signal)))
    ended.abort(new Error('all writes were seen'))
    signal.removeEventListener('abort', abort)
    results.forEach((result, index) => {
      if (result.status === 'rejected') this.#doubt(pending[index]!.kind, pending[index]!.namespace)
    })
  }

  /** Resolves doubts: lists once, consistently, and waits until the cache shows what the list did. Rejects if it does not in time. */
  async resolveDoubts(signal: AbortSignal): Promise<void> {
    for (const [id, { kind, namespace }] of [...this.#doubts]) {
      const cache = this.#cacheOf(kind)
      if (cache) {
        const page = await this.#client.list(kind, { namespace, signal })
        const items = page.items as readonly ApiObject[]
        const newest = items.reduce((revision, item) => Math.max(revision, Number(item.metadata.resourceVersion)), 0)
        this.#pending.push({ kind, namespace, seen: until => cache.reached(newest, until) })
        const present = new Set(items.map(item => item.metadata.uid))
        for (const cached of cache.list(namespace)) {
          if (!present.has(cached.metadata.uid)) this.#pending.push({ kind, namespace, seen: until => gone(cache, cached, until) })
        }
      }
      this.#doubts.delete(id)
    }
    await this.seen(signal)
    if (this.#doubts.size > 0) throw new Error('the cache is behind the API server: the key is tried again later')
  }

  async #wrote<T>(kind: AnyKind, namespace: string, writing: Promise<T>): Promise<T> {
    try {
      const object = await writing
      const cache = this.#cacheOf(kind)
      const revision = Number((object as Partial<ApiObject> | undefined)?.metadata?.resourceVersion)
      if (cache && revision > cache.revision()) this.#pending.push({ kind, namespace, seen: until => cache.reached(revision, until) })
      return object
    } catch (error) {
      this.#failed(kind, namespace, error)
      throw error
    }
  }

  async #deleted<T>(kind: AnyKind, target: ObjectName, deleting: Promise<T>): Promise<T> {
    const { namespace, name } = nameOf(target)
    try {
      const result = await deleting
      const cache = this.#cacheOf(kind)
      const cached = cache?.get(namespace, name)
      if (cache && cached && !cached.metadata.deletionTimestamp)
        this.#pending.push({ kind, namespace, seen: until => gone(cache, cached, until) })
      return result
    } catch (error) {
      this.#failed(kind, namespace, error)
      throw error
    }
  }

  /** A refusal is an outcome; anything else may have happened. */
  #failed(kind: AnyKind, namespace: string, error: unknown): void {
    const code = statusErrorOf(error)?.code
    if (code === undefined || code >= 500) this.#doubt(kind, namespace)
  }

  #doubt(kind: AnyKind, namespace: string): void {
    this.#doubts.set(`${kind.group}/${kind.plural}/${namespace}`, { kind, namespace })
  }
}

/** Resolves once the cache shows `object` as gone or being deleted. */
function gone(cache: Informer, object: ApiObject, signal: AbortSignal): Promise<void> {
  const { namespace = '', name = '', uid } = object.metadata
  const isGone = () => {
    const now = cache.get(namespace, name)
    return now?.metadata.uid !== uid || now?.metadata.deletionTimestamp !== undefined
  }
  if (isGone()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const watch = cache.watchKey(namespace, name, () => {
      if (!isGone()) return
      signal.removeEventListener('abort', abort)
      watch[Symbol.dispose]()
      resolve()
    })
    const abort = () => {
      watch[Symbol.dispose]()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
}

function namespaceOf(object: unknown): string {
  return (object as Partial<ApiObject>).metadata?.namespace ?? ''
}
