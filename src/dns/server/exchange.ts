import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Clock } from '#base/time/clock.ts'
import { readAnswer } from '../wire/answer.ts'
import { encodedLength } from '../wire/name.ts'
import { readRequest } from '../wire/request.ts'
import type { Exchange } from './forwarder.ts'
import type { Upstream } from './resolv-conf.ts'
import { messagesIn, withLength } from './stream.ts'

/**
 * Exchanges over the network. Every query has a socket of its own, so that an answer must guess the port as well as the id, and nothing
 * is open while no one asks.
 */
export function networkExchange(clock: Clock, signal: AbortSignal): Exchange {
  return (upstream, query, transport, timeoutMs) =>
    new Promise((resolve, reject) => {
      const close = transport === 'udp' ? overUdp(upstream, query, settle, fail) : overTcp(upstream, query, settle, fail)
      const timer = clock.after(timeoutMs, () => fail(new Error(`no answer from ${upstream.address} within ${timeoutMs} ms`)))
      const abort = () => fail(new Error('the cluster DNS was stopped'))
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      function settle(bytes: Uint8Array): void {
        if (!answers(bytes, query)) return
        end()
        resolve(bytes)
      }
      function fail(error: Error): void {
        end()
        reject(error)
      }
      function end(): void {
        timer.cancel()
        signal.removeEventListener('abort', abort)
        close()
      }
    })
}

function overUdp(upstream: Upstream, query: Uint8Array, answer: (bytes: Uint8Array) => void, fail: (error: Error) => void): () => void {
  const socket = createSocket(upstream.address.includes(':') ? 'udp6' : 'udp4')
  let open = true
  socket.on('message', answer)
  socket.on('error', fail)
  // A connected socket takes packets from nobody else.
  socket.connect(upstream.port, upstream.address, () => {
    if (open) socket.send(query, error => error && fail(error))
  })
  return () => {
    if (!open) return
    open = false
    socket.removeAllListeners('error').on('error', () => {})
    socket.close()
  }
}

function overTcp(upstream: Upstream, query: Uint8Array, answer: (bytes: Uint8Array) => void, fail: (error: Error) => void): () => void {
  const socket = connect({ host: upstream.address, port: upstream.port })
  const messages = messagesIn()
  socket.on('connect', () => socket.write(withLength(query)))
  socket.on('data', chunk => messages(chunk).forEach(answer))
  socket.on('error', fail)
  socket.on('end', () => fail(new Error(`${upstream.address} ended the connection without an answer`)))
  return () => {
    socket.removeAllListeners().on('error', () => {})
    socket.destroy()
  }
}

/** Whether these bytes answer this query: id, name and type are its own. */
function answers(bytes: Uint8Array, query: Uint8Array): boolean {
  const answer = readAnswer(bytes)
  const request = readRequest(query)
  if (!answer || !request || !('name' in request)) return false
  const type = 12 + encodedLength(request.name)
  return answer.id === request.id && answer.name === request.name && answer.type === ((query[type]! << 8) | query[type + 1]!)
}
