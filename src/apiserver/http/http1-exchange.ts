import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { byteLengthOf, type Pieces } from '#base/net/pieces.ts'
import type { Connection, Exchange, ResponseHeaders } from './exchange.ts'
import { readBody } from './read-body.ts'

/** A request over HTTP/1.1. */
export function http1Exchange(request: IncomingMessage, response: ServerResponse, connection: Connection): Exchange {
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  return {
    method: request.method ?? 'GET',
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    connection,
    incoming: request,
    body: limit => readBody(request, limit),
    answer(status, head, body) {
      if (response.headersSent || response.destroyed) return
      response.writeHead(status, outgoing(head, body))
      response.cork()
      for (const part of body ?? []) response.write(part)
      response.end()
    },
    stream(status, head) {
      response.writeHead(status, outgoing(head))
      response.flushHeaders()
      return {
        write(chunk) {
          if (!response.destroyed && !response.writableEnded) response.write(chunk)
        },
        get pendingBytes() {
          return response.destroyed ? 0 : response.writableLength
        },
        onDrain: callback => void response.on('drain', callback),
        end: () => void response.end(),
        destroy: () => void response.destroy(),
      }
    },
    onAbort(callback) {
      response.on('close', () => {
        if (!response.writableFinished) callback()
      })
    },
    onClose(callback) {
      if (response.closed) callback()
      else response.on('close', callback)
    },
  }
}

function outgoing(head: ResponseHeaders, body?: Pieces): OutgoingHttpHeaders {
  const headers = { ...head } as OutgoingHttpHeaders
  if (body) headers['content-length'] = byteLengthOf(body)
  return headers
}
