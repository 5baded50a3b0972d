import type { IncomingMessage } from 'node:http'
import type { Clock } from '#base/time/clock.ts'
import { serviceUnavailable } from '#machinery/status/failures.ts'
import type { Exchange, ResponseHeaders } from '../http/exchange.ts'
import { headerOf } from '../http/exchange.ts'
import { answerHeaders, type PassedFor, requestHeaders } from './passed-headers.ts'
import { authorityOf, begin, dialFailure, type Peer, unusableAnswer } from './peer.ts'
import { pump } from './pump.ts'

/** Passes a request on and its answer back, both as they come. `prefix` is the path under which the peer's root is seen; undefined: redirects are refused. */
export function relayProxy(
  exchange: Exchange,
  peer: Peer,
  path: string,
  prefix: string | undefined,
  clock: Clock,
  passedFor?: PassedFor,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const forwarded = {
      'x-forwarded-uri': exchange.path,
      'x-forwarded-host': headerOf(exchange, ':authority') ?? headerOf(exchange, 'host') ?? '',
      'x-forwarded-proto': 'https',
    }
    const call = begin(peer, { method: exchange.method, path, headers: { ...requestHeaders(exchange, passedFor), ...forwarded } }, clock)
    let isAnswered = false
    call.on('error', (error: Error) => {
      if (!isAnswered) reject(serviceUnavailable(`error trying to reach service: ${dialFailure(peer, error)}`))
    })
    call.on('response', answer => {
      isAnswered = true
      try {
        if (prefix === undefined && isRedirect(answer))
          throw new Error('the backend attempted to redirect this request, which is not permitted')
        const headers = answerHeaders(answer.headers)
        pump(exchange, answer, answer.statusCode ?? 502, prefix === undefined ? headers : withLocation(headers, peer, prefix))
        resolve()
      } catch (error) {
        call.destroy()
        reject(unusableAnswer(peer, error))
      }
    })
    exchange.onAbort(() => call.destroy())
    if (hasBody(exchange)) exchange.incoming.pipe(call)
    else call.end()
  })
}

function isRedirect({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 300 && statusCode < 400 && headers.location !== undefined
}

function hasBody(exchange: Exchange): boolean {
  const length = headerOf(exchange, 'content-length')
  if (length !== undefined) return length !== '0'
  if (headerOf(exchange, 'transfer-encoding') !== undefined) return true
  return headerOf(exchange, ':method') !== undefined && !['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(exchange.method)
}

/** A redirect to another place of the same peer leads through this server again. */
function withLocation(headers: ResponseHeaders, peer: Peer, prefix: string): ResponseHeaders {
  const location = headers['location']
  if (typeof location !== 'string') return headers
  const own = `${peer.scheme}://${authorityOf(peer)}`
  const url = URL.canParse(location, own) ? new URL(location, own) : undefined
  if (!url || url.origin !== new URL(own).origin || !/^(\/|https?:)/.test(location)) return headers
  return { ...headers, location: `${prefix}${url.pathname}${url.search}${url.hash}` }
}
