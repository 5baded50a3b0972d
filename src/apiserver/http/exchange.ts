import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Pieces } from '#base/net/pieces.ts'

/** A request and the way to answer it, whichever protocol it came by. */
export interface Exchange {
  readonly method: string
  /** As sent: escaped, without the query. */
  readonly path: string
  /** Behind the question mark; '' if there is none. */
  readonly query: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values in turn, as they were sent: a header that came twice is there twice. */
  readonly rawHeaders: readonly string[]
  /** The connection it came by: what is found out about a connection is remembered on it. */
  readonly connection: Connection
  /** The body; rejects with {@link BodyTooLarge} beyond `limit` bytes. */
  body(limit: number): Promise<Uint8Array>
  /** The body as it comes, for those who pass it on. */
  readonly incoming: Readable
  /** There if the client asks to speak another protocol from here on. */
  readonly upgrade?: Upgrade
  /** Answers as a whole; the body is the parts one behind the other, which must not change any more. */
  answer(status: number, headers: ResponseHeaders, body?: Pieces): void
  /** Answers bit by bit. */
  stream(status: number, headers: ResponseHeaders): ResponseStream
  /** Calls back once the client has gone before the answer was complete. */
  onAbort(callback: () => void): void
  /** Calls back once the connection has taken all of the answer, or the client has gone. */
  onClose(callback: () => void): void
}

/** A connection that is to change its protocol. Whoever takes its socket answers on it; else the request is answered as any other. */
export interface Upgrade {
  readonly request: IncomingMessage
  /** What was sent behind the request already. */
  readonly head: Buffer
  /** Takes the connection: nothing else is answered on it. */
  take(): Duplex
}

/** A connection and what it proved of the client. */
export interface Connection {
  readonly remoteAddress: string
  /** The client's certificate with those behind it, DER, leaf first. */
  readonly certificate: { readonly raw: Uint8Array; readonly issuers: readonly Uint8Array[] } | undefined
  /** What was remembered, by whoever remembers it. */
  readonly memory: Map<unknown, unknown>
  /** Its client has proved who it is: it may be silent for as long as it likes. */
  trust(): void
}

export type ResponseHeaders = Readonly<Record<string, string | readonly string[]>>

/** An answer under way. */
export interface ResponseStream {
  write(chunk: Uint8Array): void
  /** Bytes that were written and not yet taken by the connection. */
  readonly pendingBytes: number
  onDrain(callback: () => void): void
  end(): void
  /** Cuts the answer off. */
  destroy(): void
}

/** More was sent than is read. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
  readonly limit: number
  constructor(limit: number) {
    super(`limit is ${limit}`)
    this.limit = limit
  }
}

/** One value of a header that may come several times. */
export function headerOf(exchange: Pick<Exchange, 'headers'>, name: string): string | undefined {
  const value = exchange.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
