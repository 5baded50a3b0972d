import { createWebSocketStream } from 'ws'
import { SpdyConnection } from '#base/net/spdy/spdy-connection.ts'
import { type Clock, every } from '#base/time/clock.ts'
import type { Exchange, Upgrade } from '../http/exchange.ts'
import { type CommandEnds, joinCommand, refuseCommand } from './command-channels.ts'
import { join } from './join.ts'
import type { Peer } from './peer.ts'
import { dialSpdy } from './spdy-dial.ts'
import { acceptWebSocket, offeredSubprotocols } from './websocket.ts'

/*
 * Clients since kubectl 1.31 speak WebSocket. A kubelet that does not, as upstream's before 1.36, is spoken to in SPDY, and the two are joined here;
 * one that declares it is given what the client sends, as it is (upgrade-relay.ts).
 */

/** Best first. Version 4 has no way to say that the input is over. */
const COMMANDS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const PING_MS = 30_000
const TUNNEL = 'SPDY/3.1+portforward.k8s.io'

/** Whether a client's WebSocket has to be translated for a kubelet, and which kind it is. */
export function translationFor(upgrade: Upgrade, peer: Peer): 'command' | 'tunnel' | undefined {
  if (peer.takesWebSockets) return undefined
  const offered = offeredSubprotocols(upgrade)
  if (COMMANDS.some(name => offered.includes(name))) return 'command'
  return offered.includes(TUNNEL) ? 'tunnel' : undefined
}

/** Runs a command of a WebSocket client over SPDY. Whatever fails is told on the client's error channel. */
export async function translateCommand(upgrade: Upgrade, peer: Peer, path: string, clock: Clock): Promise<void> {
  const offered = offeredSubprotocols(upgrade)
  const socket = await acceptWebSocket(upgrade, COMMANDS.find(name => offered.includes(name))!)
  const abort = new AbortController()
  // A client that is not read, since its input is not taken, is seen to have gone by what is written to it.
  const pings = every(clock, PING_MS, () => {
    if (socket.readyState === socket.OPEN) socket.ping()
  })
  socket.on('close', () => {
    pings[Symbol.dispose]()
    abort.abort()
  })
  let connection: SpdyConnection
  try {
    const dialled = await dialSpdy(peer, path, COMMANDS, { clock, signal: abort.signal })
    connection = new SpdyConnection(dialled, { side: 'client' })
  } catch (error) {
    return refuseCommand(socket, error)
  }
  await joinCommand(socket, connection, endsOf(path))
}

/** Leads the SPDY connection that a client has wrapped into a WebSocket to the kubelet. Rejects if that does not agree. */
export async function tunnel(exchange: Exchange, upgrade: Upgrade, peer: Peer, path: string, clock: Clock): Promise<void> {
  const abort = new AbortController()
  exchange.onAbort(() => abort.abort())
  const dialled = await dialSpdy(peer, path, ['portforward.k8s.io'], { clock, signal: abort.signal })
  const socket = await acceptWebSocket(upgrade, TUNNEL)
  await join(createWebSocketStream(socket), dialled, clock)
}

function endsOf(path: string): CommandEnds {
  const { searchParams } = new URL(path, 'https://kubelet')
  const has = (name: string) => searchParams.has(name)
  return { stdin: has('input'), stdout: has('output'), stderr: has('error'), tty: has('tty') }
}
