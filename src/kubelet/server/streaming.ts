/**
 * How exec, attach and port-forward reach a pod.
 *
 * The API server pipes an upgraded connection through as it is: whatever kubectl speaks ends here. So this side serves both protocols that
 * clients of the last ten years use, and the API server needs to know none of them:
 *
 * - WebSocket `v5.channel.k8s.io` (half-close by a frame `255, channel`) and `v4.channel.k8s.io`; frames begin with the channel's number.
 * - SPDY/3.1 with `X-Stream-Protocol-Version: v4.channel.k8s.io` down to v1; streams say what they are in the header `streamType`.
 * - Port-forward: SPDY/3.1 with `portforward.k8s.io`, on its own or tunnelled in a WebSocket `SPDY/3.1+portforward.k8s.io`.
 *
 * An upstream API server, which turns WebSockets into SPDY itself, is served by the same code.
 */
import type { IncomingMessage } from 'node:http'
import { type Duplex, PassThrough, Writable } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import { SpdyConnection, type SpdyStream } from '#base/net/spdy/spdy-connection.ts'
import { acceptSpdy, asksForSpdy, offeredProtocols } from '#base/net/spdy/upgrade.ts'
import type { Clock } from '#base/time/clock.ts'
import type { ExecOutcome, ExecStreams, TerminalSize } from '../runtime/runtime.ts'

/** Which ends a client asked for. */
export interface StreamRequest {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** Joins a client to a process; resolves when that has ended. */
export type Join = (streams: ExecStreams) => Promise<ExecOutcome>
/** Joins a client's stream to a port of the pod. */
export type Forward = (port: number, stream: Duplex) => Promise<void>

export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly clock: Clock
}

const STREAMS_TIMEOUT_MS = 30_000
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const
const REMOTE_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io']
const TUNNEL = 'SPDY/3.1+portforward.k8s.io'

/** Serves exec and attach over whichever protocol the client asks for. */
export async function serveRemoteCommand(upgrade: Upgrade, wanted: StreamRequest, join: Join): Promise<void> {
  if (asksForSpdy(upgrade.request)) return serveOverSpdy(upgrade, wanted, join)
  const webSocket = await acceptWebSocket(upgrade, ['v5.channel.k8s.io', 'v4.channel.k8s.io'])
  if (webSocket) await serveOverWebSocket(webSocket, wanted, join)
}

/** Serves port-forward over whichever protocol the client asks for. */
export async function servePortForward(upgrade: Upgrade, forward: Forward): Promise<void> {
  if (asksForSpdy(upgrade.request)) {
    const pairs = new PortPairs(forward)
    const connection = acceptSpdy(upgrade.socket, upgrade.head, 'portforward.k8s.io', stream => pairs.add(stream))
    return connection.closed
  }
  const webSocket = await acceptWebSocket(upgrade, [TUNNEL])
  if (!webSocket) return
  const pairs = new PortPairs(forward)
  const tunnel = createWebSocketStream(webSocket)
  tunnel.on('error', () => {})
  const connection = new SpdyConnection(tunnel, { side: 'server', onStream: stream => pairs.add(stream) })
  await connection.closed
}

function acceptWebSocket({ request, socket, head }: Upgrade, protocols: readonly string[]): Promise<WebSocket | undefined> {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(protocol => protocol.trim())
  const chosen = protocols.find(protocol => offered.includes(protocol))
  if (chosen === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nunable to upgrade: no stream protocol of this server was offered\n')
    return Promise.resolve(undefined)
  }
  // The library refuses names with a slash, which Kubernetes uses all the same: so it is not shown what was offered, and the answer is added.
  delete request.headers['sec-websocket-protocol']
  const server = new WebSocketServer({ noServer: true, maxPayload: 32 * 1024 * 1024 })
  server.on('headers', headers => headers.push(`Sec-WebSocket-Protocol: ${chosen}`))
  return new Promise(resolve => server.handleUpgrade(request, socket, head, resolve))
}

async function serveOverWebSocket(webSocket: WebSocket, wanted: StreamRequest, join: Join): Promise<void> {
  const abort = new AbortController()
  const stdin = wanted.stdin ? new PassThrough() : undefined
  const resizes = new Resizes()
  webSocket.on('message', (data: Buffer) => {
    if (data.length === 0) return
    if (data[0] === CHANNEL.stdin && stdin && !stdin.writableEnded) {
      if (!stdin.write(data.subarray(1))) {
        webSocket.pause()
        stdin.once('drain', () => webSocket.resume())
      }
    } else if (data[0] === CHANNEL.resize) resizes.push(data.toString('utf8', 1))
    else if (data[0] === CHANNEL.close && data[1] === CHANNEL.stdin) stdin?.end()
  })
  webSocket.on('close', () => {
    stdin?.end()
    abort.abort(new Error('the client has gone'))
  })
  webSocket.on('error', () => {})
  const channel = (number: number) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) =>
        webSocket.readyState === webSocket.OPEN ? webSocket.send(Buffer.concat([Buffer.from([number]), chunk]), () => done()) : done(),
    })
  const stdout = wanted.stdout ? channel(CHANNEL.stdout) : undefined
  const stderr = wanted.stderr && !wanted.tty ? channel(CHANNEL.stderr) : undefined
  const outcome = await joined(join, {
    stdin,
    stdout,
    stderr,
    tty: wanted.tty,
    onResize: wanted.tty ? listener => resizes.listen(listener) : undefined,
    signal: abort.signal,
  })
  // The status is the last word: what the command wrote has to be out before it.
  await Promise.all([stdout, stderr].map(output => written(output)))
  if (webSocket.readyState === webSocket.OPEN)
    webSocket.send(Buffer.concat([Buffer.from([CHANNEL.error]), Buffer.from(statusText(outcome))]))
  webSocket.close(1000)
}

/** Resolves once everything that was written to `output` has been taken; it is ended by then. */
function written(output: Writable | undefined): Promise<void> {
  return new Promise(resolve => {
    if (!output || output.writableFinished || output.destroyed) return resolve()
    output.once('finish', resolve).once('close', resolve)
    if (!output.writableEnded) output.end()
  })
}

async function serveOverSpdy({ request, socket, head, clock }: Upgrade, wanted: StreamRequest, join: Join): Promise<void> {
  const offered = offeredProtocols(request)
  const protocol = REMOTE_PROTOCOLS.find(candidate => offered.includes(candidate)) ?? ''
  const types = [
    'error',
    ...(wanted.stdin ? ['stdin'] : []),
    ...(wanted.stdout ? ['stdout'] : []),
    ...(wanted.stderr && !wanted.tty ? ['stderr'] : []),
  ]
  if (wanted.tty && /^v[345]/.test(protocol)) types.push('resize')
  const streams = new Map<string, SpdyStream>()
  let complete = () => {}
  const all = new Promise<void>(resolve => {
    complete = resolve
  })
  const connection = acceptSpdy(socket, head, protocol, stream => {
    streams.set(stream.headers['streamtype'] ?? '', stream)
    if (types.every(type => streams.has(type))) complete()
  })
  const timer = clock.after(STREAMS_TIMEOUT_MS, () => connection[Symbol.dispose]())
  await Promise.race([all, connection.closed])
  timer.cancel()
  if (!types.every(type => streams.has(type))) return
  const abort = new AbortController()
  void connection.closed.then(() => abort.abort(new Error('the client has gone')))
  const resizes = new Resizes()
  streams.get('resize')?.on('data', (part: Buffer) => resizes.push(part.toString('utf8')))
  const outcome = await joined(join, {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    tty: wanted.tty,
    onResize: wanted.tty ? listener => resizes.listen(listener) : undefined,
    signal: abort.signal,
  })
  const failed = outcome.exitCode !== 0 || outcome.error !== undefined
  const text = /^v[45]/.test(protocol)
    ? statusText(outcome)
    : failed
      ? (outcome.error ?? `command terminated with exit code ${outcome.exitCode}`)
      : ''
  for (const type of ['stdout', 'stderr']) streams.get(type)?.end()
  streams.get('error')!.end(text)
  await Promise.race([ended(streams.get('error')!), connection.closed])
  connection.close()
}

async function joined(join: Join, streams: ExecStreams): Promise<ExecOutcome> {
  try {
    return await join(streams)
  } catch (error) {
    return { exitCode: -1, error: (error as Error).message }
  }
}

const ended = (stream: Duplex) => new Promise<void>(resolve => stream.once('finish', resolve).once('close', () => resolve()))

/** The v1.Status that ends a remote command. */
export function statusText({ exitCode, error }: ExecOutcome): string {
  if (error !== undefined) {
    return JSON.stringify({
      metadata: {},
      status: 'Failure',
      message: error,
      reason: 'InternalError',
      details: { causes: [{ message: error }] },
      code: 500,
    })
  }
  if (exitCode === 0) return JSON.stringify({ metadata: {}, status: 'Success' })
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  })
}

/** Sizes of a terminal as they come, one JSON object each, kept until somebody listens. */
class Resizes {
  readonly #waiting: TerminalSize[] = []
  #listener: ((size: TerminalSize) => void) | undefined
  #rest = ''

  push(text: string): void {
    const parts = (this.#rest + text).split(/(?<=\})/)
    this.#rest = ''
    for (const part of parts) {
      try {
        const { Width, Height } = JSON.parse(part) as { Width?: number; Height?: number }
        if (Width && Height) this.#give({ width: Width, height: Height })
      } catch {
        this.#rest = part.trim()
      }
    }
  }

  listen(listener: (size: TerminalSize) => void): void {
    this.#listener = listener
    for (const size of this.#waiting.splice(0)) listener(size)
  }

  #give(size: TerminalSize): void {
    if (this.#listener) this.#listener(size)
    else this.#waiting.push(size)
  }
}

/** Each forwarded connection is two streams of the same request: one for its data, one for what went wrong. */
class PortPairs {
  readonly #forward: Forward
  readonly #errors = new Map<string, SpdyStream>()
  readonly #data = new Map<string, SpdyStream>()

  constructor(forward: Forward) {
    this.#forward = forward
  }

  add(stream: SpdyStream): void {
    const { streamtype, port, requestid = port ?? '' } = stream.headers
    if (streamtype === 'error') {
      stream.resume()
      this.#errors.set(requestid, stream)
    } else if (streamtype === 'data') this.#data.set(requestid, stream)
    const error = this.#errors.get(requestid)
    const data = this.#data.get(requestid)
    if (!error || !data) return
    this.#errors.delete(requestid)
    this.#data.delete(requestid)
    void this.#serve(Number(port), data, error)
  }

  async #serve(port: number, data: SpdyStream, error: SpdyStream): Promise<void> {
    try {
      await this.#forward(port, data)
      error.end()
    } catch (failure) {
      error.end(`error forwarding port ${port} to pod: ${(failure as Error).message}`)
    }
    data.end()
  }
}
