import type { Clock } from '#base/time/clock.ts'
import type { RequestTarget } from '#client/direct/api-handler.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Handler } from '../handler.ts'
import { MEDIA_TYPES, noRepresentation } from './negotiation.ts'
import type { ReadOptions } from './options.ts'
import type { RequestContext } from './request-context.ts'
import type { TableOptions } from './table.ts'
import { type FrameSink, type WatchFramer, WatchStream } from './watch-stream.ts'
import { openWebSocket, webSocketUpgradeOf } from './websocket-watch.ts'

export interface WatchRouteOptions {
  readonly handler: Handler
  readonly clock: Clock
  readonly random: { next(): number }
  readonly framer: WatchFramer
  /** How long a watch lasts when the client does not say: between this and twice this. */
  readonly watchMs: number
  table(): TableOptions
}

/** Answers with a stream of events: chunks over HTTP/1.1, frames over HTTP/2, messages of a WebSocket. */
export function serveWatch(context: RequestContext, target: RequestTarget, asked: ReadOptions, options: WatchRouteOptions): void {
  const { handler, clock, random, watchMs } = options
  const { exchange, form } = context
  if (form.encoding === 'yaml') throw noRepresentation(true)
  const isBinary = form.encoding === 'protobuf'
  const read = ofOne(asked, target.name)
  const timeoutMs = read.timeoutSeconds ? read.timeoutSeconds * 1000 : watchMs * (1 + random.next())
  const cache = handler.core.objects.cacheOf(target.kind.view?.of ?? target.kind)
  const upgrade = webSocketUpgradeOf(exchange)
  let stream: WatchStream | undefined
  const streamTo = (sink: FrameSink) =>
    new WatchStream(sink, {
      kind: target.kind,
      form,
      table: options.table,
      framer: isBinary ? options.framer : undefined,
      clock,
      timeoutMs,
      lastBookmark: read.allowBookmarks ? () => cache.bookmark() : undefined,
      ended: () => running[Symbol.dispose](),
    })
  const end = () => {
    running[Symbol.dispose]()
    stream?.close()
  }
  const open = (): WatchStream => {
    if (stream) return stream
    context.markAnswered()
    if (upgrade) {
      const opened = (sink: FrameSink) => {
        stream = streamTo(sink)
      }
      openWebSocket(upgrade, isBinary, opened, end)
    } else stream = streamTo(exchange.stream(200, context.headers(isBinary ? `${MEDIA_TYPES.protobuf};stream=watch` : MEDIA_TYPES.json)))
    // A WebSocket that could not be opened has been answered by now; what comes for it goes nowhere.
    stream ??= streamTo({ write() {}, pendingBytes: 0, end() {} })
    return stream
  }
  const running = handler.watchEvents(context.caller(), { ...target, name: '' }, read, {
    started: () => void open(),
    events: events => open().events(events),
    closed(error) {
      if (!stream && error && !isTooOld(error)) context.fail(error)
      else open().closed(error)
    },
  })
  exchange.onAbort(end)
}

/** A watch of one object by name is a watch with a field selector. */
function ofOne(options: ReadOptions, name: string): ReadOptions {
  if (name === '') return options
  const byName = `metadata.name=${name}`
  return { ...options, fieldSelector: options.fieldSelector ? `${options.fieldSelector},${byName}` : byName }
}

/** A revision that is forgotten is told in the stream, as its only event. */
function isTooOld(error: Error): boolean {
  return error instanceof StatusError && error.code === 410
}
