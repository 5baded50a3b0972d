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

/** What of a request's headers the peer is told. */
export function requestHeaders({ headers, connection }: Pick<Exchange, 'headers' | 'connection'>): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = {}
  const named = namedByConnection(headers['connection'])
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || OWN.has(name) || named.has(name) || name.startsWith('impersonate-')) continue
    passed[name] = typeof value === 'string' ? value : [...value]
  }
  const before = passed['x-forwarded-for']
  passed['x-forwarded-for'] = before === undefined ? connection.remoteAddress : `${String(before)}, ${connection.remoteAddress}`
  return passed
}

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
