import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { isIP, isIPv6 } from 'node:net'
import { type NetworkError, networkErrorText } from '#base/net/network-error.ts'
import type { Clock } from '#base/time/clock.ts'

/** A request to a program that the API server calls. */
export interface HttpsRequest {
  readonly method: 'GET' | 'POST'
  /** Where the connection goes. */
  readonly host: string
  readonly port: number
  /** Whom the certificate must name, and the `Host` header; default: `host` and `port`. */
  readonly serverName?: string
  readonly authority?: string
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Uint8Array
  readonly tls?: HttpsTrust
  readonly timeoutMs: number
  /** An answer beyond this is not read to its end, and fails. */
  readonly limitBytes?: number
  readonly signal?: AbortSignal
}

/** Whom the caller believes, and how it proves itself. PEM. */
export interface HttpsTrust {
  /** Absent: the authorities that Node knows. */
  readonly ca?: string
  readonly certificate?: string
  readonly privateKey?: string
  /** Believes everybody. */
  readonly insecure?: boolean
}

export interface HttpsAnswer {
  readonly status: number
  readonly contentType: string
  readonly retryAfter: string
  readonly body: Uint8Array
}

/** Calls programs by HTTPS. Connections are kept for the next call; redirects are not followed. */
export interface HttpsClient extends Disposable {
  /** Rejects, in the words of Go's client, when there is no answer: it cannot be reached, is not believed, takes too long or says too much. */
  call(request: HttpsRequest): Promise<HttpsAnswer>
}

const LIMIT_BYTES = 8 * 1024 * 1024
/** An unused connection is closed after this long. */
const IDLE_MS = 90_000
const IDLE_CONNECTIONS = 25

export function httpsClient(clock: Clock): HttpsClient {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, timeout: IDLE_MS, scheduling: 'lifo' })
  return {
    async call(request) {
      for (;;) {
        const attempt = await tryCall(agent, request, clock)
        // A connection that was kept may have been closed by the other side just before it was used.
        if (attempt !== 'stale') return attempt
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

function tryCall(agent: Agent, request: HttpsRequest, clock: Clock): Promise<HttpsAnswer | 'stale'> {
  const { method, host, port, serverName, path, body, tls = {}, timeoutMs, limitBytes = LIMIT_BYTES, signal } = request
  return new Promise((resolve, reject) => {
    const call = httpsRequest({
      agent,
      method,
      host,
      port,
      path,
      setHost: false,
      headers: headersOf(request),
      ...(serverName !== undefined && isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.certificate && tls.privateKey ? { cert: tls.certificate, key: tls.privateKey } : {}),
      rejectUnauthorized: !tls.insecure,
    })
    let failure: Error | undefined
    const fail = (error: Error) => {
      failure ??= error
      call.destroy(error)
    }
    const timer = clock.after(timeoutMs, () => fail(new Error('context deadline exceeded')))
    const abort = () => fail(new Error('context canceled'))
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const over = () => {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
    let isAnswered = false
    call.on('error', (error: NetworkError) => {
      over()
      if (!failure && !isAnswered && call.reusedSocket && error.code === 'ECONNRESET') resolve('stale')
      else reject(failure ?? new Error(networkErrorText(addressOf(request), error), { cause: error }))
    })
    call.on('response', answer => {
      isAnswered = true
      readAll(answer, limitBytes).then(
        read => {
          over()
          const contentType = answer.headers['content-type'] ?? ''
          resolve({ status: answer.statusCode ?? 0, contentType, retryAfter: answer.headers['retry-after'] ?? '', body: read })
        },
        (error: NetworkError) => {
          over()
          call.destroy()
          reject(failure ?? (error.code === 'ECONNRESET' ? new Error('unexpected EOF', { cause: error }) : error))
        },
      )
    })
    call.end(body)
  })
}

function headersOf({ authority, headers, body, ...place }: HttpsRequest): OutgoingHttpHeaders {
  const own: OutgoingHttpHeaders = { host: authority ?? addressOf(place) }
  for (const [name, value] of Object.entries(headers ?? {})) own[name] = typeof value === 'string' ? value : [...value]
  if (body) own['content-length'] = body.length
  return own
}

function addressOf({ host, port }: Pick<HttpsRequest, 'host' | 'port'>): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

async function readAll(answer: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > limitBytes) throw new Error(`the answer is longer than ${limitBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
