import { type Duplex, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { SpdyConnection } from '#base/net/spdy/spdy-connection.ts'
import { internalError } from '#machinery/status/failures.ts'
import { success } from '../subresources/success.ts'

/** The ends of a remote command that the client has asked for. */
export interface CommandEnds {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A WebSocket, as far as it is needed here. */
export interface ChannelSocket {
  send(data: Buffer, done: (error?: Error) => void): void
  close(code: number): void
  terminate(): void
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: Buffer) => void): unknown
  on(event: 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** The first byte of a message says whose it is; 255 and a number: nothing more comes from there. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const
const STATUS_BYTES = 1024 * 1024

/**
 * Joins a client that speaks channels over a WebSocket (`v5.channel.k8s.io`) with a kubelet that speaks streams over SPDY.
 * Neither side is read faster than the other takes it. Resolves once both are closed.
 */
export async function joinCommand(socket: ChannelSocket, connection: SpdyConnection, ends: CommandEnds): Promise<void> {
  const error = connection.open({ streamtype: 'error' })
  error.end()
  const open = (isWanted: boolean, streamtype: string) => (isWanted ? connection.open({ streamtype }) : undefined)
  const stdin = open(ends.stdin, 'stdin')
  const stdout = open(ends.stdout, 'stdout')
  const stderr = open(ends.stderr && !ends.tty, 'stderr')
  const resize = open(ends.tty, 'resize')
  // What is not written to is said to be over, what is not read is let go.
  stdout?.end()
  stderr?.end()
  stdin?.resume()
  resize?.resume()
  listen(socket, stdin, resize)
  const closed = new Promise<void>(resolve => socket.on('close', resolve))
  void closed.then(() => connection[Symbol.dispose]())
  try {
    const status = textOf(error)
    await Promise.all([
      stdout && pipeline(stdout, channel(socket, CHANNEL.stdout)),
      stderr && pipeline(stderr, channel(socket, CHANNEL.stderr)),
      status,
    ])
    await sendStatus(socket, (await status) || JSON.stringify(success()))
  } catch (failure) {
    await sendFailure(socket, failure)
  } finally {
    // Input that nobody has read is over: it must hold up neither the client's goodbye nor the kubelet's.
    stdin?.destroy()
    resize?.destroy()
    socket.resume()
    socket.close(1000)
    connection.close()
  }
  await closed
}

/** Tells the client that its command was not run, and closes. */
export async function refuseCommand(socket: ChannelSocket, failure: unknown): Promise<void> {
  socket.on('error', () => socket.terminate())
  socket.resume()
  await sendFailure(socket, failure)
  socket.close(1000)
}

function listen(socket: ChannelSocket, stdin: Duplex | undefined, resize: Duplex | undefined): void {
  const inputs = new Map<number, Duplex | undefined>([
    [CHANNEL.stdin, stdin],
    [CHANNEL.resize, resize],
  ])
  socket.on('error', () => socket.terminate())
  socket.on('message', data => {
    if (data.length === 0) return
    const [number, closing] = data as unknown as readonly [number, number | undefined]
    if (number === CHANNEL.close) {
      if (closing !== undefined) inputs.get(closing)?.end()
      return
    }
    const input = inputs.get(number)
    if (!input || input.writableEnded || input.destroyed || data.length === 1) return
    if (input.write(data.subarray(1))) return
    socket.pause()
    const go = () => {
      input.off('drain', go)
      input.off('close', go)
      socket.resume()
    }
    input.on('drain', go)
    input.on('close', go)
  })
  socket.resume()
}

/** What is written goes to the client as messages of a channel, one after the other. */
function channel(socket: ChannelSocket, number: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => socket.send(Buffer.concat([Buffer.from([number]), chunk]), error => done(error)),
  })
}

function sendStatus(socket: ChannelSocket, text: string): Promise<void> {
  return new Promise(resolve => socket.send(Buffer.concat([Buffer.from([CHANNEL.error]), Buffer.from(text)]), () => resolve()))
}

function sendFailure(socket: ChannelSocket, failure: unknown): Promise<void> {
  return sendStatus(socket, JSON.stringify(internalError(failure).toStatus()))
}

async function textOf(stream: Duplex): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    size += part.length
    if (size <= STATUS_BYTES) parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
