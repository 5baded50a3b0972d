import type { Clock } from '#base/time/clock.ts'
import { badRequest, genericFailure, internalError } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { RequestContext } from '../http/request-context.ts'
import { authorityOf, begin, dialFailure, type Peer } from './peer.ts'
import { pump } from './pump.ts'
import { textOf } from './spdy-dial.ts'

/** Answers with a log as the kubelet reads it. Rejects with what the kubelet refuses. */
export function relayLog(context: RequestContext, peer: Peer, path: string, pod: string, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = begin(peer, { method: 'GET', path, headers: {} }, clock)
    let isAnswered = false
    call.on('error', (error: Error) => {
      if (isAnswered) return
      const message = `Get "https://${authorityOf(peer)}${path}": ${dialFailure(peer, error)}`
      reject(new StatusError({ code: 500, reason: '', message }))
    })
    call.on('response', answer => {
      isAnswered = true
      const { statusCode = 500 } = answer
      if (statusCode >= 200 && statusCode <= 206) {
        context.markAnswered()
        pump(context.exchange, answer, 200, context.headers('text/plain'))
        return resolve()
      }
      textOf(answer).then(text => reject(refusalOf(statusCode, text, pod)), reject)
    })
    context.exchange.onAbort(() => call.destroy())
    call.end()
  })
}

function refusalOf(code: number, text: string, pod: string): StatusError {
  if (code === 400) return badRequest(text)
  if (code === 500) return internalError(text)
  return genericFailure({ code, of: { group: '', resource: 'pods/log' }, name: pod, serverMessage: text })
}
