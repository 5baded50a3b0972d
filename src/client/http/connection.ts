import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type OutgoingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '#base/time/clock.ts'

/** Where requests go: one connection, or one to whichever of several servers is in use. */
export interface Link {
  /** Sends the head of a request. The stream fails if the connection does. */
  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream
  /** Ends the connection once its requests have ended; the next one gets a new connection. */
  retire(): void
  close(): void
}

/** What a connection needs to be made. Asked for with each new one, so that renewed certificates are used. */
export interface ConnectionOptions {
  /** `https://host:port`. */
  readonly server: string
  readonly clock: Clock
  readonly tls: () => TlsOptions
  /** Makes the stream to the server instead of a TLS connection: a socket of the machine, or a pipe in tests. */
  readonly dial?: ((server: string) => Duplex) | undefined
  /** How long to wait for a connection or the answer to a ping. Default 15 s. */
  readonly patienceMs?: number
  /** How often a connection that stands is asked whether it still does. Default 30 s. */
  readonly pingEveryMs?: number
  /** Whether the machine of a server can be reached at all. With it, a server that answers nothing is given up within seconds. */
  readonly reachable?: ((server: string) => Promise<boolean>) | undefined
  /** Called when the connection could not be made, or broke; not when it was ended by either side in good order. */
  readonly lost?: (error: Error | undefined) => void
}

export interface TlsOptions {
  /** PEM certificates that the server's must come from; absent: those of the system. */
  readonly ca?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
}

const WINDOW_BYTES = 4 * 1024 * 1024

/** A request that has waited so long for the head of its answer has the server asked whether it is still there. */
const DOUBT_AFTER_MS = 500
/** If it says nothing for so long, the network is asked. */
const SILENCE_MS = 500

/** One HTTP/2 connection to a server, made when it is first needed and again after it broke. A silent one is found out by pings. */
export class Connection implements Link {
  readonly #options: ConnectionOptions
  #session: ClientHttp2Session | undefined
  #timer: Timer | undefined
  /** Requests without the head of an answer, and the timer after which that is a reason to doubt. */
  #unanswered = 0
  #doubt: Timer | undefined
  #ended = false

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    const session = this.#open()
    const stream = session.request(headers, { endStream })
    if (this.#options.reachable) this.#attend(session, stream)
    return stream
  }

  retire(): void {
    this.#session?.close()
    this.#forget(this.#session)
  }

  close(): void {
    this.#ended = true
    const session = this.#session
    this.#forget(session)
    session?.destroy(undefined, constants.NGHTTP2_CANCEL)
  }

  #open(): ClientHttp2Session {
    if (this.#ended) throw new Error('the client was closed')
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session
    const { server, tls, clock, dial, patienceMs = 15_000 } = this.#options
    const { ca, certificate, key, serverName, insecureSkipVerify } = tls()
    const session = connect(server, {
      ...(dial ? { createConnection: () => dial(server) } : {}),
      ALPNProtocols: ['h2'],
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      rejectUnauthorized: !insecureSkipVerify,
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(serverName ? { servername: serverName } : {}),
    })
    this.#session = session
    const late = clock.after(patienceMs, () => session.destroy(new Error(`no connection to ${server} within ${patienceMs / 1000} s`)))
    session.once('connect', () => {
      late.cancel()
      session.setLocalWindowSize(4 * WINDOW_BYTES)
      this.#ping(session)
    })
    session.once('goaway', () => this.#forget(session))
    // Each stream reports the failure to whoever waits for it.
    let failure: Error | undefined
    session.on('error', error => {
      failure = error
    })
    session.once('close', () => {
      late.cancel()
      const isLost = this.#session === session
      this.#forget(session)
      if (isLost) this.#options.lost?.(failure)
    })
    return session
  }

  #ping(session: ClientHttp2Session): void {
    const { clock, server, patienceMs = 15_000, pingEveryMs = 30_000 } = this.#options
    this.#timer = clock.after(pingEveryMs, () => {
      if (session.destroyed || this.#session !== session) return
      this.#timer = clock.after(patienceMs, () => session.destroy(new Error(`${server} no longer answers`)))
      session.ping(error => {
        if (this.#session !== session) return
        this.#timer?.cancel()
        if (!error) this.#ping(session)
      })
    })
  }

  /**
   * Looks closer while somebody waits: asks a server that lets an answer wait whether it is there, and if it does not say so, the network. A
   * process that is busy is given time (`patienceMs`); a machine that is gone is not. With nothing unanswered (a watch that began is not) no
   * timer runs.
   */
  #attend(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    this.#unanswered++
    let isWaiting = true
    const answered = () => {
      if (isWaiting) this.#unanswered--
      isWaiting = false
    }
    stream.once('response', answered)
    stream.once('close', answered)
    this.#doubt ??= this.#options.clock.after(DOUBT_AFTER_MS, () => this.#ask(session))
  }

  #ask(session: ClientHttp2Session): void {
    this.#doubt = undefined
    const { clock, server, reachable } = this.#options
    if (this.#unanswered === 0 || this.#session !== session || session.connecting || session.destroyed) return
    const again = () => {
      if (this.#session === session) this.#doubt ??= clock.after(DOUBT_AFTER_MS, () => this.#ask(session))
    }
    let isThere = false
    const silent = clock.after(SILENCE_MS, () => {
      void reachable!(server).then(isReachable => {
        if (isThere || this.#session !== session || session.destroyed) return
        if (isReachable) again()
        else session.destroy(new Error(`${server} can no longer be reached`))
      })
    })
    session.ping(error => {
      isThere = !error
      silent.cancel()
      if (isThere) again()
    })
  }

  #forget(session: ClientHttp2Session | undefined): void {
    if (this.#session !== session) return
    this.#timer?.cancel()
    this.#doubt?.cancel()
    this.#doubt = undefined
    this.#session = undefined
  }
}
