import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants, type Settings } from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { realClock } from '../../time/real-clock.ts'
import { Http2Connection } from './http2-connection.ts'
import type { Http2Stream } from './http2-stream.ts'

const ending: (() => void)[] = []
afterEach(() => {
  for (const end of ending.splice(0).reverse()) end()
})

const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PUSH_PROMISE = 5
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const CONTINUATION = 9
/** GET https / */
const GET = Buffer.from('828784', 'hex')

async function serving(serve: (stream: Http2Stream) => void) {
  const connections: Http2Connection[] = []
  const server = createServer(socket => {
    connections.push(
      new Http2Connection(socket, {
        clock: realClock(),
        maxStreams: 3,
        streamWindow: 100_000,
        connectionWindow: 250_000,
        maxHeaderBytes: 8192,
        serve,
        closed() {},
      }),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ending.push(() => server.close())
  return { port: (server.address() as AddressInfo).port, connections }
}

const answersAtOnce = (stream: Http2Stream) => {
  stream.respond(200, {})
  stream.end([Buffer.from('hello')])
}

async function client(serve: (stream: Http2Stream) => void, settings: Settings = {}) {
  const { port, connections } = await serving(serve)
  const session = connectHttp2(`http://127.0.0.1:${port}`, { settings })
  session.on('error', () => undefined)
  ending.push(() => session.destroy())
  return { session, connections }
}

function ask(session: ClientHttp2Session, headers: Record<string, string> = {}, body?: Buffer): Promise<{ status: number; body: Buffer }> {
  const stream = session.request({ ':path': '/', ...headers })
  stream.end(body)
  return answerOf(stream)
}

function answerOf(stream: ClientHttp2Stream): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    let status = 0
    const parts: Buffer[] = []
    stream.on('response', headers => {
      status = headers[':status'] ?? 0
    })
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('error', reject)
    stream.on('end', () => resolve({ status, body: Buffer.concat(parts) }))
  })
}

interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

function frameOf(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, payload])
}

/** A peer that sends what the test says, frame by frame. */
class RawPeer {
  readonly frames: Frame[] = []
  isClosed = false
  readonly #socket: Socket
  #rest = Buffer.alloc(0)
  #changed = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => this.#read(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.isClosed = true
      this.#changed()
    })
  }

  static async to(serve: (stream: Http2Stream) => void, greeting = true): Promise<RawPeer> {
    const { port } = await serving(serve)
    const socket = connect(port, '127.0.0.1')
    ending.push(() => socket.destroy())
    const peer = new RawPeer(socket)
    if (greeting) {
      peer.raw(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
      peer.send(SETTINGS, 0, 0)
    }
    return peer
  }

  raw(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  send(type: number, flags: number, streamId: number, payload: Buffer | string = ''): void {
    this.raw(frameOf(type, flags, streamId, typeof payload === 'string' ? Buffer.from(payload, 'hex') : payload))
  }

  /** The first frame that fits, once it is there. */
  async frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found) return found
      if (this.isClosed) throw new Error('the connection was closed before such a frame came')
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }

  /** How the server ended the connection. */
  async goodbye(): Promise<string> {
    const { payload } = await this.frame(({ type }) => type === GOAWAY)
    const code = payload.readUInt32BE(4)
    return `${Object.entries(CODES).find(([, each]) => each === code)?.[0]}: ${payload.subarray(8).toString()}`
  }

  async resetOf(streamId: number): Promise<number> {
    return (await this.frame(frame => frame.type === RST_STREAM && frame.streamId === streamId)).payload.readUInt32BE(0)
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk])
    while (bytes.length >= 9) {
      const length = bytes.readUIntBE(0, 3)
      if (bytes.length < 9 + length) break
      this.frames.push({ type: bytes[3]!, flags: bytes[4]!, streamId: bytes.readUInt32BE(5), payload: bytes.subarray(9, 9 + length) })
      bytes = bytes.subarray(9 + length)
    }
    this.#rest = bytes
    this.#changed()
  }
}

const CODES = {
  PROTOCOL: 1,
  FLOW_CONTROL: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE: 6,
  REFUSED: 7,
  COMPRESSION: 9,
  CALM: 11,
}

describe('an HTTP/2 connection', () => {
  it('answers requests one behind the other and at once', async () => {
    const { session } = await client(answersAtOnce)
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all([ask(session), ask(session), ask(session)])
      expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(['200 hello', '200 hello', '200 hello'])
    }
  })

  it('sends more than the windows hold as they open, in order', async () => {
    const parts = Array.from({ length: 400 }, (_, index) => Buffer.alloc(20_000, index))
    const { session } = await client(
      stream => {
        stream.respond(200, {})
        stream.end(parts)
      },
      { initialWindowSize: 1000 },
    )
    const answers = await Promise.all([ask(session), ask(session)])
    for (const { body } of answers) expect(body.equals(Buffer.concat(parts))).toBe(true)
  })

  it('lets others have their turns while a client takes a long answer as fast as it comes', async () => {
    const total = 64 * 1024 * 1024
    let taken = 0
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length
        process.nextTick(done)
      },
    })
    const serve = (stream: Http2Stream) => {
      stream.respond(200, {})
      stream.end(Array.from({ length: 64 }, () => Buffer.alloc(total / 64)))
    }
    const limits = { maxStreams: 3, streamWindow: 100_000, connectionWindow: 250_000, maxHeaderBytes: 8192 }
    const connection = new Http2Connection(socket, { clock: realClock(), ...limits, serve, closed() {} })
    ending.push(() => connection.destroy())
    socket.push(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
    socket.push(frameOf(SETTINGS, 0, 0, Buffer.from('000440000000', 'hex'))) // a window of 1 GiB for each stream
    socket.push(frameOf(WINDOW_UPDATE, 0, 0, Buffer.from('40000000', 'hex')))
    socket.push(frameOf(HEADERS, 5, 1, GET))
    let turns = 0
    while (taken < total) {
      await new Promise(resolve => setImmediate(resolve))
      turns++
    }
    expect(turns).toBeGreaterThan(16)
  })

  it('takes bodies larger than the windows', async () => {
    const { session } = await client(stream => {
      let bytes = 0
      stream.receive({
        data(chunk) {
          bytes += chunk.length
          stream.consumed(chunk.length)
        },
        end() {
          stream.respond(200, {})
          stream.end([Buffer.from(String(bytes))])
        },
        aborted() {},
      })
    })
    const answers = await Promise.all([1, 1_000_000, 2_000_000].map(size => ask(session, { ':method': 'POST' }, Buffer.alloc(size))))
    expect(answers.map(({ body }) => String(body))).toEqual(['1', '1000000', '2000000'])
  })

  it('lets a client whose body nobody reads send no more than the window, and goes on after it', async () => {
    const open: Http2Stream[] = []
    const { session } = await client(stream => {
      if (stream.headers[':path'] === '/') answersAtOnce(stream)
      else open.push(stream)
    })
    for (let round = 0; round < 20; round++) {
      const upload = session.request({ ':path': '/unread', ':method': 'POST' })
      upload.on('error', () => undefined)
      upload.write(Buffer.alloc(200_000))
      expect((await ask(session)).status).toBe(200)
      const over = new Promise(resolve => upload.once('close', resolve))
      open.pop()!.reset()
      await over
    }
  })

  it('tells the stream when the client resets it, and when the connection goes', async () => {
    const told: string[] = []
    let changed = () => {}
    const { session } = await client(stream => {
      stream.respond(200, {})
      stream.write(Buffer.from('more to come'))
      stream.onClose(wasComplete => {
        told.push(String(wasComplete))
        changed()
      })
    })
    const [first, second] = [session.request({ ':path': '/' }), session.request({ ':path': '/' })]
    second.on('error', () => undefined)
    await Promise.all([first, second].map(stream => new Promise(resolve => stream.once('data', resolve))))
    for (const act of [() => first.close(constants.NGHTTP2_CANCEL), () => session.destroy()]) {
      const next = new Promise<void>(resolve => {
        changed = resolve
      })
      act()
      await next
    }
    expect(told).toEqual(['false', 'false'])
  })

  it('ends once what is under way is answered, and takes no more', async () => {
    let stream: Http2Stream | undefined
    const { session, connections } = await client(each => {
      stream = each
    })
    const answer = ask(session)
    await new Promise(resolve => session.once('connect', resolve))
    while (connections[0]?.streamCount !== 1) await new Promise(resolve => setImmediate(resolve))
    const goAway = new Promise(resolve => session.once('goaway', resolve))
    connections[0].close()
    await goAway
    answersAtOnce(stream!)
    expect(String((await answer).body)).toBe('hello')
    await new Promise<void>(resolve => (session.closed && session.destroyed ? resolve() : session.once('close', resolve)))
  })

  it('tells a peer that shrinks its table of headers that it knows', async () => {
    const { session } = await client(answersAtOnce, { headerTableSize: 0 })
    expect((await ask(session)).status).toBe(200)
    expect((await ask(session)).status).toBe(200)
  })

  it('answers pings and asks for signs of life', async () => {
    const { session, connections } = await client(answersAtOnce)
    await new Promise(resolve => session.once('connect', resolve))
    await new Promise<void>((resolve, reject) => session.ping(error => (error ? reject(error) : resolve())))
    await new Promise<void>(resolve => connections[0]!.ping(resolve))
  })

  it('takes requests in padded frames, in parts, and with trailers', async () => {
    const bodies: string[] = []
    const peer = await RawPeer.to(stream => {
      stream.receive({
        data: chunk => void bodies.push(Buffer.from(chunk).toString()),
        end: () => answersAtOnce(stream),
        aborted() {},
      })
    })
    peer.send(HEADERS, 0x8, 1, '02' + '83' + '0000')
    peer.send(CONTINUATION, 0x4, 1, '8784')
    peer.send(DATA, 0x8, 1, '03' + '6162' + '000000')
    peer.send(DATA, 0, 1, '63')
    peer.send(HEADERS, 0x5, 1, Buffer.from('0001610162', 'hex'))
    await peer.frame(({ type, flags }) => type === DATA && (flags & 1) === 1)
    expect(bodies).toEqual(['ab', 'c'])
  })

  it('ignores frames that it does not know', async () => {
    const peer = await RawPeer.to(answersAtOnce)
    peer.send(0x42, 0xff, 7, 'abcdef')
    peer.send(HEADERS, 0x5, 1, GET)
    await peer.frame(({ type }) => type === DATA)
  })

  it('refuses more requests at once than it said', async () => {
    const peer = await RawPeer.to(() => {})
    for (const id of [1, 3, 5, 7]) peer.send(HEADERS, 0x5, id, GET)
    expect(await peer.resetOf(7)).toBe(CODES.REFUSED)
  })

  it('answers 431 where headers are too large', async () => {
    const peer = await RawPeer.to(answersAtOnce)
    const field = Buffer.concat([Buffer.from('000161' + '7fa162', 'hex'), Buffer.alloc(12_704, 0x78)])
    peer.send(HEADERS, 0x5, 1, Buffer.concat([GET, field]))
    const { payload } = await peer.frame(({ type, streamId }) => type === HEADERS && streamId === 1)
    expect(payload.toString('latin1')).toContain('431')
  })

  it.each([
    ['no method', '8784'],
    ['no path', '8287'],
    ['an unknown pseudo header', '82878400053a78787878' + '0161'],
    ['a header of the connection', '828784000a636f6e6e656374696f6e0161'],
  ])('resets a stream that is no request: %s', async (_, block) => {
    const peer = await RawPeer.to(answersAtOnce)
    peer.send(HEADERS, 0x5, 1, block)
    expect(await peer.resetOf(1)).toBe(CODES.PROTOCOL)
    peer.send(HEADERS, 0x5, 3, GET)
    await peer.frame(({ type, streamId }) => type === DATA && streamId === 3)
  })

  const length = (bytes: number) => `${bytes.toString(16).padStart(6, '0')}`
  it.each<[string, string, (peer: RawPeer) => void]>([
    ['a request on an even stream', 'PROTOCOL: 2 is no stream', peer => peer.send(HEADERS, 0x5, 2, GET)],
    [
      'a frame that is too long',
      'FRAME_SIZE: a frame has 16385 bytes',
      peer => peer.raw(Buffer.from(`${length(16_385)}000000000001`, 'hex')),
    ],
    ['data of no request', 'PROTOCOL: DATA of no request', peer => peer.send(DATA, 0, 1, '00')],
    ['a reset of no request', 'PROTOCOL: RST_STREAM of no request', peer => peer.send(RST_STREAM, 0, 1, '00000008')],
    ['a push', 'PROTOCOL: clients do not push', peer => peer.send(PUSH_PROMISE, 0, 1, '00000002')],
    ['more padding than frame', 'PROTOCOL: there is more padding', peer => peer.send(HEADERS, 0xd, 1, 'ff00')],
    ['a window beyond 2^31', 'FLOW_CONTROL: the window is too large', peer => peer.send(WINDOW_UPDATE, 0, 0, '7fffffff')],
    ['a window that grows by nothing', 'PROTOCOL: a window grows by nothing', peer => peer.send(WINDOW_UPDATE, 0, 0, '00000000')],
    ['an initial window beyond 2^31', 'FLOW_CONTROL: INITIAL_WINDOW_SIZE', peer => peer.send(SETTINGS, 0, 0, '000480000000')],
    ['a bad frame size', 'PROTOCOL: MAX_FRAME_SIZE is 1', peer => peer.send(SETTINGS, 0, 0, '000500000001')],
    ['settings cut off', 'FRAME_SIZE: SETTINGS has another length', peer => peer.send(SETTINGS, 0, 0, '0005')],
    ['a short ping', 'FRAME_SIZE: PING has another length', peer => peer.send(PING, 0, 0, '00')],
    ['headers that cannot be read', 'COMPRESSION: field 0 is none', peer => peer.send(HEADERS, 0x5, 1, '80')],
    [
      'an interrupted header block',
      'PROTOCOL: a header block is interrupted',
      peer => {
        peer.send(HEADERS, 0, 1, GET)
        peer.send(PING, 0, 0, '0000000000000000')
      },
    ],
    [
      'a header block without end',
      'CALM: a header block does not end',
      peer => {
        peer.send(HEADERS, 0, 1, GET)
        for (let count = 0; count < 100; count++) peer.send(CONTINUATION, 0, 1)
      },
    ],
    [
      'more data than the window',
      'FLOW_CONTROL: more was sent',
      peer => {
        for (const id of [1, 3, 5]) {
          peer.send(HEADERS, 0x4, id, '838784')
          for (let count = 0; count < 6; count++) peer.send(DATA, 0, id, Buffer.alloc(16_000))
        }
      },
    ],
    [
      'requests that are taken back at once, again and again',
      'CALM: too many frames that bring nothing',
      peer => {
        for (let id = 1; id < 10_000; id += 2) {
          peer.send(HEADERS, 0x5, id, GET)
          peer.send(RST_STREAM, 0, id, '00000008')
        }
      },
    ],
    [
      'pings without end',
      'CALM: too many frames that bring nothing',
      peer => {
        for (let count = 0; count < 30_000; count++) peer.send(PING, 0, 0, '0000000000000000')
      },
    ],
  ])('ends with %s', async (_, why, act) => {
    const peer = await RawPeer.to(() => {})
    act(peer)
    expect(await peer.goodbye()).toContain(why)
  })

  it('ends with a client that speaks something else', async () => {
    const peer = await RawPeer.to(() => {}, false)
    peer.raw(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    expect(await peer.goodbye()).toBe('PROTOCOL: the connection does not begin as HTTP/2')
  })

  it('ends a stream whose client sends more than its window', async () => {
    const peer = await RawPeer.to(() => {})
    peer.send(HEADERS, 0x4, 1, '838784')
    for (let count = 0; count < 7; count++) peer.send(DATA, 0, 1, Buffer.alloc(16_000))
    expect(await peer.resetOf(1)).toBe(CODES.FLOW_CONTROL)
  })

  it('bears any bytes', async () => {
    const { port } = await serving(answersAtOnce)
    const frame = fc
      .record({
        type: fc.integer({ min: 0, max: 10 }),
        flags: fc.integer({ min: 0, max: 255 }),
        id: fc.integer({ min: 0, max: 9 }),
        payload: fc.uint8Array({ maxLength: 40 }),
      })
      .map(({ type, flags, id, payload }) => Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, id]), payload]))
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            frame,
            fc.uint8Array({ maxLength: 30 }).map(bytes => Buffer.from(bytes)),
          ),
          { maxLength: 10 },
        ),
        async parts => {
          const socket = connect(port, '127.0.0.1')
          const closed = new Promise(resolve => socket.once('close', resolve))
          socket.on('error', () => undefined)
          socket.resume()
          socket.end(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from('000000040000000000', 'hex'), ...parts]))
          await closed
        },
      ),
      { numRuns: 200 },
    )
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    ending.push(() => session.destroy())
    expect((await ask(session)).status).toBe(200)
  })
})
