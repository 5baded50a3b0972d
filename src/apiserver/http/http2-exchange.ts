import { Readable } from 'node:stream'
import type { Http2Stream } from '#base/net/http2/http2-stream.ts'
import { byteLengthOf, type Pieces } from '#base/net/pieces.ts'
import { BodyTooLarge, type Connection, type Exchange, type ResponseHeaders, type ResponseStream } from './exchange.ts'

/** A request over HTTP/2. Hot: bench/apiserver. */
export class Http2Exchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Exchange['headers']
  readonly rawHeaders: Exchange['rawHeaders']
  readonly connection: Connection
  readonly #stream: Http2Stream
  readonly #date: () => string
  #incoming: Readable | undefined

  constructor(stream: Http2Stream, connection: Connection, date: () => string) {
    const { ':path': target = '/', ':method': method = 'GET' } = stream.headers
    const question = target.indexOf('?')
    this.method = method
    this.path = question < 0 ? target : target.slice(0, question)
    this.query = question < 0 ? '' : target.slice(question + 1)
    this.headers = stream.headers
    this.rawHeaders = stream.rawHeaders
    this.connection = connection
    this.#stream = stream
    this.#date = date
  }

  get incoming(): Readable {
    this.#incoming ??= readable(this.#stream)
    return this.#incoming
  }

  body(limit: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = []
      let size = 0
      this.#stream.receive({
        data: chunk => {
          size += chunk.length
          this.#stream.consumed(chunk.length)
          if (size <= limit) chunks.push(chunk)
          else {
            chunks.length = 0
            reject(new BodyTooLarge(limit))
          }
        },
        end: () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
        aborted: () => reject(new Error('the client went away before its request was complete')),
      })
    })
  }

  answer(status: number, head: ResponseHeaders, body?: Pieces): void {
    if (this.#stream.headersSent) return
    const length = body ? byteLengthOf(body) : 0
    const isLast = this.method === 'HEAD' || length === 0
    const date = this.#date()
    this.#stream.respond(status, head, body ? { date, 'content-length': length } : { date }, isLast)
    if (!isLast) this.#stream.end(body)
  }

  stream(status: number, head: ResponseHeaders): ResponseStream {
    const stream = this.#stream
    stream.respond(status, head, { date: this.#date() }, this.method === 'HEAD')
    return {
      write: chunk => stream.write(chunk),
      get pendingBytes() {
        return stream.queuedBytes
      },
      onDrain: callback => stream.onDrain(callback),
      end: () => stream.end(),
      destroy: () => stream.reset('internalError'),
    }
  }

  onAbort(callback: () => void): void {
    this.#stream.onClose(wasComplete => {
      if (!wasComplete) callback()
    })
  }

  onClose(callback: () => void): void {
    this.#stream.onClose(callback)
  }
}

/** The body as a stream: the client may send on as what has come is read. */
function readable(stream: Http2Stream): Readable {
  let unread = 0
  const body = new Readable({
    read() {
      stream.consumed(unread)
      unread = 0
    },
  })
  stream.receive({
    data(chunk) {
      if (body.destroyed) return stream.consumed(chunk.length)
      if (body.push(chunk)) stream.consumed(chunk.length)
      else unread += chunk.length
    },
    end: () => void body.push(null),
    aborted: () => void body.destroy(),
  })
  stream.onClose(() => {
    if (!body.readableEnded) body.destroy()
  })
  return body
}
