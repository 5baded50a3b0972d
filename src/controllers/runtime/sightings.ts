import type { Clock } from '#base/time/clock.ts'
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
  /** The newest revision of a write, by kind and namespace. */
  readonly #written = new Map<string, Place & { revision: number }>()
  readonly #deleted: (Place & { readonly object: ApiObject })[] = []
  readonly #doubts = new Map<string, Place>()

  constructor(cacheOf: (kind: AnyKind) => Informer | undefined, client: Client, clock: Clock) {
    this.#cacheOf = cacheOf
    this.#client = client
    this.#clock = clock
  }

  /** Whether nothing is outstanding. */
  get isClear(): boolean {
    return this.#written.size === 0 && this.#deleted.length === 0 && this.#doubts.size === 0
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
      delete: (kind, name, options) => this.#deletes(kind, name, client.delete(kind, name, options)),
    }
  }

  /** Resolves once the caches show all writes, or once the deadline has made a doubt of those they do not. */
  async seen(signal: AbortSignal): Promise<void> {
    const written = [...this.#written.values()]
    const deleted = this.#deleted.splice(0)
    this.#written.clear()
    const ended = new AbortController()
    const end = () => ended.abort(signal.reason ?? new Error('the cache is behind'))
    using _deadline = this.#clock.after(DEADLINE_MS, end)
    signal.addEventListener('abort', end, { once: true })
    const waits = [
      ...written.map(place => ({ place, seen: this.#cacheOf(place.kind)!.reached(place.revision, ended.signal) })),
      ...(deleted.length === 0 ? [] : [{ place: deleted, seen: this.#gone(deleted, ended.signal) }]),
    ]
    const results = await Promise.allSettled(waits.map(({ seen }) => seen))
    signal.removeEventListener('abort', end)
    results.forEach((result, index) => {
      if (result.status === 'rejected') for (const place of [waits[index]!.place].flat()) this.#doubt(place)
    })
  }

  /** Resolves doubts: lists once, consistently, and waits until the cache shows what the list did. Rejects if it does not in time. */
  async resolveDoubts(signal: AbortSignal): Promise<void> {
    if (this.#doubts.size === 0) return
    for (const [id, place] of [...this.#doubts]) {
      const cache = this.#cacheOf(place.kind)
      if (cache) {
        const page = await this.#client.list(place.kind, { namespace: place.namespace })
        const items = page.items as readonly ApiObject[]
        for (const item of items) this.#note(place, item)
        const present = new Set(items.map(item => item.metadata.uid))
        for (const object of cache.list(place.namespace)) if (!present.has(object.metadata.uid)) this.#deleted.push({ ...place, object })
      }
      this.#doubts.delete(id)
    }
    await this.seen(signal)
    if (this.#doubts.size > 0) throw new Error('the cache is behind the API server: the key is tried again later')
  }

  async #wrote<T>(kind: AnyKind, namespace: string, writing: Promise<T>): Promise<T> {
    const place = { kind, namespace }
    try {
      const object = await writing
      this.#note(place, object)
      return object
    } catch (error) {
      this.#failed(place, error)
      throw error
    }
  }

  async #deletes<T>(kind: AnyKind, target: ObjectName, deleting: Promise<T>): Promise<T> {
    const { namespace, name } = nameOf(target)
    const place = { kind, namespace }
    try {
      const result = await deleting
      const object = this.#cacheOf(kind)?.get(namespace, name)
      if (object && !object.metadata.deletionTimestamp) this.#deleted.push({ ...place, object })
      return result
    } catch (error) {
      this.#failed(place, error)
      throw error
    }
  }

  /** Notes a revision that the cache has yet to show. */
  #note(place: Place, object: unknown): void {
    const cache = this.#cacheOf(place.kind)
    const revision = Number((object as Partial<ApiObject> | undefined)?.metadata?.resourceVersion)
    if (!cache || !(revision > cache.revision())) return
    const id = idOf(place)
    const former = this.#written.get(id)
    this.#written.set(id, { ...place, revision: Math.max(revision, former?.revision ?? 0) })
  }

  /** Resolves once the caches show all these objects as gone or being deleted. */
  #gone(objects: readonly (Place & { readonly object: ApiObject })[], signal: AbortSignal): Promise<void> {
    const left = new Set(objects)
    const watches: Disposable[] = []
    return new Promise<void>((resolve, reject) => {
      const check = (one: Place & { readonly object: ApiObject }) => {
        const { namespace = '', name = '', uid } = one.object.metadata
        const now = this.#cacheOf(one.kind)!.get(namespace, name)
        if (now?.metadata.uid === uid && now?.metadata.deletionTimestamp === undefined) return
        left.delete(one)
        if (left.size === 0) resolve()
      }
      for (const one of objects) {
        const { namespace = '', name = '' } = one.object.metadata
        watches.push(this.#cacheOf(one.kind)!.watchKey(namespace, name, () => check(one)))
        check(one)
      }
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    }).finally(() => {
      for (const watch of watches) watch[Symbol.dispose]()
    })
  }

  /** A refusal is an outcome; anything else may have happened. */
  #failed(place: Place, error: unknown): void {
    const code = statusErrorOf(error)?.code
    if (code === undefined || code >= 500) this.#doubt(place)
  }

  #doubt({ kind, namespace }: Place): void {
    this.#doubts.set(idOf({ kind, namespace }), { kind, namespace })
  }
}

/** Where something was written. */
interface Place {
  readonly kind: AnyKind
  readonly namespace: string
}

const idOf = ({ kind, namespace }: Place) => `${kind.group}/${kind.plural}/${namespace}`

function namespaceOf(object: unknown): string {
  return (object as Partial<ApiObject>).metadata?.namespace ?? ''
}
