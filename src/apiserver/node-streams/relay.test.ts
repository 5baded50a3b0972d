import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import type { StatusError } from '#machinery/status/status-error.ts'
import type { Exchange } from '../http/exchange.ts'
import { http1Exchange } from '../http/http1-exchange.ts'
import { upgradeExchange } from '../http/upgrade-exchange.ts'
import type { Peer } from './peer.ts'
import { relayProxy } from './proxy-relay.ts'
import { relayUpgrade } from './upgrade-relay.ts'

const servers: (Server | TcpServer)[] = []
const sockets = new Set<Duplex>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.splice(0).map(server => new Promise(resolve => server.close(resolve))))
})

async function listening<S extends Server | TcpServer>(server: S): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const connection = { remoteAddress: '10.0.0.9', certificate: undefined, memory: new Map(), trust() {} }
const peerAt = (port: number): Peer => ({ scheme: 'http', host: '127.0.0.1', port, takesWebSockets: true, tls: {} })

/** A server that passes everything on to `port`, as the API server does below `/proxy`. */
function between(port: number): Promise<number> {
  const server = createServer((request, response) => {
    const exchange = http1Exchange(request, response, connection)
    void told(exchange, relayProxy(exchange, peerAt(port), exchange.path.slice('/proxy'.length), '/proxy', realClock()))
  })
  server.on('upgrade', (request, socket, head) => {
    const exchange = upgradeExchange(request, socket, head, connection)
    void told(exchange, relayUpgrade(exchange, exchange.upgrade!, peerAt(port), '/up', realClock()))
  })
  return listening(server)
}

function told(exchange: Exchange, relayed: Promise<void>): Promise<void> {
  return relayed.catch((error: StatusError) => exchange.answer(error.code, {}, [Buffer.from(error.message)]))
}

async function ask(port: number, options: RequestOptions, body?: string): Promise<{ answer: IncomingMessage; said: string }> {
  const call = httpRequest({ host: '127.0.0.1', port, agent: false, ...options })
  call.end(body)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => call.on('response', resolve).on('error', reject))
  return { answer, said: await text(answer) }
}

describe('a request that is passed on', () => {
  it('arrives with its method, body and headers, and so does the answer', async () => {
    const port = await listening(
      createServer((request, response) => {
        void text(request).then(body =>
          response.writeHead(203, { 'x-own': 'kept' }).end(`${request.method} ${request.url} ${request.headers['x-mine']} ${body}`),
        )
      }),
    )
    const { answer, said } = await ask(await between(port), { method: 'POST', path: '/proxy/a%2Fb', headers: { 'x-mine': '1' } }, 'body')
    expect([answer.statusCode, answer.headers['x-own'], said]).toEqual([203, 'kept', 'POST /a%2Fb 1 body'])
  })

  it.each([
    ['/there?x=1', '/proxy/there?x=1'],
    ['http://elsewhere.example/x', 'http://elsewhere.example/x'],
    ['//elsewhere.example/x', '//elsewhere.example/x'],
  ])('is sent on from %s to %s', async (location, seen) => {
    const port = await listening(createServer((_request, response) => response.writeHead(302, { location }).end()))
    expect((await ask(await between(port), { path: '/proxy/' })).answer.headers.location).toBe(seen)
  })

  it('is a 503 when nobody listens', async () => {
    const port = await listening(createServer())
    await new Promise(resolve => servers.shift()!.close(resolve))
    const { answer, said } = await ask(await between(port), { path: '/proxy/' })
    expect([answer.statusCode, said]).toEqual([
      503,
      `error trying to reach service: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    ])
  })

  it('does no harm when the answer is no HTTP, or has a head that cannot be told', async () => {
    for (const head of ['hello\r\n', 'HTTP/1.1 200 OK\r\nx-a: b\x01c\r\n\r\n', 'HTTP/1.1 000 Odd\r\n\r\n']) {
      const port = await listening(createTcpServer(socket => void socket.on('error', () => {}).end(head)))
      const { answer } = await ask(await between(port), { path: '/proxy/' })
      expect(answer.statusCode).toBeGreaterThanOrEqual(502)
    }
  })

  it('is called off at the peer when the client goes', async () => {
    let gone = () => {}
    const calledOff = new Promise<void>(resolve => {
      gone = resolve
    })
    const begun = (_request: IncomingMessage, response: ServerResponse) => {
      response.on('close', gone)
      response.write('endless')
    }
    const port = await listening(createServer(begun))
    const call = httpRequest({ host: '127.0.0.1', port: await between(port), path: '/proxy/', agent: false })
    call.on('error', () => {})
    call.on('response', answer => answer.once('data', () => call.destroy()))
    call.end()
    await calledOff
  })
})

describe('a request to change the protocol', () => {
  const UPGRADE = 'POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4\r\n\r\n'

  it('joins the client and the peer once the peer agrees', async () => {
    const peer = createServer()
    peer.on('upgrade', (request, socket: Duplex) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n`)
      socket.write(`X-Stream-Protocol-Version: ${request.headers['x-stream-protocol-version']}\r\n\r\nwelcome, `)
      socket.on('data', data => socket.end(String(data).toUpperCase()))
    })
    const client = connect(await between(await listening(peer)), '127.0.0.1')
    client.write(`${UPGRADE}early`)
    const said = await text(client)
    expect(said).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/)
    expect(said).toContain('X-Stream-Protocol-Version: v4\r\n')
    expect(said).toMatch(/\r\n\r\nwelcome, EARLY$/)
  })

  it('is answered as the peer refuses it', async () => {
    const peer = createServer((_request, response) => response.writeHead(404).end('container not found'))
    const client = connect(await between(await listening(peer)), '127.0.0.1')
    client.write(UPGRADE)
    expect(await text(client)).toMatch(/^HTTP\/1.1 404 [\s\S]*container not found/)
  })

  it('says so when there is no peer', async () => {
    const port = await listening(createServer())
    await new Promise(resolve => servers.shift()!.close(resolve))
    const client = connect(await between(port), '127.0.0.1')
    client.write(UPGRADE)
    expect(await text(client)).toMatch(/^HTTP\/1.1 500 [\s\S]*error dialing backend: dial tcp 127.0.0.1:\d+: connect: connection refused/)
  })
})
