import { Duplex } from 'node:stream'
import {
  DATA_LIMIT,
  dataFrame,
  FLAG_FIN,
  type Frame,
  FrameParser,
  frameType,
  goAwayFrame,
  pingFrame,
  resetCode,
  resetFrame,
  synReplyFrame,
  synStreamFrame,
} from './frames.ts'
import { HeaderReader, HeaderWriter, type StreamHeaders } from './header-block.ts'

/** What a SPDY connection is made of. */
export interface SpdyOptions {
  /** The side that answered the upgrade opens even stream numbers, the one that asked for it odd ones. */
  readonly side: 'client' | 'server'
  /** Called for each stream the peer opens; without it such streams are refused. */
  onStream?(stream: SpdyStream): void
}

/**
 * A SPDY/3.1 connection over an already upgraded socket, as Kubernetes uses it for exec, attach and port-forward.
 *
 * Like every peer of that family it neither sends nor obeys WINDOW_UPDATE: a reader that does not read holds up the whole connection, and TCP its sender.
 */
export class SpdyConnection implements Disposable {
  readonly closed: Promise<void>
  readonly #socket: Duplex
  readonly #options: SpdyOptions
  readonly #streams = new Map<number, SpdyStream>()
  readonly #parser = new FrameParser()
  readonly #headerReader = new HeaderReader()
  readonly #headerWriter = new HeaderWriter()
  #nextStreamId: number
  #lastPeerStreamId = 0
  #ended = false
  #end!: () => void

  constructor(socket: Duplex, options: SpdyOptions) {
    this.#socket = socket
    this.#options = options
    this.#nextStreamId = options.side === 'client' ? 1 : 2
    this.closed = new Promise(resolve => {
      this.#end = resolve
    })
    void this.#receive()
  }

  /** Opens a stream; data may be written at once, `stream.accepted` tells when the peer has agreed to it. */
  open(headers: StreamHeaders): SpdyStream {
    if (this.#ended) throw new Error('Cannot open a stream: the SPDY connection is closed')
    const stream = this.#add(this.#nextStreamId, headers)
    this.#nextStreamId += 2
    this.#send(synStreamFrame(stream.id, this.#headerWriter.write(headers), false))
    return stream
  }

  /** Says that no new stream will be served, and ends the socket after what was written. */
  close(): void {
    if (this.#ended) return
    this.#send(goAwayFrame(this.#lastPeerStreamId))
    this.#socket.end()
    this.#finish()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
    this.#finish()
  }

  async #receive(): Promise<void> {
    try {
      for await (const chunk of this.#socket) {
        for (const frame of this.#parser.push(chunk as Buffer)) await this.#handle(frame)
      }
      this.#finish()
    } catch (error) {
      this.#socket.destroy()
      this.#finish(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #handle(frame: Frame): Promise<void> {
    if (frame.kind === 'data') {
      const stream = this.#streams.get(frame.streamId)
      if (!stream) return
      if (frame.body.length > 0) await stream.receive(frame.body)
      if (frame.flags & FLAG_FIN) stream.receiveEnd()
      return
    }
    const { body } = frame
    const streamId = body.length >= 4 ? body.readUInt32BE(0) & 0x7fffffff : 0
    switch (frame.type) {
      case frameType.synStream: {
        const headers = await this.#headerReader.read(body.subarray(10))
        this.#lastPeerStreamId = streamId
        if (!this.#options.onStream) return this.#send(resetFrame(streamId, resetCode.refusedStream))
        const stream = this.#add(streamId, headers)
        this.#send(synReplyFrame(streamId, this.#headerWriter.write({})))
        stream.accept()
        this.#options.onStream(stream)
        if (frame.flags & FLAG_FIN) stream.receiveEnd()
        return
      }
      case frameType.synReply: {
        await this.#headerReader.read(body.subarray(4))
        this.#streams.get(streamId)?.accept()
        if (frame.flags & FLAG_FIN) this.#streams.get(streamId)?.receiveEnd()
        return
      }
      case frameType.headers:
        await this.#headerReader.read(body.subarray(4))
        return
      case frameType.reset:
        this.#streams.get(streamId)?.receiveReset(body.readUInt32BE(4))
        return
      case frameType.ping: {
        const ours = (streamId % 2 === 1) === (this.#options.side === 'client')
        if (!ours) this.#send(pingFrame(streamId))
        return
      }
      default: // SETTINGS, WINDOW_UPDATE and GOAWAY ask for nothing here: the socket's end tells when it is over.
    }
  }

  #add(id: number, headers: StreamHeaders): SpdyStream {
    const stream = new SpdyStream(id, headers, {
      data: (body, fin, done) => this.#sendData(id, body, fin, done),
      reset: () => this.#send(resetFrame(id, resetCode.cancel)),
      gone: () => this.#streams.delete(id),
    })
    this.#streams.set(id, stream)
    return stream
  }

  #sendData(id: number, body: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    if (this.#ended) {
      done(new Error('Cannot write to the stream: the SPDY connection is closed'))
      return
    }
    for (let at = 0; at + DATA_LIMIT < body.length; at += DATA_LIMIT)
      this.#socket.write(dataFrame(id, body.subarray(at, at + DATA_LIMIT), false))
    const last = body.subarray(body.length - (body.length % DATA_LIMIT || Math.min(body.length, DATA_LIMIT)))
    this.#socket.write(dataFrame(id, last, fin), done)
  }

  #send(frame: Buffer): void {
    if (!this.#ended && this.#socket.writable) this.#socket.write(frame)
  }

  #finish(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#headerReader[Symbol.dispose]()
    for (const stream of this.#streams.values()) stream.connectionEnded(error)
    this.#socket.on('error', () => {})
    if (!error) this.#socket.end()
    this.#end()
  }
}

interface StreamWire {
  data(body: Buffer, fin: boolean, done: (error?: Error | null) => void): void
  reset(): void
  gone(): void
}

/** One stream of a {@link SpdyConnection}: a Duplex whose two directions end separately. */
export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: StreamHeaders
  /** Resolves when the peer has accepted the stream, rejects when it refused it. */
  readonly accepted: Promise<void>
  readonly #wire: StreamWire
  #accept!: () => void
  #refuse!: (error: Error) => void
  #resume: (() => void) | undefined
  #peerEnded = false

  constructor(id: number, headers: StreamHeaders, wire: StreamWire) {
    super({ allowHalfOpen: true, autoDestroy: true, emitClose: true })
    this.id = id
    this.headers = headers
    this.#wire = wire
    this.accepted = new Promise((resolve, reject) => {
      this.#accept = resolve
      this.#refuse = reject
    })
    this.accepted.catch(() => {})
    this.on('error', () => {}) // A stream nobody listens to must not end the process; readers and writers still see the error.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#wire.data(chunk, false, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire.data(Buffer.alloc(0), true, () => done())
  }

  override _read(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#resume?.()
    if (!this.writableFinished || !this.#peerEnded) this.#wire.reset()
    this.#wire.gone()
    this.#refuse(error ?? new Error('The SPDY stream was closed'))
    done(error)
  }

  /** The connection's side of the stream: what the peer sent. Resolves when more may be given. */
  receive(body: Buffer): Promise<void> | undefined {
    if (this.destroyed || this.#peerEnded || this.push(body)) return undefined
    return new Promise(resolve => {
      this.#resume = resolve
    })
  }

  receiveEnd(): void {
    if (this.#peerEnded) return
    this.#peerEnded = true
    this.push(null)
  }

  receiveReset(code: number): void {
    this.#peerEnded = true
    this.destroy(new Error(`The peer reset the SPDY stream (code ${code})`))
  }

  accept(): void {
    this.#accept()
  }

  connectionEnded(error?: Error): void {
    this.#wire.gone()
    this.#resume?.() // whoever waits to hand on more must not wait for ever
    if (this.#peerEnded && this.writableEnded) return
    if (error) this.destroy(error)
    else {
      this.receiveEnd()
      this.#refuse(new Error('The SPDY connection ended'))
      if (!this.writableEnded) this.end()
    }
  }
}
