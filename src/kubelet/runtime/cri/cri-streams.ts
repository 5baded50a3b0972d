import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { SpdyStream } from '#base/net/spdy/spdy-connection.ts'
import { connectSpdy } from '#base/net/spdy/upgrade.ts'
import { type ExecOutcome, type ExecStreams, RuntimeError } from '../runtime.ts'

/**
 * Joins `streams` to what the runtime serves at `url` (the answer of Exec or Attach), by the remote command protocol v4 over SPDY: WebSockets
 * of that version could not tell the end of standard input.
 */
export async function attachStreams(url: string, streams: ExecStreams): Promise<ExecOutcome> {
  const { connection } = await connectSpdy({ url, protocols: ['v4.channel.k8s.io'] })
  const abort = () => connection[Symbol.dispose]()
  streams.signal?.addEventListener('abort', abort, { once: true })
  if (streams.signal?.aborted) abort()
  try {
    const open = (streamType: string) => connection.open({ streamtype: streamType })
    const error = open('error')
    const outcome = readAll(error)
    const stdin = streams.stdin && open('stdin')
    const stdout = streams.stdout && open('stdout')
    const stderr = !streams.tty && streams.stderr ? open('stderr') : undefined
    const resize = streams.tty && streams.onResize ? open('resize') : undefined
    const outputs: Promise<void>[] = []
    for (const [from, to] of [[stdout, streams.stdout] as const, [stderr, streams.stderr] as const]) {
      if (from && to) outputs.push(copy(from, to))
    }
    if (stdin) streams.stdin!.pipe(stdin)
    if (resize) streams.onResize!(({ width, height }) => resize.write(`${JSON.stringify({ Width: width, Height: height })}\n`))
    error.end()
    const text = await outcome
    await Promise.all(outputs)
    if (stdin) streams.stdin!.unpipe(stdin)
    return outcomeOf(text)
  } finally {
    streams.signal?.removeEventListener('abort', abort)
    connection.close()
  }
}

/** Joins `stream` to `port` of the pod whose PortForward URL this is. */
export async function forwardPort(url: string, port: number, stream: Duplex): Promise<void> {
  const { connection } = await connectSpdy({ url, protocols: ['portforward.k8s.io'] })
  try {
    const headers = { port: String(port), requestid: '0' }
    const error = connection.open({ streamtype: 'error', ...headers })
    error.end()
    const failure = readAll(error)
    const data = connection.open({ streamtype: 'data', ...headers })
    stream.pipe(data)
    data.pipe(stream)
    const text = await failure
    if (text !== '') throw new RuntimeError('Unknown', text)
    await finished(data, { writable: false }).catch(() => {})
  } finally {
    stream.unpipe()
    connection.close()
  }
}

/** Copies what comes until its end; a receiver that went away is no reason to stop reading. */
async function copy(from: SpdyStream, to: NodeJS.WritableStream): Promise<void> {
  from.pipe(to, { end: false })
  to.on('error', () => from.resume())
  await finished(from, { writable: false }).catch(() => {})
}

function readAll(stream: SpdyStream): Promise<string> {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  return finished(stream, { writable: false }).then(
    () => Buffer.concat(parts).toString('utf8'),
    () => Buffer.concat(parts).toString('utf8'),
  )
}

interface StatusMessage {
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] }
}

/** Reads the v1.Status that ends a remote command. */
export function outcomeOf(text: string): ExecOutcome {
  if (text === '') return { exitCode: 0 }
  let status: StatusMessage
  try {
    status = JSON.parse(text) as StatusMessage
  } catch {
    return { exitCode: -1, error: text }
  }
  if (status.status === 'Success') return { exitCode: 0 }
  const code = status.details?.causes?.find(cause => cause.reason === 'ExitCode')?.message
  if (status.reason === 'NonZeroExitCode' && code !== undefined) return { exitCode: Number(code) }
  return { exitCode: -1, error: status.message ?? text }
}
