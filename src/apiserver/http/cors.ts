import { RE2JS } from 're2js'
import { type Exchange, headerOf, type ResponseHeaders } from './exchange.ts'
import { exchangeWith } from './exchange-with.ts'

/** Which scripts of other origins may call (`--cors-allowed-origins`), as browsers ask it (Fetch, CORS protocol). */
export interface CrossOrigin {
  /** The exchange, whose answers tell browsers that the origin may read them; undefined if that was all that was asked. */
  serve(exchange: Exchange): Exchange | undefined
}

const ALLOWED: ResponseHeaders = {
  'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'access-control-allow-headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'access-control-expose-headers': 'Date',
  'access-control-allow-credentials': 'true',
}

/** `patterns` are regular expressions (RE2), of which one must match somewhere in the origin. */
export function crossOrigin(patterns: readonly string[]): CrossOrigin {
  const known = patterns.map(pattern => RE2JS.compile(pattern))
  return {
    serve(exchange) {
      const origin = headerOf(exchange, 'origin') ?? ''
      if (origin === '' || !known.some(pattern => pattern.matcher(origin).find())) return exchange
      const headers = { 'access-control-allow-origin': origin, ...ALLOWED }
      if (exchange.method !== 'OPTIONS') {
        return exchangeWith(exchange, {
          answer: (status, own, body) => exchange.answer(status, { ...own, ...headers }, body),
          stream: (status, own) => exchange.stream(status, { ...own, ...headers }),
        })
      }
      exchange.answer(204, headers)
      return undefined
    },
  }
}

/**
 * What is wrong with a pattern; undefined if nothing is. It must say where the host begins and ends: `example.com` alone would let in
 * `example.com.evil.org`.
 */
export function originProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    return `has an invalid regular expression: ${(error as Error).message}`
  }
  if (!pattern.startsWith('^') && !pattern.includes('//'))
    return `regular expression ${pattern} does not pin to start of host in the origin header`
  return /(\$|:|\(:\|\$\)|\(\$\|:\))$/.test(pattern)
    ? undefined
    : `regular expression ${pattern} does not pin to end of host in the origin header`
}
