import type { Clock, Timer } from '#base/time/clock.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { internalError } from '#machinery/status/failures.ts'
import { statusErrorOf } from '#machinery/status/status-error.ts'
import { show } from '../registry/views.ts'
import type { CacheEvent } from '../watch-cache/change.ts'
import { enclosed } from '../watch-cache/stored-form.ts'
import type { Negotiated } from './negotiation.ts'
import { jsonBytes } from './render.ts'
import { partialOf, type TableOptions, tableOf } from './table.ts'

/** Where frames go: a chunked answer, an HTTP/2 stream or a WebSocket. */
export interface FrameSink {
  write(frame: Uint8Array): void
  readonly pendingBytes: number
  end(): void
}

/** Frames events in a binary form. */
export interface WatchFramer {
  frame(type: string, kind: AnyKind | undefined, object: object): Uint8Array
}

/** How many bytes may wait for a slow watcher before it is cut off: it can resume from the last event it got. */
export const PENDING_LIMIT_BYTES = 16 * 1024 * 1024

export interface WatchStreamOptions {
  readonly kind: AnyKind
  readonly form: Negotiated
  /** Asked for every event: ages are as of then. */
  table(): TableOptions
  readonly framer: WatchFramer | undefined
  readonly clock: Clock
  /** How long the watch lasts; 0: until the client goes. */
  readonly timeoutMs: number
  /** The bookmark to end with; undefined if the client wants none. */
  readonly lastBookmark: (() => CacheEvent) | undefined
  /** Called once when the stream is over, however it ended. */
  ended(): void
}

/** One watch on the wire: turns the cache's events into frames. Hot: bench/apiserver. */
export class WatchStream {
  readonly #sink: FrameSink
  readonly #options: WatchStreamOptions
  readonly #timer: Timer | undefined
  #definesColumns = true
  #over = false

  constructor(sink: FrameSink, options: WatchStreamOptions) {
    this.#sink = sink
    this.#options = options
    if (options.timeoutMs > 0) this.#timer = options.clock.after(options.timeoutMs, () => this.#timeOut())
  }

  events(events: readonly CacheEvent[]): void {
    for (const event of events) {
      if (this.#over) return
      this.#sink.write(this.#frame(event))
    }
    if (this.#sink.pendingBytes > PENDING_LIMIT_BYTES) this.close()
  }

  /** The cache has ended the watch: an error is told as the last event. */
  closed(error: Error | undefined): void {
    if (this.#over) return
    if (error) {
      const status = (statusErrorOf(error) ?? internalError(error)).toStatus()
      this.#sink.write(this.#plainFrame('ERROR', undefined, status))
    }
    this.close()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#timer?.cancel()
    this.#options.ended()
    this.#sink.end()
  }

  #timeOut(): void {
    const bookmark = this.#options.lastBookmark?.()
    if (bookmark) this.#sink.write(this.#frame(bookmark))
    this.close()
  }

  #frame(event: CacheEvent): Uint8Array {
    const { kind, form, table } = this.#options
    if (form.as === '' && form.encoding === 'json' && !form.isPretty) return sharedFrame(event, kind)
    const object = show(kind, event.object)
    if (form.as === '') return this.#plainFrame(event.type, kind, object)
    if (form.as !== 'Table') return this.#plainFrame(event.type, undefined, partialOf(kind, object, form.asVersion))
    const { resourceVersion = '' } = object.metadata
    const shown = tableOf(kind, [object], { resourceVersion }, table(), this.#definesColumns)
    this.#definesColumns = false
    return this.#plainFrame(event.type, undefined, shown)
  }

  #plainFrame(type: string, kind: AnyKind | undefined, object: object): Uint8Array {
    if (this.#options.framer) return this.#options.framer.frame(type, kind, object)
    return encoder.encode(`{"type":"${type}","object":${encodeJson(object)}}\n`)
  }
}

const encoder = new TextEncoder()
const END = encoder.encode('}\n')

/** A frame of an event, and what it is of. */
interface Frame {
  readonly kind: AnyKind
  readonly type: string
  readonly bytes: Uint8Array
}

/**
 * The frames of this microtask by their objects: all watchers are told of an event in one, and get the same buffer. Hot: bench/loops — kept any
 * longer they outlive the young generation, and hurry the collection of the whole heap.
 */
let frames: Map<object, Frame> | undefined

function sharedFrame({ object, type }: CacheEvent, kind: AnyKind): Uint8Array {
  const known = frames?.get(object)
  if (known?.type === type && known.kind === kind) return known.bytes
  const bytes = frameOf(HEADS[type]!, show(kind, object))
  if (!frames) {
    frames = new Map()
    queueMicrotask(() => {
      frames = undefined
    })
  }
  frames.set(object, { kind, type, bytes })
  return bytes
}

function frameOf(head: Uint8Array, object: object): Uint8Array {
  const frame = enclosed(object, head, END)
  if (frame) return frame
  jsonBytes(object) // which keeps them
  return enclosed(object, head, END)!
}

const HEADS: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'].map(type => [type, encoder.encode(`{"type":"${type}","object":`)]),
)
