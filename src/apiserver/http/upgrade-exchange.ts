import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Connection, Exchange } from './exchange.ts'
import { http1Exchange } from './http1-exchange.ts'

/** A request to change the protocol: it goes the way of every request, and is answered as one unless somebody takes the socket. */
export function upgradeExchange(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Connection): Exchange {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as TLSSocket)
  response.on('finish', () => socket.end())
  socket.on('error', () => socket.destroy())
  const take = () => {
    response.detachSocket(socket as TLSSocket)
    ;(socket as TLSSocket).setTimeout(0)
    return socket
  }
  return { ...http1Exchange(request, response, connection), upgrade: { request, head, take } }
}
