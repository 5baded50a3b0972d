import { beside } from '#base/collections/beside.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { CacheEvent, Change } from './change.ts'
import { isSelected, isSelective, type Selection } from './selection.ts'
import { keepAsOf } from './stored-form.ts'

/** Who receives the events of a watch: batches in order, then one end. Never called from within `watch` itself. */
export interface CacheSink {
  events(events: readonly CacheEvent[]): void
  /** Undefined for a clean end. */
  closed(error: Error | undefined): void
}

/** One watcher: sees changes through its selection and hands them on in batches. */
export class Watcher {
  readonly selection: Selection
  readonly wantsBookmarks: boolean
  readonly #kind: AnyKind
  readonly #sink: CacheSink
  readonly #isSelective: boolean
  readonly #after: number
  #queue: CacheEvent[] = []
  #end: { readonly error: Error | undefined } | undefined
  #ended = false
  /** Set while the watcher waits to be flushed. */
  isScheduled = false

  constructor(kind: AnyKind, selection: Selection, sink: CacheSink, options: { wantsBookmarks: boolean; after: number }) {
    this.#kind = kind
    this.selection = selection
    this.#sink = sink
    this.wantsBookmarks = options.wantsBookmarks
    this.#after = options.after
    this.#isSelective = isSelective(selection)
  }

  /** Queues what `change` is to this watcher, if anything. */
  offer(change: Change): void {
    if (change.revision <= this.#after) return
    const event = this.#isSelective ? this.#selected(change) : plainEvent(change)
    if (event) this.push(event)
  }

  /** Queues the event. The queue lives until the next flush; who serves slow readers bounds a queue of its own. */
  push(event: CacheEvent): void {
    if (!this.#ended && !this.#end) this.#queue.push(event)
  }

  /** Ends the watch after what is queued. */
  end(error: Error | undefined): void {
    this.#end ??= { error }
  }

  /** Delivers what is queued. Answers whether the watch goes on. */
  flush(): boolean {
    this.isScheduled = false
    if (this.#ended) return false
    if (this.#queue.length > 0) {
      const events = this.#queue
      this.#queue = []
      this.#sink.events(events)
    }
    if (!this.#end || this.#ended) return !this.#ended
    this.#ended = true
    this.#sink.closed(this.#end.error)
    return false
  }

  /** Ends the watch at once and in silence. */
  abandon(): void {
    this.#ended = true
    this.#queue = []
  }

  /** An object that leaves the selection is DELETED, one that enters it ADDED. */
  #selected(change: Change): CacheEvent | undefined {
    const { object, old, revision, isDelete } = change
    const was = old !== undefined && isSelected(this.#kind, old, this.selection)
    const is = !isDelete && isSelected(this.#kind, object, this.selection)
    if (is) return { type: was ? 'MODIFIED' : 'ADDED', object, revision }
    if (!was) return undefined
    return { type: 'DELETED', object: isDelete ? object : atRevision(old, revision), revision }
  }
}

function plainEvent({ object, old, revision, isDelete }: Change): CacheEvent {
  return { type: isDelete ? 'DELETED' : old ? 'MODIFIED' : 'ADDED', object, revision }
}

const shifted = beside<ApiObject>()

/** `object` with another resourceVersion; the same value for every watcher that asks for the same. */
export function atRevision(object: ApiObject, revision: number): ApiObject {
  const resourceVersion = String(revision)
  const known = shifted.get(object)
  if (known?.metadata.resourceVersion === resourceVersion) return known
  const copy = { ...object, metadata: { ...object.metadata, resourceVersion } }
  keepAsOf(copy, object, revision)
  shifted.set(object, copy)
  return copy
}
