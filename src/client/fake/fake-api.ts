import type { Random } from '#base/random/random.ts'
import { seededRandom } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable, ObjectOf } from '#machinery/kind/kind.ts'
import { generateName } from '#machinery/meta/generate-name.ts'
import { decode } from '#machinery/schema/decode.ts'
import { FieldSelector, parseFieldSelector } from '#machinery/selectors/field-selector.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { parseLabelSelector } from '#machinery/selectors/parse-label-selector.ts'
import { alreadyExists, conflict, expired, forbidden, notFound, OBJECT_MODIFIED } from '#machinery/status/failures.ts'
import { timeOf } from '#machinery/time/time.ts'
import { type Client, type ListOf, nameOf, type Patch, type WatchEvent, type WatchSink } from '../client.ts'
import { applyPatch } from './apply-patch.ts'

/** A write that a {@link FakeApi} was asked for. */
export interface FakeWrite {
  readonly verb: 'create' | 'update' | 'updateStatus' | 'patch' | 'delete' | 'subresource'
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly body?: unknown
}

/** What a test may do to the writes of a {@link FakeApi}. Either function may throw: before, nothing happens; after, it has happened. */
export interface FakeFaults {
  before?(write: FakeWrite): void
  after?(write: FakeWrite): void
}

/** The answer of a subresource that a test defines: `(object, body) => answer`, keyed by `plural/subresource`. */
export type FakeSubresources = Readonly<Record<string, (object: ApiObject, body: unknown) => unknown>>

/**
 * An API server of a hundred lines for tests of clients and controllers: it keeps objects, counts revisions, answers watches and knows
 * finalizers, owners' propagation and subresource status. No validation and no admission.
 */
export class FakeApi {
  readonly writes: FakeWrite[] = []
  faults: FakeFaults = {}
  subresources: FakeSubresources = {}
  /** Called with each object before it is created: answers reviews, or fills in what admission would. */
  admit: (kind: AnyKind, object: object) => void = () => {}
  /** While true, watches receive every event twice. */
  doubled = false
  /** While true, watches receive nothing: caches grow stale. Setting it to false delivers what was held back. */
  #held = false
  #revision = 0
  #oldest = 0
  readonly #clock: Clock
  readonly #random: Random
  readonly #objects = new Map<string, Map<string, Stored>>()
  readonly #log: Logged[] = []
  readonly #watches = new Set<FakeWatch>()

  constructor(clock: Clock, random: Random = seededRandom(1)) {
    this.#clock = clock
    this.#random = random
  }

  get held(): boolean {
    return this.#held
  }

  set held(held: boolean) {
    this.#held = held
    if (!held) for (const watch of this.#watches) this.#pump(watch)
  }

  /** How many watches are open. */
  get watchCount(): number {
    return this.#watches.size
  }

  /** Ends every watch, with an error or cleanly. */
  closeWatches(error?: Error): void {
    for (const watch of [...this.#watches]) {
      this.#watches.delete(watch)
      watch.sink.closed(error)
    }
  }

  /** Forgets the past: a watch from before gets 410. */
  compact(): void {
    this.#oldest = this.#revision
    this.#log.length = 0
  }

  /** All objects of a kind, as stored. */
  all<K extends AnyKind>(kind: K, namespace = ''): ObjectOf<K>[] {
    const objects = [...this.#of(kind).values()]
    return objects.filter(object => namespace === '' || object.metadata.namespace === namespace) as unknown as ObjectOf<K>[]
  }

  find<K extends AnyKind>(kind: K, name: string, namespace = 'default'): ObjectOf<K> | undefined {
    return this.#of(kind).get(keyOf(kind, namespace, name)) as ObjectOf<K> | undefined
  }

  /** Changes an object as some other client would: no fault applies and nothing is noted. */
  change<K extends AnyKind>(kind: K, name: string, change: (object: Mutable<ObjectOf<K>>) => void, namespace = 'default'): ObjectOf<K> {
    const next = draft(this.#get(kind, namespace, name)) as unknown as Mutable<ObjectOf<K>>
    change(next)
    return this.#put(kind, next as unknown as Stored, this.#get(kind, namespace, name)) as unknown as ObjectOf<K>
  }

  /** Adds an object as some other client would, its status included. */
  put<K extends AnyKind>(kind: K, object: object): ObjectOf<K> {
    return this.#create(kind, object, true) as unknown as ObjectOf<K>
  }

  /** Removes an object at once, whatever its finalizers say. */
  remove(kind: AnyKind, name: string, namespace = 'default'): void {
    this.#drop(kind, this.#get(kind, namespace, name))
  }

  /** A client of this server. `faults` is what happens to this client's writes alone. */
  client(faults?: FakeFaults): Client {
    const doing = <T>(write: FakeWrite, action: () => T): T => {
      this.writes.push(write)
      this.faults.before?.(write)
      faults?.before?.(write)
      const result = action()
      faults?.after?.(write)
      this.faults.after?.(write)
      return result
    }
    const target = (kind: AnyKind, object: unknown) => {
      const meta = (object as ApiObject).metadata
      return { kind: kind.kind, namespace: meta?.namespace ?? '', name: meta?.name ?? '', body: object }
    }
    return {
      get: async (kind, name) => {
        const { namespace, name: text } = nameOf(name)
        return this.#get(kind, namespace, text) as unknown as ObjectOf<typeof kind>
      },
      list: async (kind, options = {}) => {
        const items = this.all<AnyKind>(kind, options.namespace ?? '').filter(selected(kind, options))
        return { metadata: { resourceVersion: String(this.#revision) }, items } as unknown as ListOf<typeof kind>
      },
      watch: (kind, options, sink) => this.#watch(kind, options, sink as unknown as WatchSink<ApiObject>),
      create: async (kind, object) =>
        doing({ verb: 'create', ...target(kind, object) }, () => this.#create(kind, object as object)) as unknown as ObjectOf<typeof kind>,
      update: async (kind, object) =>
        doing({ verb: 'update', ...target(kind, object) }, () => this.#update(kind, object as object, '')) as unknown as ObjectOf<
          typeof kind
        >,
      updateStatus: async (kind, object) =>
        doing({ verb: 'updateStatus', ...target(kind, object) }, () =>
          this.#update(kind, object as object, 'status'),
        ) as unknown as ObjectOf<typeof kind>,
      patch: async (kind, name, patch, options = {}) =>
        doing({ verb: 'patch', kind: kind.kind, ...nameOf(name), body: patch.body }, () =>
          this.#patch(kind, nameOf(name), patch, options.subresource ?? ''),
        ) as unknown as ObjectOf<typeof kind>,
      delete: async (kind, name, options = {}) =>
        doing({ verb: 'delete', kind: kind.kind, ...nameOf(name), body: options }, () =>
          this.#delete(kind, nameOf(name), options),
        ) as unknown as ObjectOf<typeof kind>,
      deleteCollection: async (kind, options = {}) => {
        for (const object of this.all<AnyKind>(kind, options.namespace ?? '').filter(selected(kind, options)))
          doing({ verb: 'delete', kind: kind.kind, ...nameOf(object) }, () => this.#delete(kind, nameOf(object), options))
      },
      subresource: async (kind, name, request) =>
        doing({ verb: 'subresource', kind: `${kind.kind}/${request.subresource}`, ...nameOf(name), body: request.body }, () =>
          this.#subresource(kind, nameOf(name), request.subresource, request.body),
        ),
    }
  }

  #of(kind: AnyKind): Map<string, Stored> {
    const id = resourceId(kind)
    let objects = this.#objects.get(id)
    if (!objects) {
      objects = new Map()
      this.#objects.set(id, objects)
    }
    return objects
  }

  #get(kind: AnyKind, namespace: string, name: string): Stored {
    const found = this.#of(kind).get(keyOf(kind, namespace, name))
    if (!found) throw notFound(resourceOf(kind), name)
    return found
  }

  #create(kind: AnyKind, object: object, withStatus = false): Stored {
    const next = decoded(kind, object)
    if (!withStatus && 'status' in kind.schema.fields) Object.assign(next, { status: decoded(kind, {}).status })
    if (kind.kind === 'Pod' && !withStatus) Object.assign(next, { status: { phase: 'Pending' } })
    if (kind.kind === 'Namespace') Object.assign(next, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } })
    this.admit(kind, next)
    const meta = next.metadata
    if (!meta.name && meta.generateName) meta.name = generateName(meta.generateName, this.#random)
    if (kind.scope === 'Cluster') delete meta.namespace
    else meta.namespace ??= 'default'
    if (this.#of(kind).has(keyOf(kind, meta.namespace ?? '', meta.name ?? ''))) throw alreadyExists(resourceOf(kind), meta.name ?? '')
    if (meta.namespace && this.find(NAMESPACES, meta.namespace, '')?.metadata.deletionTimestamp)
      throw forbidden(resourceOf(kind), meta.name ?? '', 'the namespace is being terminated')
    delete meta.deletionTimestamp
    delete meta.resourceVersion
    meta.uid = this.#random.uuid()
    meta.creationTimestamp = timeOf(this.#clock.now())
    meta.generation = 1
    return this.#put(kind, next, undefined)
  }

  /** `metadata`: what of it a patch of a subresource changes, which upstream lets through for most kinds. */
  #update(kind: AnyKind, object: object, subresource: string, metadata?: ApiObject['metadata']): Stored {
    const next = decoded(kind, object)
    const { name = '', namespace = '', uid, resourceVersion } = next.metadata
    const old = this.#get(kind, namespace, name)
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw conflict(resourceOf(kind), name, OBJECT_MODIFIED)
    if (uid && uid !== old.metadata.uid) throw conflict(resourceOf(kind), name, 'Precondition failed: UID in precondition does not match')
    const result =
      subresource === '' ? { ...next, ...('status' in old ? { status: old.status } : {}) } : { ...draft(old), status: next.status }
    if (metadata) {
      const { labels, annotations, finalizers } = metadata
      Object.assign(result.metadata, { labels, annotations, finalizers })
    }
    const { creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata
    Object.assign(result.metadata, { uid: old.metadata.uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds })
    return this.#put(kind, result as Stored, old)
  }

  #patch(kind: AnyKind, at: { namespace: string; name: string }, patch: Patch, subresource: string): Stored {
    const next = applyPatch(kind, this.#get(kind, at.namespace, at.name), patch)
    return this.#update(kind, next, subresource, subresource === '' ? undefined : (next as ApiObject).metadata)
  }

  #delete(kind: AnyKind, at: { namespace: string; name: string }, options: DeleteRequest): Stored {
    const old = this.#get(kind, at.namespace, at.name)
    const { uid, resourceVersion } = options.preconditions ?? {}
    if ((uid && uid !== old.metadata.uid) || (resourceVersion && resourceVersion !== old.metadata.resourceVersion))
      throw conflict(resourceOf(kind), at.name, 'the object is not the one that was to be deleted')
    const next = draft(old) as Stored
    const finalizers = new Set(next.metadata.finalizers ?? [])
    if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion')
    if (options.propagationPolicy === 'Orphan') finalizers.add('orphan')
    if (finalizers.size > 0) next.metadata.finalizers = [...finalizers]
    const graceful = kind.kind === 'Pod' && (old.spec as { nodeName?: string }).nodeName && options.gracePeriodSeconds !== 0
    const isFinished = ['Succeeded', 'Failed'].includes((old.status as { phase?: string } | undefined)?.phase ?? '')
    const stays =
      finalizers.size > 0 || (graceful && !isFinished) || ((old.spec as { finalizers?: unknown[] })?.finalizers?.length ?? 0) > 0
    if (!stays) return this.#drop(kind, old)
    if (!next.metadata.deletionTimestamp) {
      const seconds = graceful ? (options.gracePeriodSeconds ?? 30) : 0
      next.metadata.deletionTimestamp = timeOf(this.#clock.now() + seconds * 1000)
      next.metadata.deletionGracePeriodSeconds = seconds
      if (kind.kind === 'Namespace') Object.assign(next, { status: { ...(next.status as object), phase: 'Terminating' } })
    }
    return this.#put(kind, next, old)
  }

  #subresource(kind: AnyKind, at: { namespace: string; name: string }, subresource: string, body: unknown): unknown {
    const old = this.#get(kind, at.namespace, at.name)
    const answer = this.subresources[`${kind.plural}/${subresource}`]
    if (answer) return answer(old, body)
    if (subresource === 'finalize') return this.#put(kind, { ...draft(old), spec: (body as Stored).spec } as Stored, old)
    if (subresource === 'approval') return this.#update(kind, body as object, 'status')
    throw notFound(resourceOf(kind), `${at.name}/${subresource}`)
  }

  #put(kind: AnyKind, object: Stored, old: Stored | undefined): Stored {
    const next = object
    if (
      old &&
      equal(
        { ...next, metadata: { ...next.metadata, resourceVersion: '' } },
        { ...old, metadata: { ...old.metadata, resourceVersion: '' } },
      )
    )
      return old
    if (old) {
      const changed = !equal({ ...next, metadata: 0, status: 0 }, { ...old, metadata: 0, status: 0 })
      next.metadata.generation = (old.metadata.generation ?? 1) + (changed ? 1 : 0)
    }
    const isFinal =
      next.metadata.deletionTimestamp &&
      !next.metadata.deletionGracePeriodSeconds &&
      !next.metadata.finalizers?.length &&
      !(next.spec as { finalizers?: unknown[] } | undefined)?.finalizers?.length
    if (isFinal) return this.#drop(kind, next)
    next.metadata.resourceVersion = String(++this.#revision)
    this.#of(kind).set(keyOf(kind, next.metadata.namespace ?? '', next.metadata.name ?? ''), next)
    this.#record(kind, { type: old ? 'MODIFIED' : 'ADDED', object: next as unknown as ApiObject })
    return next
  }

  #drop(kind: AnyKind, old: Stored): Stored {
    this.#of(kind).delete(keyOf(kind, old.metadata.namespace ?? '', old.metadata.name ?? ''))
    const gone = draft(old) as Stored
    gone.metadata.resourceVersion = String(++this.#revision)
    this.#record(kind, { type: 'DELETED', object: gone as unknown as ApiObject })
    return gone
  }

  #record(kind: AnyKind, event: WatchEvent<ApiObject>): void {
    const entry = { resource: resourceId(kind), revision: this.#revision, event }
    this.#log.push(entry)
    for (const watch of this.#watches) if (offer(watch, entry)) this.#pump(watch)
  }

  #watch(kind: AnyKind, options: Selection & { resourceVersion?: string | undefined }, sink: WatchSink<ApiObject>): Disposable {
    const from = Number(options.resourceVersion || '0')
    const watch: FakeWatch = { resource: resourceId(kind), admits: selected(kind, options), sink, namespace: options.namespace, queue: [] }
    if (from > 0 && from < this.#oldest) {
      queueMicrotask(() => sink.closed(expired(`too old resource version: ${from} (${this.#oldest})`)))
      return { [Symbol.dispose]() {} }
    }
    this.#watches.add(watch)
    for (const entry of this.#log) if (entry.revision > from) offer(watch, entry)
    this.#pump(watch)
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) }
  }

  /** Events arrive in a later turn, as over any wire. */
  #pump(watch: FakeWatch): void {
    queueMicrotask(() => {
      if (this.#held || !this.#watches.has(watch)) return
      for (const event of watch.queue.splice(0))
        for (let time = 0; time < (this.doubled ? 2 : 1); time++) if (this.#watches.has(watch)) watch.sink.event(event)
    })
  }
}

interface Logged {
  readonly resource: string
  readonly revision: number
  readonly event: WatchEvent<ApiObject>
}

interface Stored {
  apiVersion: string
  kind: string
  metadata: Mutable<ApiObject['metadata']>
  spec?: unknown
  status?: unknown
}

interface Selection {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

interface FakeWatch {
  readonly resource: string
  readonly admits: (object: ApiObject) => boolean
  readonly sink: WatchSink<ApiObject>
  readonly namespace: string | undefined
  readonly queue: WatchEvent<ApiObject>[]
}

/** Queues the event if the watch is to see it. */
function offer(watch: FakeWatch, { resource, event }: Logged): boolean {
  if (resource !== watch.resource || !watch.admits(event.object)) return false
  if (watch.namespace && event.object.metadata.namespace !== watch.namespace) return false
  watch.queue.push(event)
  return true
}

const resourceId = (kind: AnyKind) => `${kind.group}/${kind.plural}`

interface DeleteRequest {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: string | undefined
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined
}

const NAMESPACES = { group: '', plural: 'namespaces', scope: 'Cluster' } as AnyKind

const resourceOf = (kind: AnyKind) => ({ group: kind.group, resource: kind.plural })

const keyOf = (kind: AnyKind, namespace: string, name: string) => (kind.scope === 'Cluster' ? `/${name}` : `${namespace}/${name}`)

function decoded(kind: AnyKind, object: object): Stored {
  const { apiVersion, kind: name } = { apiVersion: kind.apiVersion, kind: kind.kind }
  const result = decode(kind.schema, { ...object, apiVersion, kind: name }, { defaults: true, unknown: [] }) as unknown as Stored
  kind.hooks.applyDefaults?.(result)
  return result
}

function selected(kind: AnyKind, options: Selection): (object: ApiObject) => boolean {
  const labels = options.labelSelector ? parseLabelSelector(options.labelSelector) : LabelSelector.everything
  const fields = options.fieldSelector ? parseFieldSelector(options.fieldSelector) : FieldSelector.everything
  const readField = (object: ApiObject, field: string): string => {
    if (field === 'metadata.name') return object.metadata.name ?? ''
    if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
    return kind.hooks.selectableFields?.[field]?.(object) ?? textAt(object, field)
  }
  return object => labels.matches(object.metadata.labels) && fields.matches(field => readField(object, field))
}

function textAt(object: unknown, path: string): string {
  let value = object
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value === undefined ? '' : String(value)
}
