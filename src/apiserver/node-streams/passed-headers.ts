import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Exchange, ResponseHeaders } from '../http/exchange.ts'

/** Headers of one connection, not of the request; and what was meant for this server alone. */
const OWN = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'host',
  'authorization',
])
const ANSWERED_BY_US = /^(audit-id|access-control-.*)$/

/** Whom a request is passed on for. */
export interface PassedFor {
  /** Said of it, beside what the client says. */
  readonly headers: OutgoingHttpHeaders
  /** What no client may say: such headers of his are left out. */
  readonly reserved: RegExp
}

/** What of a request's headers the peer is told. */
export function requestHeaders(
  { headers, connection }: Pick<Exchange, 'headers' | 'connection'>,
  { headers: more, reserved }: PassedFor = NOBODY,
): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = {}
  const named = namedByConnection(headers['connection'])
  for (const [name, value] of Object.entries(headers)) {
    if (
      value === undefined ||
      name.startsWith(':') ||
      OWN.has(name) ||
      named.has(name) ||
      name.startsWith('impersonate-') ||
      reserved.test(name)
    )
      continue
    const told = name === 'sec-websocket-protocol' ? withoutTokens(value) : value
    if (told !== '') passed[name] = typeof told === 'string' ? told : [...told]
  }
  const before = passed['x-forwarded-for']
  passed['x-forwarded-for'] = before === undefined ? connection.remoteAddress : `${String(before)}, ${connection.remoteAddress}`
  return Object.assign(passed, more)
}

/** A browser's token is among the protocols that it names: it is for this server, and nobody else is to have it. */
function withoutTokens(protocols: string | readonly string[]): string {
  const all = [protocols].flat().flatMap(one => one.split(','))
  return all
    .map(protocol => protocol.trim())
    .filter(protocol => !protocol.startsWith('base64url.bearer.authorization.k8s.io.'))
    .join(', ')
}

const NOBODY: PassedFor = { headers: {}, reserved: /^$/ }

/** What of an answer's headers the client is told. */
export function answerHeaders(headers: IncomingHttpHeaders): ResponseHeaders {
  const passed: Record<string, string | readonly string[]> = {}
  const named = namedByConnection(headers.connection)
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || OWN.has(name) || named.has(name) || ANSWERED_BY_US.test(name)) continue
    passed[name] = value
  }
  return passed
}

function namedByConnection(value: string | readonly string[] | undefined): ReadonlySet<string> {
  const names = [value ?? []].flat().flatMap(one => one.split(','))
  return new Set(names.map(name => name.trim().toLowerCase()))
}
