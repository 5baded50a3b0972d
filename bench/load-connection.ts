/**
 * A client's HTTP/2 connection that leaves next to nothing to collect. The load runs on the cores of the server that is measured: with
 * `node:http2` its own collections, 5 to 10 ms each, were the slowest hundredth of all requests.
 */
import { connect, type TLSSocket } from 'node:tls'
import {
  ACK,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADER_BYTES,
  HEADERS,
  MAX_FRAME_BYTES,
  PING,
  PREFACE,
  RST_STREAM,
  SETTING,
  SETTINGS,
  WINDOW_UPDATE,
} from '#base/net/http2/frames.ts'
import { STATIC_FIELDS } from '#base/net/http2/header-fields.ts'

/** As Go's client has it: an answer is not held up by the windows. */
const STREAM_WINDOW = 4 * 1024 * 1024
const CONNECTION_WINDOW = 1024 * 1024 * 1024
const READ_BYTES = 256 * 1024
const WRITE_BYTES = 64 * 1024
/** What a server remembers of headers. */
const TABLE_BYTES = 4096

export interface LoadRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** Whether the body of a good answer is wanted. */
  readonly keeps: boolean
}

export interface LoadAnswer {
  readonly status: number
  readonly text: string
}

interface Pending {
  readonly keeps: boolean
  resolve(answer: LoadAnswer): void
  reject(error: Error): void
  status: number
  parts: Buffer[] | undefined
  received: number
}

export class LoadConnection {
  readonly #socket: TLSSocket
  readonly #authority: string
  readonly #pending = new Map<number, Pending>()
  /** Fields that the server remembers, by the order in which it was told. */
  readonly #remembered = new Map<string, number>()
  #rememberedBytes = 0
  #nextId = 1
  #unannounced = 0
  #sendWindow = DEFAULT_WINDOW
  #failure: Error | undefined
  /** The head of the frame that comes in, how much of it is there, and how much of its payload is still to come. */
  readonly #head = Buffer.alloc(HEADER_BYTES)
  #headBytes = 0
  #left = 0
  /** Its payload, if that is no DATA. */
  readonly #payload = Buffer.allocUnsafeSlow(MAX_FRAME_BYTES)
  #payloadBytes = 0

  constructor(port: number, credentials: { readonly cert?: string; readonly key?: string } = {}) {
    this.#authority = `127.0.0.1:${port}`
    // Everything is read into the same memory: what a request brings is looked at and forgotten.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const onread = {
      buffer,
      callback: (length: number) => {
        this.#read(buffer.subarray(0, length))
        return true
      },
    }
    const options = { host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false, onread, ...credentials }
    this.#socket = connect(options)
    this.#socket.setNoDelay(true)
    this.#socket.on('error', error => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')))
    const settings = frame(SETTINGS, 0, 0, 12)
    settings.writeUInt16BE(SETTING.enablePush, HEADER_BYTES)
    settings.writeUInt16BE(SETTING.initialWindowSize, HEADER_BYTES + 6)
    settings.writeUInt32BE(STREAM_WINDOW, HEADER_BYTES + 8)
    this.#socket.write(Buffer.concat([PREFACE, settings, windowUpdate(0, CONNECTION_WINDOW)]))
  }

  /** Resolves with the whole answer, of whatever status; its text is there where it was wanted or the status is none of success. */
  request({ method, path, headers, body, keeps }: LoadRequest): Promise<LoadAnswer> {
    if (this.#failure) throw this.#failure
    const id = this.#nextId
    this.#nextId += 2
    const bytes = body === undefined ? 0 : Buffer.byteLength(body)
    // Bodies are short: this client does not wait for windows.
    this.#sendWindow -= bytes
    if (bytes > MAX_FRAME_BYTES || this.#sendWindow < 0) throw new Error(`${method} ${path}: the load sends no bodies of ${bytes} bytes`)
    const out = Buffer.allocUnsafe(Math.min(WRITE_BYTES, 2048 + path.length + bytes))
    const end = this.#writeBlock(out, HEADER_BYTES, method, path, headers)
    writeHead(out, 0, end - HEADER_BYTES, HEADERS, END_HEADERS | (body === undefined ? END_STREAM : 0), id)
    let length = end
    if (body !== undefined) {
      writeHead(out, end, bytes, DATA, END_STREAM, id)
      length = end + HEADER_BYTES + out.write(body, end + HEADER_BYTES)
    }
    this.#socket.write(out.subarray(0, length))
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { keeps, resolve, reject, status: 0, parts: undefined, received: 0 })
    })
  }

  close(): void {
    this.#socket.end()
  }

  /** As other clients do: what comes again is a number, but for the path (HPACK, RFC 7541). */
  #writeBlock(out: Buffer, start: number, method: string, path: string, headers: LoadRequest['headers']): number {
    let end = this.#writeField(out, start, ':method', method)
    end = this.#writeField(out, end, ':scheme', 'https')
    end = this.#writeField(out, end, ':authority', this.#authority)
    out[end++] = indexOfName(':path')
    end = writeText(out, end, path)
    for (const name in headers) end = this.#writeField(out, end, name, headers[name]!)
    return end
  }

  #writeField(out: Buffer, at: number, name: string, value: string): number {
    const field = `${name}: ${value}`
    const known = STATIC.get(field)
    if (known !== undefined) return writeInteger(out, at, 0x80, 0x7f, known)
    const place = this.#remembered.get(field)
    if (place !== undefined) return writeInteger(out, at, 0x80, 0x7f, STATIC_FIELDS.length + this.#remembered.size - place)
    this.#rememberedBytes += name.length + value.length + 32
    if (this.#rememberedBytes > TABLE_BYTES) throw new Error('the load sends more headers than a server remembers')
    this.#remembered.set(field, this.#remembered.size)
    const end = writeInteger(out, at, 0x40, 0x3f, indexOfName(name))
    return writeText(out, indexOfName(name) === 0 ? writeText(out, end, name) : end, value)
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#headBytes < HEADER_BYTES) {
        this.#head[this.#headBytes++] = chunk[at++]!
        if (this.#headBytes === HEADER_BYTES) this.#begin()
        continue
      }
      const end = Math.min(chunk.length, at + this.#left)
      this.#left -= end - at
      this.#take(chunk, at, end)
      at = end
      if (this.#left === 0) this.#end()
    }
  }

  #begin(): void {
    this.#left = this.#head.readUIntBE(0, 3)
    this.#payloadBytes = 0
    if (this.#left > MAX_FRAME_BYTES) this.#fail(new Error(`the server sent a frame of ${this.#left} bytes`))
    else if (this.#left === 0) this.#end()
  }

  /** A part of a payload. */
  #take(chunk: Buffer, start: number, end: number): void {
    if (this.#head[3] === DATA) this.#onData(this.#head.readUInt32BE(5), chunk, start, end)
    else this.#payloadBytes += chunk.copy(this.#payload, this.#payloadBytes, start, end)
  }

  #end(): void {
    this.#headBytes = 0
    const type = this.#head[3]!
    const flags = this.#head[4]!
    const id = this.#head.readUInt32BE(5)
    const payload = this.#payload
    const pending = this.#pending.get(id)
    switch (type) {
      case HEADERS:
        if (pending) pending.status = statusOf(payload)
        break
      case DATA:
        break
      case SETTINGS:
        if (!(flags & ACK)) this.#socket.write(frame(SETTINGS, ACK, 0, 0))
        return
      case PING:
        if (!(flags & ACK)) this.#answerPing(payload.subarray(0, this.#payloadBytes))
        return
      case WINDOW_UPDATE:
        if (id === 0) this.#sendWindow += payload.readUInt32BE(0)
        return
      case RST_STREAM:
        this.#pending.delete(id)
        pending?.reject(new Error(`the server cut the request off: ${payload.readUInt32BE(0)}`))
        return
      case GOAWAY:
        this.#fail(new Error(`the server sends its clients away: ${payload.toString('utf8', 8, this.#payloadBytes)}`))
        return
      default:
        return
    }
    if (!pending || !(flags & END_STREAM)) return
    this.#pending.delete(id)
    pending.resolve({ status: pending.status, text: pending.parts ? Buffer.concat(pending.parts).toString() : '' })
  }

  #onData(id: number, bytes: Buffer, start: number, end: number): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    if (pending.keeps || pending.status >= 300) {
      pending.parts ??= []
      pending.parts.push(Buffer.from(bytes.subarray(start, end)))
    }
    pending.received += end - start
    this.#unannounced += end - start
    if (pending.received >= STREAM_WINDOW / 2) {
      this.#socket.write(windowUpdate(id, pending.received))
      pending.received = 0
    }
    if (this.#unannounced < CONNECTION_WINDOW / 2) return
    this.#socket.write(windowUpdate(0, this.#unannounced))
    this.#unannounced = 0
  }

  #answerPing(payload: Buffer): void {
    const answer = frame(PING, ACK, 0, payload.length)
    answer.set(payload, HEADER_BYTES)
    this.#socket.write(answer)
  }

  /** Nothing is answered any more. */
  #fail(error: Error): void {
    this.#failure ??= error
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const each of pending) each.reject(error)
  }
}

const STATIC: ReadonlyMap<string, number> = new Map(
  STATIC_FIELDS.flatMap(([name, value], index) => (value === '' ? [] : [[`${name}: ${value}`, index + 1] as const])),
)
const NAMES = new Map(STATIC_FIELDS.map(([name], index) => [name, index + 1] as const).reverse())

/** 0 where the name has no number. */
function indexOfName(name: string): number {
  return NAMES.get(name) ?? 0
}

/** The status is the first field of an answer: by its number, or as a text of three digits behind the number of its name. */
function statusOf(block: Buffer): number {
  const first = block[0]!
  return Number(first & 0x80 ? STATIC_FIELDS[(first & 0x7f) - 1]![1] : block.toString('latin1', 2, 5))
}

function writeText(out: Buffer, at: number, text: string): number {
  const start = writeInteger(out, at, 0, 0x7f, text.length)
  return start + out.write(text, start, 'latin1')
}

/** An integer in the rest of a byte that begins with `first`, and those behind it. */
function writeInteger(out: Buffer, at: number, first: number, limit: number, value: number): number {
  if (value < limit) {
    out[at] = first | value
    return at + 1
  }
  out[at++] = first | limit
  let rest = value - limit
  for (; rest >= 0x80; rest >>= 7) out[at++] = 0x80 | (rest & 0x7f)
  out[at] = rest
  return at + 1
}

function writeHead(out: Buffer, at: number, length: number, type: number, flags: number, id: number): void {
  out.writeUIntBE(length, at, 3)
  out[at + 3] = type
  out[at + 4] = flags
  out.writeUInt32BE(id, at + 5)
}

/** A frame with room for so many bytes, all of them 0. */
function frame(type: number, flags: number, id: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + length)
  writeHead(bytes, 0, length, type, flags, id)
  return bytes
}

function windowUpdate(id: number, more: number): Buffer {
  const update = frame(WINDOW_UPDATE, 0, id, 4)
  update.writeUInt32BE(more, HEADER_BYTES)
  return update
}
