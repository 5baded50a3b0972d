import type { Exchange } from './exchange.ts'

/** The same exchange with some of it replaced: it is answered where it came from. */
export function exchangeWith(exchange: Exchange, changes: Partial<Exchange>): Exchange {
  const { method, path, query, headers, rawHeaders, connection, upgrade } = exchange
  return {
    method,
    path,
    query,
    headers,
    rawHeaders,
    connection,
    ...(upgrade ? { upgrade } : {}),
    body: limit => exchange.body(limit),
    get incoming() {
      return exchange.incoming
    },
    answer: (status, head, body) => exchange.answer(status, head, body),
    stream: (status, head) => exchange.stream(status, head),
    onAbort: callback => exchange.onAbort(callback),
    onClose: callback => exchange.onClose(callback),
    ...changes,
  }
}
