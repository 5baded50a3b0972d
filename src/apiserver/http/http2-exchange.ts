import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Connection, Exchange, ResponseHeaders, ResponseStream } from './exchange.ts'
import { readBody } from './read-body.ts'

/** A request over HTTP/2. Hot: bench/apiserver — stands on node's streams, not on its compatibility layer. */
export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  connection: Connection,
  rawHeaders: readonly string[] = [],
): Exchange {
  const target = headers[':path'] as string
  const question = target.indexOf('?')
  stream.on('error', () => stream.close())
  return {
    method: headers[':method'] as string,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    headers,
    rawHeaders,
    connection,
    incoming: stream,
    body: limit => readBody(stream, limit),
    answer(status, head, body) {
      if (stream.destroyed || stream.headersSent) return
      stream.respond(withStatus(status, head, body))
      if (!stream.writableEnded) stream.end(body)
    },
    stream(status, head) {
      if (!stream.destroyed && !stream.headersSent) stream.respond(withStatus(status, head))
      return responseStream(stream)
    },
    onAbort(callback) {
      // A stream that the client has reset is ended by Node itself: that it was finished says nothing.
      stream.on('close', () => {
        if (stream.aborted || !stream.writableFinished) callback()
      })
    },
    onClose(callback) {
      if (stream.closed) callback()
      else stream.on('close', callback)
    },
  }
}

function withStatus(status: number, head: ResponseHeaders, body?: Uint8Array): OutgoingHttpHeaders {
  const headers = { ':status': status, ...head } as OutgoingHttpHeaders
  if (body) headers['content-length'] = body.length
  return headers
}

function responseStream(stream: ServerHttp2Stream): ResponseStream {
  return {
    write(chunk) {
      if (!stream.destroyed && !stream.writableEnded) stream.write(chunk)
    },
    get pendingBytes() {
      return stream.destroyed ? 0 : stream.writableLength
    },
    onDrain: callback => void stream.on('drain', callback),
    end: () => void stream.end(),
    destroy: () => stream.close(),
  }
}
