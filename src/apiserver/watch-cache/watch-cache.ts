import { PersistentMap } from '#base/collections/persistent-map.ts'
import { RecentMap } from '#base/collections/recent-map.ts'
import { shareParts } from '#base/collections/share-parts.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { expired } from '#machinery/status/failures.ts'
import type { CacheEvent, Change } from './change.ts'
import { FieldIndex } from './field-index.ts'
import { defaultHistoryLimits, History, type HistoryLimits } from './history.ts'
import { LabelIndex } from './label-index.ts'
import { isSelected, isSelective, type Selection } from './selection.ts'
import { atRevision, type CacheSink, Watcher } from './watcher.ts'
import { Watchers } from './watchers.ts'

/** All objects as of one revision, ordered by key. */
export interface Snapshot {
  readonly objects: PersistentMap<ApiObject>
  readonly revision: number
}

/** So many families of objects are remembered that have parts in common. */
const FAMILIES = 256

/** Of fewer objects each is looked at. */
const WORTH_AN_INDEX = 64

/** How a watch begins. */
export interface CacheWatchOptions {
  readonly selection: Selection
  /** Events after this revision; undefined: first the present objects as ADDED. */
  readonly since: number | undefined
  /** Closes the present objects with a bookmark annotated `k8s.io/initial-events-end`. */
  readonly marksInitialEnd: boolean
  readonly wantsBookmarks: boolean
}

/**
 * All objects of one stored kind in memory, their recent past, and who watches them. Fed with every change in the order of revisions; what
 * it hands out is deeply read-only. The rules it keeps are in RULES.md.
 */
export class WatchCache {
  kind: AnyKind
  /** Storage keys begin with this: `/registry/pods/`. */
  readonly prefix: string
  readonly #limits: HistoryLimits
  readonly #now: () => number
  readonly #schedule: (flush: () => void) => void
  #byKey = new Map<string, ApiObject>()
  #objects = PersistentMap.empty<ApiObject>()
  #history: History
  #revision = 0
  #loaded = false
  #watchers: Watchers
  #fieldIndex: FieldIndex
  readonly #labelIndex = new LabelIndex()
  readonly #unreadable = new Map<string, string>()
  #dirty: Watcher[] = []
  /** The newest object of each family. */
  readonly #newest = new RecentMap<string, ApiObject>(FAMILIES)

  constructor(
    kind: AnyKind,
    prefix: string,
    options: { now: () => number; schedule: (flush: () => void) => void; limits?: HistoryLimits },
  ) {
    this.kind = kind
    this.prefix = prefix
    this.#now = options.now
    this.#schedule = options.schedule
    this.#limits = options.limits ?? defaultHistoryLimits
    this.#history = new History(0, this.#objects, this.#limits)
    this.#watchers = new Watchers(kind)
    this.#fieldIndex = new FieldIndex(kind)
  }

  /** The newest revision that the cache is known to show. */
  get revision(): number {
    return this.#revision
  }

  get size(): number {
    return this.#byKey.size
  }

  get watcherCount(): number {
    return this.#watchers.size
  }

  /** Whether it has been filled. */
  get isLoaded(): boolean {
    return this.#loaded
  }

  /** Shows exactly `objects`, as of `revision`. A cache that was filled before forgets its past: watches are ended and start over. */
  load(objects: Iterable<readonly [string, ApiObject]>, revision: number): void {
    this.#byKey = new Map(objects)
    this.#objects = PersistentMap.empty()
    this.#fieldIndex.clear()
    this.#labelIndex.clear()
    this.#unreadable.clear()
    for (const [key, object] of this.#byKey) {
      this.#share(object, undefined)
      this.#objects = this.#objects.set(key, object)
      this.#fieldIndex.replace(key, undefined, object)
    }
    this.#history = new History(revision, this.#objects, this.#limits)
    this.#revision = revision
    this.#loaded = true
    for (const watcher of this.#watchers) {
      watcher.end(tooOld(0, revision))
      this.#touch(watcher)
    }
  }

  /** Takes over a change; `object` undefined is a delete. Changes at or before the present revision are known already. */
  apply(key: string, object: ApiObject | undefined, revision: number): void {
    if (!this.#loaded) return
    const old = this.#byKey.get(key)
    if (this.#unreadable.size > 0) this.#unreadable.delete(key)
    if (object) {
      this.#share(object, old)
      this.#byKey.set(key, object)
      this.#objects = this.#objects.set(key, object)
    } else {
      if (!old) return
      this.#byKey.delete(key)
      this.#objects = this.#objects.delete(key)
    }
    this.#fieldIndex.replace(key, old, object)
    this.#labelIndex.replace(key, old, object)
    this.#revision = revision
    const change: Change = { revision, key, old, object: object ?? atRevision(old!, revision), isDelete: object === undefined }
    this.#history.add(change, this.#now(), this.#objects)
    this.#watchers.concerned(change, watcher => {
      watcher.offer(change)
      this.#touch(watcher)
    })
  }

  /** Everything up to `revision` has been applied. */
  advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision
  }

  /** Keys (behind the prefix) whose values cannot be read, and why. */
  get unreadable(): ReadonlyMap<string, string> {
    return this.#unreadable
  }

  /** A value that cannot be read: it is not served, and whoever watches has to read anew, and is then told. */
  markUnreadable(key: string, why: string): void {
    this.#unreadable.set(key, why)
    const old = this.#byKey.get(key)
    if (!old) return
    this.#byKey.delete(key)
    this.#objects = this.#objects.delete(key)
    this.#fieldIndex.replace(key, old, undefined)
    this.#labelIndex.replace(key, old, undefined)
  }

  /** The object under `key` (behind the prefix), or undefined. */
  get(key: string): ApiObject | undefined {
    return this.#byKey.get(key)
  }

  /** All objects now. */
  snapshot(): Snapshot {
    return { objects: this.#objects, revision: this.#revision }
  }

  /** All objects as of `revision`, if that is still remembered. */
  snapshotAt(revision: number): Snapshot | undefined {
    const objects = this.#history.at(revision)
    return objects && { objects, revision }
  }

  /** The selected objects now, in the order of their keys. */
  select(selection: Selection): ApiObject[] {
    const keys = isSelective(selection) ? this.#candidates(selection) : undefined
    if (!keys) return selectFrom(this.kind, this.#objects, selection)
    const selected: ApiObject[] = []
    for (const key of keys) {
      const object = this.#byKey.get(key)!
      if (isIn(object, selection.namespace) && isSelected(this.kind, object, selection)) selected.push(object)
    }
    return selected
  }

  /** The keys of few objects among which all selected ones are, in order; undefined where no index knows better than to look at all. */
  #candidates(selection: Selection): readonly string[] | undefined {
    const all = this.#objects.count(...boundsOf(selection.namespace))
    if (all < WORTH_AN_INDEX) return undefined
    const limit = all >> 1
    return this.#fieldIndex.candidates(selection, limit) ?? this.#labelIndex.candidates(selection, limit, this.#byKey)
  }

  /** Starts a watch; dispose to end it in silence. */
  watch(options: CacheWatchOptions, sink: CacheSink): Disposable {
    const { selection, since, marksInitialEnd, wantsBookmarks } = options
    const after = Math.max(this.#revision, since ?? 0)
    const watcher = new Watcher(this.kind, selection, sink, { wantsBookmarks, after: since ?? this.#revision })
    if (since === undefined) {
      for (const object of this.select(selection)) {
        watcher.push({ type: 'ADDED', object, revision: this.#revision })
      }
      if (marksInitialEnd) watcher.push(this.#bookmark(after, true))
    } else {
      const changes = this.#history.since(since)
      if (!changes) watcher.end(tooOld(since, this.#history.start))
      for (const change of changes ?? []) {
        if (isIn(change.object, selection.namespace)) watcher.offer(change)
      }
    }
    this.#watchers.add(watcher)
    this.#touch(watcher)
    return {
      [Symbol.dispose]: () => {
        watcher.abandon()
        this.#watchers.delete(watcher)
      },
    }
  }

  /** Tells every watcher that wants to know how far the cache is. */
  sendBookmarks(): void {
    for (const watcher of this.#watchers) {
      if (!watcher.wantsBookmarks) continue
      watcher.push(this.#bookmark(this.#revision, false))
      this.#touch(watcher)
    }
  }

  /** Forgets changes that are older than is kept: where nothing happens, nothing else would. */
  forgetOld(): void {
    this.#history.forget(this.#now())
  }

  /** A bookmark that says how far the cache is: for a watch that ends in good order. */
  bookmark(): CacheEvent {
    return this.#bookmark(this.#revision, false)
  }

  /** Ends every watch. */
  close(error: Error | undefined): void {
    for (const watcher of this.#watchers) {
      watcher.end(error)
      this.#touch(watcher)
    }
  }

  /** From now on the objects are of another form of the kind: every watch ends, those that come select by the new one. */
  renew(kind: AnyKind): void {
    this.close(undefined)
    this.#flush()
    this.kind = kind
    this.#watchers = new Watchers(kind)
    this.#fieldIndex = new FieldIndex(kind)
    for (const [key, object] of this.#byKey) this.#fieldIndex.replace(key, undefined, object)
  }

  /** Has `object` share with its version before, and with those that are likely to be of one template with it, what they have in common. */
  #share(object: ApiObject, old: ApiObject | undefined): void {
    if (old) shareParts(object, old)
    const { namespace = '', ownerReferences } = object.metadata
    const family = ownerReferences?.[0]?.uid ?? namespace
    const sibling = this.#newest.get(family)
    if (sibling && sibling !== old) shareParts(object, sibling)
    this.#newest.set(family, object)
  }

  #bookmark(revision: number, isInitialEnd: boolean): CacheEvent {
    const annotations = isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
    const { kind, apiVersion, schema } = this.kind
    const zero = decode<unknown>(schema, { kind, apiVersion }, { defaults: false, unknown: [] }) as ApiObject
    const object = { ...zero, metadata: { resourceVersion: String(revision), ...annotations } }
    return { type: 'BOOKMARK', object, revision }
  }

  #touch(watcher: Watcher): void {
    if (watcher.isScheduled) return
    watcher.isScheduled = true
    this.#dirty.push(watcher)
    if (this.#dirty.length === 1) this.#schedule(() => this.#flush())
  }

  #flush(): void {
    const dirty = this.#dirty
    this.#dirty = []
    for (const watcher of dirty) if (!watcher.flush()) this.#watchers.delete(watcher)
  }
}

/** The selected objects of a snapshot, in the order of their keys. */
export function selectFrom(kind: AnyKind, objects: PersistentMap<ApiObject>, selection: Selection): ApiObject[] {
  const [from, end] = boundsOf(selection.namespace)
  if (!isSelective(selection)) return objects.values(from, end)
  const selected: ApiObject[] = []
  objects.visit(
    object => {
      if (isSelected(kind, object, selection)) selected.push(object)
    },
    from,
    end,
  )
  return selected
}

/** The keys of a namespace: from (inclusive) and end (exclusive). */
export function boundsOf(namespace: string): readonly [string, string | undefined] {
  return namespace === '' ? ['', undefined] : [`${namespace}/`, `${namespace}0`]
}

function isIn(object: ApiObject, namespace: string): boolean {
  return namespace === '' || object.metadata.namespace === namespace
}

function tooOld(asked: number, oldest: number): Error {
  return expired(`too old resource version: ${asked} (${oldest})`)
}
