import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '#base/time/clock.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Exchange, Upgrade } from '../http/exchange.ts'
import { join } from './join.ts'
import { answerHeaders, type PassedFor, requestHeaders } from './passed-headers.ts'
import { begin, dialFailure, type Peer, unusableAnswer } from './peer.ts'
import { pump } from './pump.ts'

/** Passes a request to change the protocol on as it is, and joins the two connections once the peer agrees. Rejects if there is no answer. */
export function relayUpgrade(
  exchange: Exchange,
  upgrade: Upgrade,
  peer: Peer,
  path: string,
  clock: Clock,
  passedFor?: PassedFor,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { ...requestHeaders(exchange, passedFor), connection: 'Upgrade', upgrade: upgrade.request.headers.upgrade }
    const protocols = upgrade.request.headersDistinct['x-stream-protocol-version']
    const call = begin(
      peer,
      { method: exchange.method, path, headers: protocols ? { ...headers, 'x-stream-protocol-version': protocols } : headers },
      clock,
    )
    let isAnswered = false
    call.on('error', (error: Error) => {
      if (isAnswered) return
      reject(new StatusError({ code: 500, reason: '', message: `error dialing backend: ${dialFailure(peer, error)}` }))
    })
    call.on('response', answer => {
      isAnswered = true
      try {
        pump(exchange, answer, answer.statusCode ?? 502, answerHeaders(answer.headers))
        resolve()
      } catch (error) {
        reject(unusableAnswer(peer, error))
      }
    })
    call.on('upgrade', (answer, theirs, head) => {
      isAnswered = true
      const ours = upgrade.take()
      ours.write(headOf(answer))
      if (head.length > 0) theirs.unshift(head)
      if (upgrade.head.length > 0) ours.unshift(upgrade.head)
      void join(ours, theirs as Duplex, clock)
      resolve()
    })
    exchange.onAbort(() => {
      if (!isAnswered) call.destroy()
    })
    call.end()
  })
}

/** The peer's agreement, as it was said. */
function headOf({ rawHeaders, statusCode, statusMessage }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`]
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
