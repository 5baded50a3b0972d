import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { SpdyConnection, type SpdyOptions } from './spdy-connection.ts'

const PROTOCOL_HEADER = 'x-stream-protocol-version'

/** Where and how to ask for an upgrade to SPDY/3.1. */
export interface SpdyRequest {
  readonly url: string
  /** The stream protocols this side speaks, best first: `v4.channel.k8s.io`, `portforward.k8s.io` … */
  readonly protocols: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** TLS options for an https address. */
  readonly tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>
  readonly signal?: AbortSignal
}

/** Asks a server to upgrade to SPDY/3.1 and answers with the connection and the stream protocol the server chose. */
export function connectSpdy(request: SpdyRequest): Promise<{ connection: SpdyConnection; protocol: string }> {
  const send = request.url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const call = send(request.url, {
      method: 'POST',
      headers: { ...request.headers, Connection: 'Upgrade', Upgrade: 'SPDY/3.1', [PROTOCOL_HEADER]: [...request.protocols] },
      agent: false,
      ...request.tls,
      ...(request.signal ? { signal: request.signal } : {}),
    })
    call.on('error', reject)
    call.on('response', response => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        reject(new Error(`The server did not upgrade to SPDY/3.1: ${response.statusCode} ${Buffer.concat(parts).toString().trim()}`)),
      )
    })
    call.on('upgrade', (response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      const protocol = response.headers[PROTOCOL_HEADER]
      resolve({ connection: new SpdyConnection(socket, { side: 'client' }), protocol: typeof protocol === 'string' ? protocol : '' })
    })
    call.end()
  })
}

/** The stream protocols a request for an upgrade offers, best first. */
export function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers[PROTOCOL_HEADER]
  const values = typeof header === 'string' ? [header] : (header ?? [])
  return values.flatMap(value => value.split(',')).map(value => value.trim())
}

/** Whether a request asks for SPDY/3.1. */
export function asksForSpdy(request: IncomingMessage): boolean {
  return (request.headers.upgrade ?? '').toLowerCase() === 'spdy/3.1'
}

/** Answers a request's upgrade with SPDY/3.1 and `protocol`, and serves the connection. */
export function acceptSpdy(socket: Duplex, head: Buffer, protocol: string, onStream: NonNullable<SpdyOptions['onStream']>): SpdyConnection {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1']
  if (protocol !== '') lines.push(`X-Stream-Protocol-Version: ${protocol}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  return new SpdyConnection(socket, { side: 'server', onStream })
}
