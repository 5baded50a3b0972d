import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls'
import type { Logger } from '#base/log/logger.ts'
import { Http2Connection } from '#base/net/http2/http2-connection.ts'
import { type Clock, every } from '#base/time/clock.ts'
import type { Connection, Exchange } from './exchange.ts'
import { http1Exchange } from './http1-exchange.ts'
import { Http2Exchange } from './http2-exchange.ts'
import { type Stranger, Strangers } from './strangers.ts'

export interface ListenOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly tls: {
    readonly certificate: string
    readonly key: string
    /** Certificates that client certificates are asked to be signed by, PEM. */
    readonly clientCa?: string
    /** The oldest TLS to accept; default 1.2. */
    readonly minVersion?: SecureVersion
    /** The ciphers to offer, as OpenSSL names them; default: Node's. */
    readonly ciphers?: string
    /** Other certificates for those who ask for certain names; `*` stands for a label. */
    readonly named?: readonly NamedCertificate[]
  }
  /** Whether a client of HTTP/2 is told to connect anew; asked with each request. */
  sendsAway?(): boolean
  readonly clock: Clock
  readonly log: Logger
  serve(exchange: Exchange): Promise<void>
  /** A request to change the protocol: WebSocket or SPDY. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Connection): void
}

/** A certificate for names that clients ask for (SNI). PEM. */
export interface NamedCertificate {
  readonly names: readonly string[]
  readonly certificate: string
  readonly key: string
}

/** A listening server. */
export interface Listening {
  readonly address: string
  readonly port: number
  /** Proves itself by another certificate from now on; connections that stand are left alone. */
  useCertificate(certificate: string, key: string): void
  /** Takes no more connections, lets what is under way end within `graceMs`, then cuts it off. */
  close(graceMs?: number): Promise<void>
}

/** As upstream allows. */
const MAX_STREAMS = 250
const STREAM_WINDOW_BYTES = 256 * 1024
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024
const MAX_HEADER_BYTES = 64 * 1024
const PING_MS = 30_000
const PING_TIMEOUT_MS = 15_000
/** How long a handshake may take, and how long who has not said who they are may be silent or dawdle. */
const HANDSHAKE_MS = 10_000
const PATIENCE_MS = 10_000

/** One TLS port for HTTP/2 and HTTP/1.1, told apart by ALPN. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { tls, log } = options
  const strangers = new Strangers(options.clock, PATIENCE_MS)
  const connections = new WeakMap<object, Visit>()
  const visitOf = (socket: TLSSocket) => connections.get(socket) ?? visit(socket, strangers)
  const sockets = new Set<Socket>()
  const http2 = new Set<Http2Connection>()
  const dates = httpDates(options.clock)
  const http1 = createHttpServer({
    // Of its own Node looks only after servers that listen: see Strangers.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 180_000,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  http1.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const visit = visitOf(request.socket as TLSSocket)
    serveOn(visit, http1Exchange(request, response, visit.connection), options)
  })
  http1.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { connection, stranger } = visitOf(request.socket as TLSSocket)
    // It is answered, or becomes a stream that ends by itself.
    stranger.leave()
    options.upgrade(request, socket, head, connection)
  })
  const security = (cert: string, key: string) => ({
    cert,
    key,
    minVersion: tls.minVersion ?? ('TLSv1.2' as const),
    ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
    ...(tls.clientCa ? { ca: tls.clientCa } : {}),
  })
  const server = createTlsServer({
    ...security(tls.certificate, tls.key),
    ALPNProtocols: ['h2', 'http/1.1'],
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
  })
  // Of contexts that fit Node takes the last.
  for (const { names, certificate, key } of [...(tls.named ?? [])].reverse()) {
    for (const name of names) server.addContext(name, security(certificate, key))
  }
  server.on('secureConnection', socket => {
    socket.on('error', () => socket.destroy())
    const visiting = visit(socket, strangers)
    connections.set(socket, visiting)
    if (socket.alpnProtocol === 'h2') serveHttp2(socket, visiting, http2, dates, options)
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
    useCertificate: (certificate, key) => server.setSecureContext(security(certificate, key)),
    async close(graceMs = 0) {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const connection of http2) connection.close()
      http1.closeIdleConnections()
      const cut = options.clock.after(graceMs, () => {
        for (const socket of sockets) socket.destroy()
      })
      await closed
      cut.cancel()
    },
  }
}

function serveHttp2(socket: TLSSocket, visit: Visit, open: Set<Http2Connection>, date: () => string, options: ListenOptions): void {
  const { clock } = options
  const connection = new Http2Connection(socket, {
    clock,
    maxStreams: MAX_STREAMS,
    streamWindow: STREAM_WINDOW_BYTES,
    connectionWindow: CONNECTION_WINDOW_BYTES,
    maxHeaderBytes: MAX_HEADER_BYTES,
    serve(stream) {
      serveOn(visit, new Http2Exchange(stream, visit.connection, date), options)
      if (options.sendsAway?.()) connection.close()
    },
    closed() {
      pings[Symbol.dispose]()
      open.delete(connection)
    },
  })
  // A peer that went away without a word is found by pings.
  const pings = every(clock, PING_MS, () => {
    const overdue = clock.after(PING_TIMEOUT_MS, () => connection.destroy())
    connection.ping(() => overdue.cancel())
  })
  open.add(connection)
}

/** The `date` of answers, made anew once a second. */
function httpDates(clock: Clock): () => string {
  let second = 0
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = new Date(now * 1000).toUTCString()
    }
    return text
  }
}

/** A connection, and whether its client is known. */
interface Visit {
  readonly connection: Connection
  readonly stranger: Stranger
  isKnown: boolean
}

function visit(socket: TLSSocket, strangers: Strangers): Visit {
  const stranger = strangers.meet(() => socket.destroy())
  const visit: Visit = {
    connection: {
      remoteAddress: socket.remoteAddress ?? '',
      certificate: certificateOf(socket),
      memory: new Map(),
      trust() {
        if (visit.isKnown) return
        visit.isKnown = true
        stranger.leave()
      },
    },
    stranger,
    isKnown: false,
  }
  socket.on('close', () => stranger.leave())
  return visit
}

function serveOn({ isKnown, stranger }: Visit, exchange: Exchange, { serve }: ListenOptions): void {
  if (!isKnown) {
    stranger.begin()
    exchange.onClose(() => stranger.end())
  }
  void serve(exchange)
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
