import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Http2Connection } from '#base/net/http2/http2-connection.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Exchange } from './exchange.ts'
import { Http2Exchange } from './http2-exchange.ts'

const ending: (() => void)[] = []
afterEach(() => {
  for (const end of ending.splice(0).reverse()) end()
})

const connection = { remoteAddress: '', certificate: undefined, memory: new Map(), trust() {} }

async function asking(serve: (exchange: Exchange) => void | Promise<void>, headers: Record<string, string> = {}) {
  const server = createServer(socket => {
    new Http2Connection(socket, {
      clock: realClock(),
      maxStreams: 10,
      streamWindow: 100_000,
      connectionWindow: 1_000_000,
      maxHeaderBytes: 10_000,
      serve: stream => void serve(new Http2Exchange(stream, connection, () => 'today')),
      closed() {},
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  ending.push(
    () => server.close(),
    () => session.destroy(),
  )
  return session.request({ ':path': '/a?b=c', ...headers })
}

describe('an exchange over HTTP/2', () => {
  it('tells when the client resets a stream that is being answered', async () => {
    let aborted = () => {}
    const abort = new Promise<void>(resolve => {
      aborted = resolve
    })
    const request = await asking(exchange => {
      exchange.onAbort(aborted)
      exchange.stream(200, {}).write(Buffer.from('more to come'))
    })
    await new Promise(resolve => request.once('data', resolve))
    request.close(constants.NGHTTP2_CANCEL)
    await abort
  })

  it('tells nothing when the answer was complete', async () => {
    let aborts = 0
    const request = await asking(exchange => {
      exchange.onAbort(() => aborts++)
      exchange.stream(200, {}).end()
    })
    request.resume()
    await new Promise(resolve => request.once('close', resolve))
    expect(aborts).toBe(0)
  })

  it('says what was asked, and answers with parts one behind the other', async () => {
    let asked: unknown
    const request = await asking(exchange => {
      const { method, path, query } = exchange
      asked = { method, path, query }
      exchange.answer(201, { warning: ['one', 'two ä'] }, [Buffer.from('a'), Buffer.from(''), Buffer.from('bc')])
    })
    const [headers, body] = await answerTo(request)
    expect(asked).toEqual({ method: 'GET', path: '/a', query: 'b=c' })
    expect(body).toBe('abc')
    expect(headers).toMatchObject({ ':status': 201, 'content-length': '3', date: 'today' })
    expect(Buffer.from(String(headers['warning']), 'latin1').toString()).toBe('one, two ä')
  })

  it('answers a HEAD without a body', async () => {
    const request = await asking(exchange => exchange.answer(200, {}, [Buffer.from('abc')]), { ':method': 'HEAD' })
    const [headers, body] = await answerTo(request)
    expect([headers['content-length'], body]).toEqual(['3', ''])
  })

  it('reads a body, up to a limit', async () => {
    const told: string[] = []
    const request = await asking(
      exchange => {
        exchange.body(300_000).then(
          body => exchange.answer(200, {}, [Buffer.from(String(body.length))]),
          (error: Error) => {
            told.push(error.message)
            exchange.answer(413, {}, [Buffer.from(error.message)])
          },
        )
      },
      { ':method': 'POST' },
    )
    request.on('error', () => undefined)
    request.end(Buffer.alloc(300_001))
    const [headers] = await answerTo(request)
    expect([headers[':status'], told]).toEqual([413, ['limit is 300000']])
  })

  it('passes a body on as fast as it is read', async () => {
    const size = 3_000_000
    const request = await asking(
      async exchange => {
        let bytes = 0
        for await (const chunk of exchange.incoming) {
          bytes += (chunk as Buffer).length
          await new Promise(resolve => setImmediate(resolve))
        }
        exchange.answer(200, {}, [Buffer.from(String(bytes))])
      },
      { ':method': 'PUT' },
    )
    request.end(Buffer.alloc(size))
    expect((await answerTo(request))[1]).toBe(String(size))
  })
})

async function answerTo(request: ClientHttp2Stream): Promise<[IncomingHttpHeaders, string]> {
  const head = new Promise<IncomingHttpHeaders>(resolve => request.once('response', resolve))
  let body = ''
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString()
  })
  const over = new Promise(resolve => request.once('close', resolve))
  const headers = await head
  await over
  return [headers, body]
}
