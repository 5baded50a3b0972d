import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { Logger } from '#base/log/logger.ts'
import { type Clock, every } from '#base/time/clock.ts'
import type { Connection, Exchange } from './exchange.ts'
import { http1Exchange } from './http1-exchange.ts'
import { http2Exchange } from './http2-exchange.ts'

export interface ListenOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly tls: {
    readonly certificate: string
    readonly key: string
    /** Certificates that client certificates are asked to be signed by, PEM. */
    readonly clientCa?: string
  }
  readonly clock: Clock
  readonly log: Logger
  serve(exchange: Exchange): Promise<void>
  /** A request to change the protocol: WebSocket or SPDY. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Connection): void
}

/** A listening server. */
export interface Listening {
  readonly address: string
  readonly port: number
  /** Takes no more connections, lets what is under way end within `graceMs`, then cuts it off. */
  close(graceMs?: number): Promise<void>
}

/** As upstream allows. */
const MAX_STREAMS = 250
const WINDOW_BYTES = 1024 * 1024
const PING_MS = 30_000
const PING_TIMEOUT_MS = 15_000
/** How long a handshake, and the head of a request, may take. */
const HANDSHAKE_MS = 10_000
const HEADERS_MS = 32_000

/** One TLS port for HTTP/2 and HTTP/1.1, told apart by ALPN. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { tls, log, serve } = options
  const sockets = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: WINDOW_BYTES, enableConnectProtocol: true },
    maxSessionMemory: 64,
  })
  http2.on('session', session => follow(session, sessions, options.clock))
  serveHttp2(http2, serve)
  const http1 = createHttpServer({ headersTimeout: HEADERS_MS, requestTimeout: 0, keepAliveTimeout: 180_000, maxHeaderSize: 64 * 1024 })
  http1.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void serve(http1Exchange(request, response, connectionOf(request.socket as TLSSocket)))
  })
  http1.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    options.upgrade(request, socket, head, connectionOf(request.socket as TLSSocket))
  })
  const server = createTlsServer({
    cert: tls.certificate,
    key: tls.key,
    ALPNProtocols: ['h2', 'http/1.1'],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_MS,
    ...(tls.clientCa ? { ca: tls.clientCa } : {}),
  })
  server.on('secureConnection', socket => {
    socket.on('error', () => socket.destroy())
    if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
    else http1.emit('connection', socket)
  })
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, PING_MS)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', error => log.verbose('a TLS handshake failed', { error: error.message }))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  return {
    address,
    port,
    async close(graceMs = 0) {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const session of sessions) session.close()
      http1.closeIdleConnections()
      const cut = options.clock.after(graceMs, () => {
        for (const session of sessions) session.destroy()
        for (const socket of sockets) socket.destroy()
      })
      await closed
      cut.cancel()
    },
  }
}

function serveHttp2(server: Http2Server, serve: ListenOptions['serve']): void {
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: readonly string[]) => {
    const socket = (stream.session as ServerHttp2Session | undefined)?.socket
    if (!socket) return
    void serve(http2Exchange(stream, headers, connectionOf(socket as TLSSocket), rawHeaders))
  })
}

/** A peer that went away without a word is found by pings. */
function follow(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>, clock: Clock): void {
  sessions.add(session)
  session.setLocalWindowSize(WINDOW_BYTES)
  const pings = every(clock, PING_MS, () => {
    if (session.destroyed) return
    const overdue = clock.after(PING_TIMEOUT_MS, () => session.destroy())
    session.ping(() => overdue.cancel())
  })
  session.on('error', () => session.destroy())
  session.on('close', () => {
    pings[Symbol.dispose]()
    sessions.delete(session)
  })
}

const connections = new WeakMap<object, Connection>()

function connectionOf(socket: TLSSocket): Connection {
  // Over HTTP/2 the socket is a proxy of the session's: it is the session that is one connection.
  const known = connections.get(socket)
  if (known) return known
  const connection: Connection = {
    remoteAddress: socket.remoteAddress ?? '',
    certificate: certificateOf(socket),
    memory: new Map(),
  }
  connections.set(socket, connection)
  return connection
}

function certificateOf(socket: TLSSocket): Connection['certificate'] {
  const leaf = socket.getPeerCertificate(true)
  if (!leaf?.raw) return undefined
  const issuers: Uint8Array[] = []
  for (let step = leaf; step.issuerCertificate && step.issuerCertificate !== step; step = step.issuerCertificate) {
    issuers.push(step.issuerCertificate.raw)
    if (issuers.length > 10) break
  }
  return { raw: leaf.raw, issuers }
}
