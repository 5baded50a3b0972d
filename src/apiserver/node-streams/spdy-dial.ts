import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '#base/time/clock.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { begin, dialFailure, type Peer } from './peer.ts'

const REFUSAL_BYTES = 50_000

/** Asks a kubelet to speak SPDY/3.1, and answers with the connection. Rejects with a StatusError: what was in the way, or the kubelet's refusal. */
export function dialSpdy(
  peer: Peer,
  path: string,
  protocols: readonly string[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': [...protocols] }
    const call = begin(peer, { method: 'POST', path, headers }, clock)
    const abort = () => call.destroy(new Error('the client has gone'))
    signal.addEventListener('abort', abort, { once: true })
    call.on('close', () => signal.removeEventListener('abort', abort))
    call.on('error', (error: Error) => {
      reject(new StatusError({ code: 500, reason: '', message: `error dialing backend: ${dialFailure(peer, error)}` }))
    })
    call.on('response', answer => void textOf(answer).then(text => reject(refusal(answer.statusCode ?? 500, text)), reject))
    call.on('upgrade', (_answer, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      if (signal.aborted) socket.destroy()
      resolve(socket)
    })
    call.end()
  })
}

/** What somebody says who refuses. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk
    if (text.length > REFUSAL_BYTES) break
  }
  return text.trimEnd()
}

function refusal(code: number, text: string): StatusError {
  const prefix = 'unable to upgrade connection'
  return new StatusError({ code, reason: '', message: text.startsWith(prefix) ? text : `${prefix}: ${text}` })
}
