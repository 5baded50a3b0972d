import type { Exchange, ResponseHeaders, ResponseStream, Upgrade } from './exchange.ts'

/** A request as if it had been sent to another path; it is answered where it came from. */
export function rewritten(exchange: Exchange, path: string, query: string): Exchange {
  const { method, headers, rawHeaders, connection, upgrade } = exchange
  return {
    method,
    path,
    query,
    headers,
    rawHeaders,
    connection,
    ...(upgrade ? { upgrade: upgrade satisfies Upgrade } : {}),
    body: limit => exchange.body(limit),
    get incoming() {
      return exchange.incoming
    },
    answer: (status: number, head: ResponseHeaders, body?: Uint8Array) => exchange.answer(status, head, body),
    stream: (status: number, head: ResponseHeaders): ResponseStream => exchange.stream(status, head),
    onAbort: callback => exchange.onAbort(callback),
    onClose: callback => exchange.onClose(callback),
  }
}
