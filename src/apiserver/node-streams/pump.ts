import type { IncomingMessage } from 'node:http'
import type { Exchange, ResponseHeaders } from '../http/exchange.ts'

/** What waits for a slow client at most; then the peer is not read on. */
const PENDING_BYTES = 256 * 1024

/** Answers a request with a peer's answer as it comes. Either side's end is the other's. */
export function pump(exchange: Exchange, answer: IncomingMessage, status: number, headers: ResponseHeaders): void {
  const out = exchange.stream(status, headers)
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
  answer.on('error', () => undefined)
  answer.on('close', () => {
    if (!isOver) out.destroy()
  })
  exchange.onAbort(() => answer.destroy())
}
