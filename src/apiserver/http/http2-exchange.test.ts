import { connect, constants, createServer, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Exchange } from './exchange.ts'
import { http2Exchange } from './http2-exchange.ts'

let server: Http2Server
const ending: (() => void)[] = []
afterEach(() => {
  for (const end of ending.splice(0).reverse()) end()
})

const connection = { remoteAddress: '', certificate: undefined, memory: new Map() }

async function asking(serve: (exchange: Exchange) => void) {
  server = createServer()
  server.on('stream', (stream, headers) => serve(http2Exchange(stream, headers, connection)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  ending.push(
    () => server.close(),
    () => session.destroy(),
  )
  return session.request({ ':path': '/' })
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
    let closed = () => {}
    const over = new Promise<void>(resolve => {
      closed = resolve
    })
    const request = await asking(exchange => {
      exchange.onAbort(() => aborts++)
      exchange.incoming.on('close', closed)
      exchange.stream(200, {}).end()
    })
    request.resume()
    await over
    expect(aborts).toBe(0)
  })
})
