import { createServer, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { SpdyConnection } from '#base/net/spdy/spdy-connection.ts'
import { connectSpdy } from '#base/net/spdy/upgrade.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { ExecStreams } from '../runtime/runtime.ts'
import { type Join, servePortForward, serveRemoteCommand } from './streaming.ts'

let server: Server | undefined
const sockets = new Set<Duplex>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await new Promise(resolve => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})

const everything = { stdin: true, stdout: true, stderr: true, tty: false }

async function serving(join: Join, wanted = everything): Promise<string> {
  server = createServer()
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    sockets.add(socket)
    const upgrade = { request, socket, head, clock: realClock() }
    if (request.url === '/forward') void servePortForward(upgrade, async (port, stream) => forward(port, stream))
    else void serveRemoteCommand(upgrade, wanted, join)
  })
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function forward(port: number, stream: Duplex): Promise<void> {
  if (port === 1) throw new Error('connection refused')
  await new Promise<void>(resolve => {
    stream.on('data', part => stream.write(`${port}: ${part}`))
    stream.on('end', resolve)
  })
}

/** Answers with its input in capitals and a word on stderr, and ends with 7. */
const shout: Join = async ({ stdin, stdout, stderr }: ExecStreams) => {
  const parts: string[] = []
  await new Promise(resolve => stdin!.on('data', part => parts.push(String(part))).on('end', resolve))
  stdout!.write(parts.join('').toUpperCase())
  stderr!.write('oh')
  return { exitCode: 7 }
}

describe('a remote command over WebSocket v5', () => {
  it('half-closes its input, and ends with the exit code', async () => {
    const socket = new WebSocket(`ws://${await serving(shout)}/exec`, ['v4.channel.k8s.io', 'v5.channel.k8s.io'])
    const frames: string[] = []
    socket.on('open', () => {
      socket.send(Buffer.from('\0hello'))
      socket.send(Buffer.from([255, 0]))
    })
    socket.on('message', (data: Buffer) => frames.push(`${data[0]} ${data.toString('utf8', 1)}`))
    await new Promise(resolve => socket.on('close', resolve))
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    expect(frames.slice(0, 2)).toEqual(['1 HELLO', '2 oh'])
    expect(JSON.parse(frames[2]!.slice(2))).toMatchObject({
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    })
  })

  it('hands on the sizes of the terminal', async () => {
    const resized: Join = ({ onResize, stderr }) => {
      expect(stderr).toBeUndefined()
      return new Promise(resolve => onResize!(({ width, height }) => resolve({ exitCode: width === 80 && height === 24 ? 0 : 1 })))
    }
    const socket = new WebSocket(`ws://${await serving(resized, { ...everything, tty: true })}/exec`, ['v5.channel.k8s.io'])
    socket.on('open', () => socket.send(Buffer.from('\x04{"Width":80,"Height":24}')))
    const status = await new Promise<string>(resolve => socket.on('message', (data: Buffer) => resolve(data.toString('utf8', 1))))
    expect(JSON.parse(status).status).toBe('Success')
    socket.terminate()
  })

  it('is called off when the client goes', async () => {
    let ended = () => {}
    const calledOff = new Promise<void>(resolve => {
      ended = resolve
    })
    const wait: Join = ({ signal }) =>
      new Promise(resolve =>
        signal!.addEventListener('abort', () => {
          ended()
          resolve({ exitCode: 0 })
        }),
      )
    const socket = new WebSocket(`ws://${await serving(wait)}/exec`, ['v5.channel.k8s.io'])
    socket.on('open', () => socket.terminate())
    await calledOff
  })

  it('is refused when no protocol is known', async () => {
    const socket = new WebSocket(`ws://${await serving(shout)}/exec`, ['v9.channel.k8s.io'])
    const error = await new Promise<Error>(resolve => socket.on('error', resolve))
    expect(error.message).toContain('400')
  })
})

describe('a remote command over SPDY', () => {
  it('half-closes its input, and ends with the exit code', async () => {
    const url = `http://${await serving(shout)}/exec`
    const { connection, protocol } = await connectSpdy({ url, protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'] })
    expect(protocol).toBe('v5.channel.k8s.io')
    const [error, stdin, stdout, stderr] = ['error', 'stdin', 'stdout', 'stderr'].map(streamtype => connection.open({ streamtype }))
    stdin!.end('hello')
    const texts = await Promise.all([stdout!, stderr!, error!].map(text))
    expect(texts.slice(0, 2)).toEqual(['HELLO', 'oh'])
    expect(JSON.parse(texts[2]!)).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' })
    await connection.closed
  })
})

describe('port-forward', () => {
  const pair = (connection: SpdyConnection, port: string, requestid: string) => {
    const error = connection.open({ streamtype: 'error', port, requestid })
    error.end()
    return { error, data: connection.open({ streamtype: 'data', port, requestid }) }
  }

  it('joins each pair of streams to its port', async () => {
    const { connection } = await connectSpdy({ url: `http://${await serving(shout)}/forward`, protocols: ['portforward.k8s.io'] })
    const first = pair(connection, '80', '0')
    const second = pair(connection, '81', '1')
    first.data.end('a')
    second.data.end('b')
    expect(await Promise.all([text(first.data), text(second.data)])).toEqual(['80: a', '81: b'])
    connection[Symbol.dispose]()
  })

  it('tells on the error stream what went wrong', async () => {
    const { connection } = await connectSpdy({ url: `http://${await serving(shout)}/forward`, protocols: ['portforward.k8s.io'] })
    const { error } = pair(connection, '1', '0')
    expect(await text(error)).toBe('error forwarding port 1 to pod: connection refused')
    connection[Symbol.dispose]()
  })

  it('is tunnelled through a WebSocket', async () => {
    const socket = await openTunnel(await serving(shout))
    const connection = new SpdyConnection(createWebSocketStream(socket), { side: 'client' })
    const { data } = pair(connection, '80', '0')
    data.end('x')
    expect(await text(data)).toBe('80: x')
    connection[Symbol.dispose]()
    socket.terminate()
  })
})

/** Asks for a protocol whose name the library's own client would not send. */
function openTunnel(address: string): Promise<WebSocket> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io',
  }
  return new Promise((resolve, reject) => {
    const call = httpRequest(`http://${address}/forward`, { headers })
    call.on('error', reject)
    call.on('upgrade', (response, socket, head) => {
      expect(response.headers['sec-websocket-protocol']).toBe('SPDY/3.1+portforward.k8s.io')
      sockets.add(socket)
      const Bare = WebSocket as unknown as new (address: null, protocols: undefined, options: object) => BareWebSocket
      const webSocket = new Bare(null, undefined, { autoPong: true })
      webSocket._isServer = false
      webSocket.setSocket(socket, head, { maxPayload: 0, skipUTF8Validation: true, allowSynchronousEvents: true })
      resolve(webSocket)
    })
    call.end()
  })
}

type BareWebSocket = WebSocket & { _isServer: boolean; setSocket(socket: Duplex, head: Buffer, options: object): void }

it('a client that speaks neither is refused', async () => {
  const [host, port] = (await serving(shout)).split(':')
  const socket = connect(Number(port), host)
  socket.write('GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: nonsense\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1.1 400/)
})
