import { type WebSocket, WebSocketServer } from 'ws'
import { type Exchange, headerOf, type Upgrade } from './exchange.ts'
import type { FrameSink } from './watch-stream.ts'

const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 })

/** The upgrade of a request that asks for a WebSocket; undefined if it asks for none. */
export function webSocketUpgradeOf(exchange: Exchange): Upgrade | undefined {
  return headerOf(exchange, 'upgrade')?.toLowerCase() === 'websocket' ? exchange.upgrade : undefined
}

/** Opens a WebSocket on which every event of a watch is a message. `closed` is called once the client has gone. */
export function openWebSocket(upgrade: Upgrade, isBinary: boolean, opened: (sink: FrameSink) => void, closed: () => void): void {
  server.handleUpgrade(upgrade.request, upgrade.take(), upgrade.head, (socket: WebSocket) => {
    socket.on('error', () => socket.terminate())
    socket.on('close', closed)
    opened({
      write: frame => socket.send(frame, { binary: isBinary }),
      get pendingBytes() {
        return socket.bufferedAmount
      },
      end: () => socket.close(1000),
    })
  })
}
