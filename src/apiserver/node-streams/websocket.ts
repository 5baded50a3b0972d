import { type WebSocket, WebSocketServer } from 'ws'
import type { Upgrade } from '../http/exchange.ts'

/** A message of a client is held as a whole until it has come: none is longer than this. */
const MESSAGE_BYTES = 4 * 1024 * 1024

/** The subprotocols that a client offers, best first; none if it does not ask for a WebSocket. */
export function offeredSubprotocols({ request }: Upgrade): readonly string[] {
  const { upgrade = '', 'sec-websocket-protocol': offered = '' } = request.headers
  return upgrade.toLowerCase() === 'websocket' ? offered.split(',').map(name => name.trim()) : []
}

/** Agrees to a WebSocket and its subprotocol. It is paused: what comes is kept until somebody listens and resumes it. */
export function acceptWebSocket(upgrade: Upgrade, subprotocol: string): Promise<WebSocket> {
  const { request, head } = upgrade
  // The library refuses names with a slash, which Kubernetes uses all the same: so it is not shown what was offered, and the answer is added.
  delete request.headers['sec-websocket-protocol']
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES })
  server.on('headers', headers => headers.push(`Sec-WebSocket-Protocol: ${subprotocol}`))
  return new Promise(resolve =>
    server.handleUpgrade(request, upgrade.take(), head, socket => {
      socket.pause()
      resolve(socket)
    }),
  )
}
