import type { Duplex } from 'node:stream'
import { PassingMap } from '../../collections/passing-map.ts'
import type { Clock } from '../../time/clock.ts'
import { BodySender } from './body-sender.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import {
  ACK,
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTING,
  SETTINGS,
  WINDOW_UPDATE,
  WITH_PRIORITY,
} from './frames.ts'
import { HeaderDecoder } from './header-decoder.ts'
import { type AnswerHeaders, encodeHeaders } from './header-encoder.ts'
import { type ErrorName, Http2Error } from './http2-error.ts'
import { Http2Stream, type StreamHost } from './http2-stream.ts'
import { Patience } from './patience.ts'
import { writeGoAway, writeHeaders, writePing, writeReset, writeSettings, writeWindowUpdate } from './written-frames.ts'

export interface Http2Options {
  readonly clock: Clock
  /** How many requests may be under way; further ones are refused. */
  readonly maxStreams: number
  /** How much of a body a client may send ahead of whoever reads it. */
  readonly streamWindow: number
  /** The same for all streams together. */
  readonly connectionWindow: number
  /** How much the headers of a request may say, each field with 32 bytes on top; beyond, the answer is 431. */
  readonly maxHeaderBytes: number
  /** A request has come; its body may still be under way. */
  serve(stream: Http2Stream): void
  /** The connection is over. */
  closed(): void
}

/**
 * The server's side of one HTTP/2 connection (RFC 9113). Streams are answered in turns; priorities, push and what clients send of them are
 * left out, as the protocol allows. A peer that breaks the protocol or wastes our time loses the connection.
 *
 * Hot: bench/apiserver — node:http2 takes twice the CPU for a short answer: a stream object of `node:stream` with its events, and
 * several crossings into C++ per request. Here a request costs a few objects, and its answer a part of one write.
 */
export class Http2Connection implements StreamHost {
  readonly #socket: Duplex
  readonly #options: Http2Options
  readonly #reader = new FrameReader()
  readonly #writer: FrameWriter
  readonly #decoder: HeaderDecoder
  readonly #streams = new PassingMap<number, Http2Stream>()
  readonly #bodies: BodySender
  readonly #patience: Patience
  #lastStreamId = 0
  #receiveWindow: number
  /** What may be sent again but has not been told to the peer yet. */
  #unannounced = 0
  #peerStreamWindow = DEFAULT_WINDOW
  #hasSettings = false
  /** The peer remembers fewer fields from now on, and wants to be told that we know. */
  #mustShrink = false
  #isClosing = false
  #isOver = false
  /** A header block that goes on in further frames. */
  #block: { readonly streamId: number; readonly flags: number; parts: Buffer[]; bytes: number } | undefined
  readonly #pings: (() => void)[] = []

  constructor(socket: Duplex, options: Http2Options) {
    this.#socket = socket
    this.#options = options
    this.#writer = new FrameWriter(socket, () => this.#bodies.sendLater())
    this.#bodies = new BodySender(this.#writer, stream => this.#answered(stream))
    this.#decoder = new HeaderDecoder(options.maxHeaderBytes)
    this.#patience = new Patience(options.clock)
    this.#receiveWindow = options.connectionWindow
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => this.#ended())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#over())
    const { maxStreams, streamWindow, connectionWindow, maxHeaderBytes } = options
    writeSettings(this.#writer, [
      [SETTING.maxConcurrentStreams, maxStreams],
      [SETTING.initialWindowSize, streamWindow],
      [SETTING.maxHeaderListSize, maxHeaderBytes],
    ])
    writeWindowUpdate(this.#writer, 0, connectionWindow - DEFAULT_WINDOW)
  }

  /** Requests under way. */
  get streamCount(): number {
    return this.#streams.size
  }

  /** Asks the peer for a sign of life. */
  ping(answered: () => void): void {
    if (this.#isOver) return
    this.#pings.push(answered)
    writePing(this.#writer)
  }

  /** Takes no more requests, and ends once those under way are answered. */
  close(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    writeGoAway(this.#writer, this.#lastStreamId, 'noError', '')
    this.#endIfIdle()
  }

  /** Cuts everything off. */
  destroy(): void {
    this.#socket.destroy()
  }

  sendHeaders(stream: Http2Stream, status: number, headers: AnswerHeaders, more: AnswerHeaders | undefined, isLast: boolean): void {
    const block = encodeHeaders(status, headers, more, this.#mustShrink)
    this.#mustShrink = false
    writeHeaders(this.#writer, stream.id, block, isLast)
    if (isLast) this.#answered(stream)
  }

  wantsToSend(stream: Http2Stream): void {
    this.#bodies.add(stream)
    this.#bodies.send()
  }

  consumed(stream: Http2Stream, bytes: number): void {
    stream.unreadBytes -= bytes
    this.#allowConnection(bytes)
    const { streamWindow } = this.#options
    const more = streamWindow - stream.unreadBytes - stream.receiveWindow
    if (stream.isInputOver || more < streamWindow / 4) return
    stream.receiveWindow += more
    writeWindowUpdate(this.#writer, stream.id, more)
  }

  reset(stream: Http2Stream, code: ErrorName): void {
    writeReset(this.#writer, stream.id, code)
    this.#drop(stream)
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return
    try {
      this.#reader.push(chunk, this.#onFrame, this.#asksIsOver)
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error
      this.#fail(error)
    }
  }

  readonly #asksIsOver = () => this.#isOver

  readonly #onFrame = (type: number, flags: number, streamId: number, payload: Buffer) => {
    if (!this.#hasSettings && type !== SETTINGS) throw new Http2Error('protocolError', 'the first frame is not SETTINGS')
    if (this.#block && (type !== CONTINUATION || streamId !== this.#block.streamId)) {
      throw new Http2Error('protocolError', 'a header block is interrupted')
    }
    switch (type) {
      case DATA:
        return this.#onData(flags, streamId, payload)
      case HEADERS:
        return this.#onHeaders(flags, streamId, payload)
      case PRIORITY:
        if (streamId === 0) throw new Http2Error('protocolError', 'PRIORITY of no stream')
        if (payload.length !== 5) throw new Http2Error('frameSizeError', 'PRIORITY has another length')
        return this.#patience.spend()
      case RST_STREAM:
        return this.#onReset(streamId, payload)
      case SETTINGS:
        return this.#onSettings(flags, streamId, payload)
      case PUSH_PROMISE:
        throw new Http2Error('protocolError', 'clients do not push')
      case PING:
        return this.#onPing(flags, streamId, payload)
      case GOAWAY:
        if (streamId !== 0) throw new Http2Error('protocolError', 'GOAWAY of a stream')
        // The client takes nothing new from us, and nothing new would come; what is under way goes on.
        return this.#patience.spend()
      case WINDOW_UPDATE:
        return this.#onWindow(streamId, payload)
      case CONTINUATION:
        return this.#onContinuation(flags, payload)
      default:
        return this.#patience.spend()
    }
  }

  #onHeaders(flags: number, streamId: number, payload: Buffer) {
    if (streamId % 2 === 0) throw new Http2Error('protocolError', `${streamId} is no stream of a client's`)
    const body = unpadded(flags, payload)
    const block = flags & WITH_PRIORITY ? body.subarray(5) : body
    if (flags & WITH_PRIORITY && body.length < 5) throw new Http2Error('frameSizeError', 'HEADERS is too short')
    if (flags & END_HEADERS) return this.#onBlock(streamId, flags, block)
    this.#block = { streamId, flags, parts: [block], bytes: block.length }
  }

  #onContinuation(flags: number, payload: Buffer) {
    const block = this.#block
    if (!block) throw new Http2Error('protocolError', 'CONTINUATION of nothing')
    block.parts.push(payload)
    block.bytes += payload.length
    if (block.bytes > 2 * this.#options.maxHeaderBytes || block.parts.length > MAX_BLOCK_PARTS) {
      throw new Http2Error('enhanceYourCalm', 'a header block does not end')
    }
    if (!(flags & END_HEADERS)) return
    this.#block = undefined
    this.#onBlock(block.streamId, block.flags, Buffer.concat(block.parts))
  }

  /** The headers of a new request, or what stands behind the body of one. */
  #onBlock(streamId: number, flags: number, block: Buffer) {
    // Read in any case: later blocks build on it.
    const decoded = this.#decoder.decode(block)
    const { isTooLarge, problem } = decoded
    const isLast = (flags & END_STREAM) !== 0
    const known = this.#streams.get(streamId)
    if (known) {
      if (!isLast || known.isInputOver) throw new Http2Error('protocolError', 'headers come twice')
      return this.#inputOver(known)
    }
    if (streamId <= this.#lastStreamId) return this.#patience.spend()
    this.#lastStreamId = streamId
    // Its client will send it elsewhere.
    if (this.#isClosing) return writeReset(this.#writer, streamId, 'refusedStream')
    if (this.#streams.size >= this.#options.maxStreams) {
      this.#patience.spend()
      return writeReset(this.#writer, streamId, 'refusedStream')
    }
    if (problem === undefined && !isTooLarge && !isRequest(decoded.headers)) return writeReset(this.#writer, streamId, 'protocolError')
    if (problem !== undefined && !isTooLarge) {
      this.#patience.spend()
      return writeReset(this.#writer, streamId, 'protocolError')
    }
    const { streamWindow } = this.#options
    const stream = new Http2Stream(streamId, decoded, this, {
      sendWindow: this.#peerStreamWindow,
      receiveWindow: streamWindow,
      isInputOver: isLast,
    })
    this.#streams.set(streamId, stream)
    if (isTooLarge) return stream.respond(431, { 'content-length': 0 }, undefined, true)
    this.#options.serve(stream)
  }

  #onData(flags: number, streamId: number, payload: Buffer) {
    if (streamId === 0 || streamId > this.#lastStreamId) throw new Http2Error('protocolError', 'DATA of no request')
    const stream = this.#streams.get(streamId)
    this.#receiveWindow -= payload.length
    if (this.#receiveWindow < 0) throw new Http2Error('flowControlError', 'more was sent than was allowed')
    const body = unpadded(flags, payload)
    if (!stream || stream.isInputOver) {
      // It was on its way when the stream ended.
      if (stream) this.reset(stream, 'streamClosed')
      this.#patience.spend()
      return this.#allowConnection(payload.length)
    }
    stream.receiveWindow -= payload.length
    if (stream.receiveWindow < 0) {
      this.#allowConnection(payload.length)
      return this.reset(stream, 'flowControlError')
    }
    const isLast = (flags & END_STREAM) !== 0
    if (body.length === 0 && !isLast) this.#patience.spend()
    stream.unreadBytes += payload.length
    if (body.length < payload.length) this.consumed(stream, payload.length - body.length)
    if (body.length > 0) stream.received(body)
    if (isLast) this.#inputOver(stream)
  }

  #inputOver(stream: Http2Stream): void {
    stream.receivedEnd()
    if (stream.isAnswered) this.#drop(stream)
  }

  #onReset(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw new Http2Error('frameSizeError', 'RST_STREAM has another length')
    if (streamId === 0 || streamId > this.#lastStreamId) throw new Http2Error('protocolError', 'RST_STREAM of no request')
    // A request that is taken back at once has cost us its work, and the client nothing.
    this.#patience.spendOnReset()
    const stream = this.#streams.get(streamId)
    if (stream) this.#drop(stream)
  }

  #onSettings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw new Http2Error('protocolError', 'SETTINGS of a stream')
    this.#hasSettings = true
    if (flags & ACK) {
      if (payload.length > 0) throw new Http2Error('frameSizeError', 'SETTINGS is acknowledged with content')
      return
    }
    if (payload.length % 6 !== 0) throw new Http2Error('frameSizeError', 'SETTINGS has another length')
    this.#patience.spend()
    for (let at = 0; at < payload.length; at += 6) this.#onSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
    this.#writer.head(0, SETTINGS, ACK, 0)
    this.#bodies.send()
  }

  #onSetting(name: number, value: number): void {
    if (name === SETTING.enablePush && value > 1) throw new Http2Error('protocolError', 'ENABLE_PUSH is neither 0 nor 1')
    if (name === SETTING.maxFrameSize && (value < MAX_FRAME_BYTES || value > 0xffffff)) {
      throw new Http2Error('protocolError', `MAX_FRAME_SIZE is ${value}`)
    }
    if (name === SETTING.headerTableSize && value < DEFAULT_TABLE_BYTES) this.#mustShrink = true
    if (name !== SETTING.initialWindowSize) return
    if (value > MAX_WINDOW) throw new Http2Error('flowControlError', `INITIAL_WINDOW_SIZE is ${value}`)
    const more = value - this.#peerStreamWindow
    this.#peerStreamWindow = value
    for (const stream of this.#streams.values()) {
      stream.sendWindow += more
      if (stream.sendWindow > MAX_WINDOW) throw new Http2Error('flowControlError', 'a window is too large')
      if (stream.queuedBytes > 0) this.#bodies.add(stream)
    }
  }

  #onPing(flags: number, streamId: number, payload: Buffer) {
    if (streamId !== 0) throw new Http2Error('protocolError', 'PING of a stream')
    if (payload.length !== 8) throw new Http2Error('frameSizeError', 'PING has another length')
    if (flags & ACK) return this.#pings.shift()?.()
    // Go's client sends one with each body that it measures a connection by.
    this.#patience.spend()
    this.#writer.head(8, PING, ACK, 0)
    this.#writer.bytes(payload)
  }

  #onWindow(streamId: number, payload: Buffer) {
    if (payload.length !== 4) throw new Http2Error('frameSizeError', 'WINDOW_UPDATE has another length')
    const more = payload.readUInt32BE(0) & 0x7fffffff
    if (streamId === 0) {
      if (more === 0) throw new Http2Error('protocolError', 'a window grows by nothing')
      this.#bodies.grow(more)
      return this.#bodies.send()
    }
    if (streamId > this.#lastStreamId) throw new Http2Error('protocolError', 'WINDOW_UPDATE of no request')
    const stream = this.#streams.get(streamId)
    if (!stream) return
    if (more === 0) return this.reset(stream, 'protocolError')
    stream.sendWindow += more
    if (stream.sendWindow > MAX_WINDOW) return this.reset(stream, 'flowControlError')
    if (stream.queuedBytes === 0) return
    this.#bodies.add(stream)
    this.#bodies.send()
  }

  /**
   * The whole answer is in frames. A request that is not complete by then is not wanted any more; its sender is told so a moment later, since
   * clients (curl, Node) that read both at once forget the answer.
   */
  #answered(stream: Http2Stream): void {
    const refuse = () => {
      if (this.#streams.has(stream.id)) this.reset(stream, 'noError')
    }
    if (stream.isInputOver) this.#drop(stream)
    else this.#options.clock.after(LINGER_MS, refuse)
  }

  #drop(stream: Http2Stream): void {
    if (!this.#streams.delete(stream.id)) return
    this.#bodies.remove(stream)
    // What nobody has read of its body is made room for.
    this.#allowConnection(stream.unreadBytes)
    stream.closed()
    this.#endIfIdle()
  }

  #allowConnection(bytes: number): void {
    if (bytes <= 0) return
    this.#receiveWindow += bytes
    this.#unannounced += bytes
    if (this.#unannounced < this.#options.connectionWindow / 4) return
    writeWindowUpdate(this.#writer, 0, this.#unannounced)
    this.#unannounced = 0
  }

  #fail(error: Http2Error): void {
    writeGoAway(this.#writer, this.#lastStreamId, error.code, error.message)
    this.#writer.flush()
    this.#over()
    this.#socket.end()
    // A peer that does not take the rest does not keep the socket open either.
    this.#options.clock.after(GOODBYE_MS, () => this.#socket.destroy())
  }

  /** The client sends nothing more: as with any that has gone, nobody waits for the answers. */
  #ended(): void {
    this.#over()
    this.#socket.end()
  }

  #endIfIdle(): void {
    if (!this.#isClosing || this.#isOver || this.#streams.size > 0) return
    this.#writer.flush()
    this.#socket.end()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#writer.flush()
    this.#bodies.end()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const stream of streams) stream.closed()
    this.#options.closed()
  }
}

/** How much a peer remembers of headers unless it says otherwise. */
const DEFAULT_TABLE_BYTES = 4096
/** A client needs three or four frames for the largest headers it may send. */
const MAX_BLOCK_PARTS = 64
const GOODBYE_MS = 1000
/** How long after its answer a request may still come in. */
const LINGER_MS = 200

function unpadded(flags: number, payload: Buffer): Buffer {
  if (!(flags & PADDED)) return payload
  const padding = payload[0]
  if (padding === undefined || padding >= payload.length) throw new Http2Error('protocolError', 'there is more padding than frame')
  return payload.subarray(1, payload.length - padding)
}

function isRequest(headers: Readonly<Record<string, string>>): boolean {
  const { ':method': method, ':path': path, ':scheme': scheme } = headers
  return method !== undefined && method !== '' && scheme !== undefined && path !== undefined && (path.startsWith('/') || path === '*')
}
