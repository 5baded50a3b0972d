import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Clock } from '#base/time/clock.ts'
import type { Transport } from './forwarder.ts'
import { messagesIn, withLength } from './stream.ts'

/** Where queries are taken. Port 0 is any free one. */
export interface ListenAddress {
  readonly address: string
  readonly port: number
}

/** Answers a message, at once or later, or not at all. */
export type Handle = (message: Uint8Array, transport: Transport) => Uint8Array | undefined | Promise<Uint8Array>

export interface Listener extends AsyncDisposable {
  /** Where it listens; over UDP and TCP alike. */
  readonly bound: ListenAddress
}

/** A connection that says nothing for this long is closed. */
const IDLE_MS = 10_000
const CONNECTION_LIMIT = 256
/** A client that asks more at once is read no further until answers went out. */
const PENDING_LIMIT = 64

/** Takes queries over UDP and TCP at one address. Rejects when the address cannot be had. */
export async function listen(at: ListenAddress, handle: Handle, clock: Clock): Promise<Listener> {
  const sockets = new Set<Socket>()
  const tcp = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, handle, clock)
  })
  tcp.maxConnections = CONNECTION_LIMIT
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', error => reject(unavailable(at, 'tcp', error)))
    tcp.listen(at.port, at.address, resolve)
  })
  const { port } = tcp.address() as AddressInfo
  const closeTcp = () =>
    new Promise<void>(resolve => {
      tcp.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  const udp = createSocket({ type: at.address.includes(':') ? 'udp6' : 'udp4' })
  try {
    await new Promise<void>((resolve, reject) => {
      udp.once('error', error => reject(unavailable(at, 'udp', error)))
      udp.bind(port, at.address, resolve)
    })
  } catch (error) {
    await closeTcp()
    throw error
  }
  let open = true
  udp.removeAllListeners('error').on('error', () => {}) // what one client's network refuses is no matter to the others
  udp.on('message', (message, from) => {
    const send = (answer: Uint8Array | undefined) => {
      if (answer && open) udp.send(answer, from.port, from.address)
    }
    const answer = handle(message, 'udp')
    if (answer instanceof Promise) void answer.then(send)
    else send(answer)
  })
  return {
    bound: { address: at.address, port },
    async [Symbol.asyncDispose]() {
      open = false
      await Promise.all([closeTcp(), new Promise<void>(resolve => udp.close(() => resolve()))])
    },
  }
}

function serve(socket: Socket, handle: Handle, clock: Clock): void {
  const messages = messagesIn()
  let pending = 0
  let timer = clock.after(IDLE_MS, () => socket.destroy())
  const alive = () => {
    timer.cancel()
    if (!socket.destroyed) timer = clock.after(IDLE_MS, () => socket.destroy())
  }
  const send = (answer: Uint8Array | undefined) => {
    pending--
    if (answer && socket.writable) socket.write(withLength(answer))
    if (pending < PENDING_LIMIT) socket.resume()
  }
  socket.on('error', () => {}) // a client that breaks off
  socket.on('close', () => timer.cancel())
  socket.on('data', chunk => {
    alive()
    for (const message of messages(chunk)) {
      pending++
      const answer = handle(message, 'tcp')
      if (answer instanceof Promise) void answer.then(send)
      else send(answer)
    }
    if (pending >= PENDING_LIMIT) socket.pause()
  })
}

function unavailable(at: ListenAddress, transport: Transport, cause: Error): Error {
  return new Error(`cluster DNS cannot listen on ${at.address} port ${at.port} (${transport}): ${cause.message}`, { cause })
}
