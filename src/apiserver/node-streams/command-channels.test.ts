import { EventEmitter } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { SpdyConnection, type SpdyStream } from '#base/net/spdy/spdy-connection.ts'
import { type ChannelSocket, type CommandEnds, joinCommand, refuseCommand } from './command-channels.ts'
import { duplexPair } from './duplex-pair.fixture.ts'

/** A client's WebSocket: `say` is what it sends, `heard` what it was told. */
class Client extends EventEmitter implements ChannelSocket {
  readonly heard: string[] = []
  isPaused = true
  closedWith: number | undefined
  takes = true
  #waiting: (() => void)[] = []

  say(channel: number, data: string | Buffer): void {
    this.emit('message', Buffer.concat([Buffer.from([channel]), Buffer.from(data)]))
  }

  send(data: Buffer, done: () => void): void {
    this.heard.push(`${data[0]} ${data.toString('utf8', 1)}`)
    if (this.takes) done()
    else this.#waiting.push(done)
  }

  take(): void {
    this.takes = true
    for (const done of this.#waiting.splice(0)) done()
  }

  close(code: number): void {
    this.closedWith = code
    this.emit('close')
  }

  terminate(): void {
    this.emit('close')
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }
}

const everything: CommandEnds = { stdin: true, stdout: true, stderr: true, tty: false }

async function joined(ends: CommandEnds) {
  const [near, far] = duplexPair()
  const streams = new Map<string, SpdyStream>()
  const wanted = 1 + [ends.stdin, ends.stdout, ends.stderr && !ends.tty, ends.tty].filter(Boolean).length
  let complete = () => {}
  const all = new Promise<void>(resolve => {
    complete = resolve
  })
  const kubelet = new SpdyConnection(far, {
    side: 'server',
    onStream(stream) {
      streams.set(stream.headers['streamtype']!, stream)
      if (streams.size === wanted) complete()
    },
  })
  const client = new Client()
  const over = joinCommand(client, new SpdyConnection(near, { side: 'client' }), ends)
  await all
  return { client, kubelet, over, stream: (name: string) => streams.get(name)! }
}

const turn = () => new Promise(resolve => setImmediate(resolve))
const STATUS = '{"metadata":{},"status":"Success"}'

describe('a command between a WebSocket client and a SPDY kubelet', () => {
  it('is given its input until the client closes it, and its output comes before its status', async () => {
    const { client, over, stream } = await joined(everything)
    client.say(0, 'hello ')
    client.say(0, 'there')
    client.emit('message', Buffer.from([255, 0]))
    expect(await text(stream('stdin'))).toBe('hello there')
    stream('error').end(STATUS)
    await turn()
    expect(client.heard).toEqual([])
    stream('stderr').end('oh')
    stream('stdout').end('ok')
    await over
    expect(client.heard.slice(0, 2).sort()).toEqual(['1 ok', '2 oh'])
    expect(client.heard[2]).toBe(`3 ${STATUS}`)
    expect(client.closedWith).toBe(1000)
  })

  it('in a terminal has one output, and is told its sizes', async () => {
    const { client, over, stream } = await joined({ ...everything, tty: true })
    expect(stream('stderr')).toBeUndefined()
    client.say(4, '{"Width":80,"Height":24}')
    expect(String(await new Promise(resolve => stream('resize').once('data', resolve)))).toBe('{"Width":80,"Height":24}')
    stream('stdout').end()
    stream('error').end(STATUS)
    await over
  })

  it('holds the client up while its input is not read', async () => {
    const { client, stream } = await joined(everything)
    expect(client.isPaused).toBe(false)
    for (let sent = 0; sent < 100 && !client.isPaused; sent++) {
      client.say(0, Buffer.alloc(32 * 1024))
      await turn()
    }
    expect(client.isPaused).toBe(true)
    stream('stdin').resume()
    while (client.isPaused) await turn()
  })

  it('is held up while the client does not take its output', async () => {
    const { client, stream } = await joined(everything)
    client.takes = false
    let taken = 0
    for (let sent = 0; sent < 100; sent++) stream('stdout').write(Buffer.alloc(32 * 1024), () => taken++)
    // The headers of the streams are unpacked beside the loop: how many turns that takes says nothing.
    while (client.heard.length === 0) await turn()
    for (let turns = 0; turns < 300; turns++) await turn()
    expect(taken).toBeLessThan(20)
    expect(client.heard.length).toBe(1)
    client.take()
    while (taken < 100) await turn()
  })

  it('lets the client go when it ends without having read its input', async () => {
    const { client, over, stream } = await joined(everything)
    for (let sent = 0; sent < 100 && !client.isPaused; sent++) {
      client.say(0, Buffer.alloc(32 * 1024))
      await turn()
    }
    stream('stdout').end()
    stream('stderr').end()
    stream('error').end(STATUS)
    await over
    expect(client.isPaused).toBe(false)
    expect(client.closedWith).toBe(1000)
  })

  it('ends when the client goes', async () => {
    const { client, kubelet, over } = await joined(everything)
    client.terminate()
    await Promise.all([over, kubelet.closed])
  })

  it('is a failure when the kubelet goes without a word', async () => {
    const { client, kubelet, over } = await joined(everything)
    kubelet[Symbol.dispose]()
    await over
    expect(client.heard.length).toBe(1)
    expect(JSON.parse(client.heard[0]!.slice(2))).toMatchObject({ status: 'Failure', reason: 'InternalError' })
  })

  it('that cannot be run is told as a Status', async () => {
    const client = new Client()
    await refuseCommand(client, new Error('unable to upgrade connection: container not found'))
    expect(JSON.parse(client.heard[0]!.slice(2))).toMatchObject({
      status: 'Failure',
      message: 'Internal error occurred: unable to upgrade connection: container not found',
    })
    expect(client.closedWith).toBe(1000)
  })
})
