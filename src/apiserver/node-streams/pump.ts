import type { IncomingMessage } from 'node:http'
import type { Exchange, ResponseHeaders, ResponseStream } from '../http/exchange.ts'

/** What waits for a slow client at most; then the peer is not read on. */
const PENDING_BYTES = 256 * 1024

/** Answers a request with a peer's answer as it comes. Either side's end is the other's. Throws if the answer's head cannot be told. */
export function pump(exchange: Exchange, answer: IncomingMessage, status: number, headers: ResponseHeaders): void {
  answer.on('error', () => undefined)
  exchange.onAbort(() => answer.destroy())
  const out = begun(exchange, answer, status, headers)
  let isOver = false
  answer.on('data', (chunk: Buffer) => {
    out.write(chunk)
    if (out.pendingBytes > PENDING_BYTES) answer.pause()
  })
  out.onDrain(() => answer.resume())
  answer.on('end', () => {
    isOver = true
    out.end()
  })
  answer.on('close', () => {
    if (!isOver) out.destroy()
  })
}

function begun(exchange: Exchange, answer: IncomingMessage, status: number, headers: ResponseHeaders): ResponseStream {
  try {
    return exchange.stream(status, headers)
  } catch (error) {
    answer.destroy()
    throw error
  }
}
