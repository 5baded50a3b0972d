import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Clock } from '#base/time/clock.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Link } from './connection.ts'

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/** The head of an answer. */
export interface WireHead {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

export interface WireAnswer extends WireHead {
  readonly body: Buffer
}

/** Sends a request and waits for the whole answer. Rejects with a StatusError where there is none. */
export function exchange(
  connection: Link,
  request: WireRequest,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let head: WireHead | undefined
    const stream = open(connection, request, {
      head: answer => {
        head = answer
      },
      data: chunk => chunks.push(chunk),
      end: error => {
        timer.cancel()
        options.signal?.removeEventListener('abort', abort)
        if (head && !error) resolve({ ...head, body: Buffer.concat(chunks) })
        else reject(options.signal?.aborted ? options.signal.reason : unreachable(request, error))
      },
    })
    const timer = options.clock.after(options.timeoutMs, () => {
      reject(late(request, options.timeoutMs))
      stream.close()
    })
    const abort = () => stream.close()
    if (options.signal?.aborted) stream.close()
    else options.signal?.addEventListener('abort', abort, { once: true })
  })
}

/** Called in order: head once, data any number of times, end once; end alone if the request fails. */
export interface StreamSink {
  head(head: WireHead): void
  data(chunk: Buffer): void
  end(error: Error | undefined): void
}

/** Sends a request whose answer is taken piece by piece. Closing the result ends it. */
export function open(connection: Link, { method, path, headers, body }: WireRequest, sink: StreamSink): { close(): void } {
  let stream: ClientHttp2Stream
  try {
    stream = connection.request({ ':method': method, ':path': path, ...headers }, body === undefined)
  } catch (error) {
    unsent.add(error as Error)
    queueMicrotask(() => sink.end(error as Error))
    return { close() {} }
  }
  let failure: Error | undefined
  let hasEnded = false
  stream.on('response', received => {
    sink.head({ status: Number(received[':status']), headers: received })
    // Only now: what arrives in one packet with the head would else be told before it.
    stream.on('data', (chunk: Buffer) => sink.data(chunk))
  })
  stream.on('end', () => {
    hasEnded = true
  })
  stream.on('error', error => {
    failure = error
  })
  stream.on('close', () => {
    const error = failure ?? (hasEnded ? undefined : new Error('the stream was cut off'))
    if (error && stream.id === undefined) unsent.add(error) // a stream has a number once its head is on the way
    sink.end(error)
  })
  if (body !== undefined) stream.end(body)
  return { close: () => stream.close() }
}

/** No answer came: whether the request was carried out is unknown, unless it was never sent. */
export function unreachable({ method, path }: WireRequest, cause: Error | undefined): StatusError {
  const why = cause?.message ?? 'the connection was closed'
  const failure = new StatusError({ code: 503, reason: 'ServiceUnavailable', message: `${method} ${path.split('?')[0]}: ${why}`, cause })
  if (method === 'GET' || (cause && unsent.has(cause))) repeatable.add(failure)
  return failure
}

/** Whether a request that failed so can be sent to another server without a second effect: it was never sent, or only reads. */
export function isRepeatable(error: unknown): boolean {
  return repeatable.has(error as object)
}

const unsent = new WeakSet<object>()
const repeatable = new WeakSet<object>()

function late({ method, path }: WireRequest, timeoutMs: number): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: ${method} ${path.split('?')[0]} was not answered within ${timeoutMs / 1000} s`,
  })
}
