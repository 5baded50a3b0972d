import { createServer, request } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { type Duplex, finished } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { FrameParser, pingFrame, synStreamFrame } from './frames.ts'
import { HeaderReader, HeaderWriter } from './header-block.ts'
import { SpdyConnection, type SpdyStream } from './spdy-connection.ts'
import { acceptSpdy, asksForSpdy, connectSpdy, offeredProtocols } from './upgrade.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** Two ends of one TCP connection on loopback. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createTcpServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const far = await accepted
  cleanups.push(
    () => near.destroy(),
    () => far.destroy(),
    () => server.close(),
  )
  return [near, far]
}

async function connectedPair(onStream?: (stream: SpdyStream) => void) {
  const [near, far] = await socketPair()
  const server = new SpdyConnection(far, { side: 'server', ...(onStream ? { onStream } : {}) })
  return { client: new SpdyConnection(near, { side: 'client' }), server, near, far }
}

describe('a SPDY connection', () => {
  it('carries headers and data of a stream both ways, and ends each direction on its own', async () => {
    const { client } = await connectedPair(stream => {
      const received: string[] = []
      stream.on('data', part => received.push(String(part)))
      stream.on('end', () => stream.end(`${stream.headers['streamtype']} said ${received.join('')}`))
    })
    const stream = client.open({ streamType: 'stdin' })
    await stream.accepted
    stream.end('hello')
    expect(await text(stream)).toBe('stdin said hello')
  })

  it('keeps several streams apart', async () => {
    const { client } = await connectedPair(stream => stream.pipe(stream))
    const streams = ['a', 'b', 'c'].map(name => ({ name, stream: client.open({ name }) }))
    for (const { name, stream } of streams) stream.end(name.repeat(3))
    expect(await Promise.all(streams.map(({ stream }) => text(stream)))).toEqual(['aaa', 'bbb', 'ccc'])
  })

  it('brings megabytes through unchanged', async () => {
    const { client } = await connectedPair(stream => stream.pipe(stream))
    const stream = client.open({})
    const big = 'x'.repeat(1_000_003)
    stream.end(big)
    expect((await text(stream)).length).toBe(big.length)
  })

  it('refuses streams that nobody serves', async () => {
    const { client } = await connectedPair()
    await expect(client.open({}).accepted).rejects.toThrow('reset the SPDY stream (code 3)')
  })

  it('ends the streams of both sides when a side closes', async () => {
    let served: SpdyStream | undefined
    const { client, server } = await connectedPair(stream => {
      served = stream
      stream.resume()
    })
    const stream = client.open({})
    stream.resume()
    await stream.accepted
    client.close()
    await Promise.all([client.closed, server.closed])
    await new Promise(resolve => finished(served!, resolve))
    expect(served!.readableEnded).toBe(true)
    expect(() => client.open({})).toThrow('closed')
  })

  it('answers the ping of its peer and not its own', async () => {
    const [near, far] = await socketPair()
    new SpdyConnection(far, { side: 'server', onStream() {} })
    near.write(Buffer.concat([pingFrame(2), pingFrame(7)]))
    const answer = await new Promise<Buffer>(resolve => near.once('data', resolve))
    expect(answer).toEqual(pingFrame(7))
  })

  it('closes when the peer speaks another version', async () => {
    const { server, near } = await connectedPair()
    near.write(Buffer.from('8002000100000000', 'hex'))
    await server.closed
  })
})

describe('header blocks', () => {
  it('are read in sequence as one compressed stream', async () => {
    const writer = new HeaderWriter()
    using reader = new HeaderReader()
    expect(await reader.read(writer.write({ streamType: 'error' }))).toEqual({ streamtype: 'error' })
    expect(await reader.read(writer.write({}))).toEqual({})
    expect(await reader.read(writer.write({ port: '80', requestID: '0' }))).toEqual({ port: '80', requestid: '0' })
  })

  it('that lie about their length are refused', async () => {
    const writer = new HeaderWriter()
    using reader = new HeaderReader()
    const block = writer.write({ a: 'b' })
    block[11] = 0x7f
    await expect(reader.read(block)).rejects.toThrow()
  })
})

describe('the frame parser', () => {
  it('puts frames together from single bytes', () => {
    const parser = new FrameParser()
    const bytes = Buffer.concat([synStreamFrame(1, Buffer.from('head'), true), pingFrame(5)])
    const frames = [...bytes].flatMap(byte => parser.push(Buffer.from([byte])))
    expect(frames.map(frame => frame.kind === 'control' && frame.type)).toEqual([1, 6])
  })
})

describe('the upgrade', () => {
  const serve = async (protocol: string, onStream: (stream: SpdyStream) => void) => {
    const server = createServer((_, response) => response.writeHead(400).end('upgrade wanted'))
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      expect(asksForSpdy(request)).toBe(true)
      expect(offeredProtocols(request)).toEqual(['v5.channel.k8s.io', 'v4.channel.k8s.io'])
      acceptSpdy(socket, head, protocol, onStream)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/exec`
  }
  const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

  it('agrees on a protocol and then carries streams', async () => {
    const url = await serve('v4.channel.k8s.io', stream => stream.pipe(stream))
    const { connection, protocol } = await connectSpdy({ url, protocols })
    expect(protocol).toBe('v4.channel.k8s.io')
    const stream = connection.open({ streamType: 'stdin' })
    stream.end('echo')
    expect(await text(stream)).toBe('echo')
    connection[Symbol.dispose]()
  })

  it('tells what the server answered instead', async () => {
    const server = createServer((_, response) => response.writeHead(403).end('forbidden: no'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    await expect(connectSpdy({ url, protocols })).rejects.toThrow('did not upgrade to SPDY/3.1: 403 forbidden: no')
  })

  it('serves another implementation of the protocol', async () => {
    const url = await serve('v4.channel.k8s.io', stream => stream.pipe(stream))
    const transport = createRequire(import.meta.url)('spdy-transport') as OracleTransport
    const answer = await new Promise<string>((resolve, reject) => {
      const call = request(url, {
        method: 'POST',
        headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocols },
      })
      call.on('error', reject)
      call.on('upgrade', (_, socket) => {
        cleanups.push(() => socket.destroy())
        const connection = transport.connection.create(socket, { protocol: 'spdy', isServer: false })
        connection.on('error', () => {})
        connection.start(3.1)
        const stream = connection.request({ method: 'POST', path: '/', headers: { streamType: 'stdin' } })
        stream.end('from afar')
        text(stream).then(resolve, reject)
      })
      call.end()
    })
    expect(answer).toBe('from afar')
  })
})

interface OracleTransport {
  readonly connection: {
    create(
      socket: Duplex,
      options: object,
    ): { on(event: string, listener: () => void): void; start(version: number): void; request(options: object): Duplex }
  }
}
