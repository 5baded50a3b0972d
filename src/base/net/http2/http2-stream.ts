import { byteLengthOf, type Pieces } from '../pieces.ts'
import type { DecodedHeaders } from './header-decoder.ts'
import type { AnswerHeaders } from './header-encoder.ts'
import type { RequestHeaders } from './header-fields.ts'
import type { ErrorName } from './http2-error.ts'

/** What a stream asks of its connection. */
export interface StreamHost {
  sendHeaders(stream: Http2Stream, status: number, headers: AnswerHeaders, more: AnswerHeaders | undefined, isLast: boolean): void
  /** The stream has something to send. */
  wantsToSend(stream: Http2Stream): void
  /** So many bytes of the body have been dealt with. */
  consumed(stream: Http2Stream, bytes: number): void
  reset(stream: Http2Stream, code: ErrorName): void
}

/** Who takes the body of a request. */
export interface BodySink {
  data(chunk: Uint8Array): void
  end(): void
  /** The client has gone before its request was complete. */
  aborted(): void
}

/** One request and its answer. */
export class Http2Stream {
  readonly id: number
  readonly headers: RequestHeaders
  /** Names and values by turns, as they were sent. */
  readonly rawHeaders: readonly string[]
  /** How much may be sent. Kept by the connection. */
  sendWindow: number
  /** How much the peer may send. Kept by the connection. */
  receiveWindow: number
  /** How much of what it sent has not been dealt with. Kept by the connection. */
  unreadBytes = 0
  /** Bytes that were written and have not gone into a frame yet. */
  queuedBytes = 0
  readonly #host: StreamHost
  readonly #queue: Uint8Array[] = []
  #first = 0
  /** What comes behind the queue, and which piece of it is the next to be asked for. */
  #last: Pieces = NOTHING
  #nextOfLast = 0
  #offset = 0
  #isEnding = false
  #headersSent = false
  #isAnswered = false
  #isInputOver: boolean
  #isClosed = false
  #sink: BodySink | undefined
  #early: Uint8Array[] = []
  #onClose: ((wasComplete: boolean) => void)[] = []
  #onDrain: (() => void)[] = []

  constructor(
    id: number,
    { headers, rawHeaders }: Pick<DecodedHeaders, 'headers' | 'rawHeaders'>,
    host: StreamHost,
    options: { readonly sendWindow: number; readonly receiveWindow: number; readonly isInputOver: boolean },
  ) {
    this.id = id
    this.headers = headers
    this.rawHeaders = rawHeaders
    this.#host = host
    this.sendWindow = options.sendWindow
    this.receiveWindow = options.receiveWindow
    this.#isInputOver = options.isInputOver
  }

  get headersSent(): boolean {
    return this.#headersSent
  }

  /** Nothing more is sent or received. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  get isInputOver(): boolean {
    return this.#isInputOver
  }

  /** The whole answer has gone into frames. */
  get isAnswered(): boolean {
    return this.#isAnswered
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  /** Everything but the end has been handed to the connection. */
  get hasOnlyEnd(): boolean {
    return this.#isEnding && this.queuedBytes === 0
  }

  /** Begins the answer, whose headers are those of both; `isLast`: it has no body. */
  respond(status: number, headers: AnswerHeaders, more?: AnswerHeaders, isLast = false): void {
    if (this.#isClosed || this.#headersSent) return
    this.#headersSent = true
    if (isLast) {
      this.#isEnding = true
      this.#isAnswered = true
    }
    this.#host.sendHeaders(this, status, headers, more, isLast)
  }

  /** Sends a part of the body. The bytes must not change any more. */
  write(chunk: Uint8Array): void {
    if (this.#isClosed || this.#isEnding || chunk.length === 0) return
    this.#queue.push(chunk)
    this.queuedBytes += chunk.length
    this.#host.wantsToSend(this)
  }

  /** Sends the last part of the body, in one piece or several. */
  end(pieces: Pieces = NOTHING): void {
    if (this.#isClosed || this.#isEnding) return
    this.#last = pieces
    this.queuedBytes += byteLengthOf(pieces)
    this.#isEnding = true
    this.#host.wantsToSend(this)
  }

  /** Cuts the stream off. */
  reset(code: ErrorName = 'cancel'): void {
    if (!this.#isClosed) this.#host.reset(this, code)
  }

  /** Takes the body from here on: what has come already, at once. Whoever has dealt with a chunk says so by {@link consumed}. */
  receive(sink: BodySink): void {
    this.#sink = sink
    for (const chunk of this.#early.splice(0)) sink.data(chunk)
    if (this.#isInputOver) sink.end()
    else if (this.#isClosed) sink.aborted()
  }

  /** Lets the client send as many bytes more. */
  consumed(bytes: number): void {
    if (!this.#isClosed) this.#host.consumed(this, bytes)
  }

  /** Calls back once the stream is over; `wasComplete`: the whole answer was sent. */
  onClose(callback: (wasComplete: boolean) => void): void {
    if (this.#isClosed) callback(this.#isAnswered)
    else this.#onClose.push(callback)
  }

  /** Calls back whenever all that was written has gone into frames. */
  onDrain(callback: () => void): void {
    this.#onDrain.push(callback)
  }

  /** The connection has received a part of the body. */
  received(chunk: Uint8Array): void {
    if (this.#sink) this.#sink.data(chunk)
    else this.#early.push(chunk)
  }

  /** The connection has received the end of the request. */
  receivedEnd(): void {
    this.#isInputOver = true
    this.#sink?.end()
  }

  /**
   * Hands up to `limit` queued bytes to `take`, piece by piece. Answers whether with them the answer is complete. Called by the connection,
   * which has made sure that there are so many.
   */
  takeQueued(limit: number, take: (chunk: Uint8Array, from: number, end: number) => void): boolean {
    let left = limit
    while (left > 0) {
      if (this.#first === this.#queue.length) this.#queue.push(this.#last.at(this.#nextOfLast++)!)
      const chunk = this.#queue[this.#first]!
      const end = Math.min(chunk.length, this.#offset + left)
      take(chunk, this.#offset, end)
      left -= end - this.#offset
      this.#offset = end
      if (end < chunk.length) break
      this.#offset = 0
      this.#first++
    }
    this.queuedBytes -= limit
    if (this.queuedBytes === 0) {
      this.#queue.length = 0
      this.#first = 0
      if (this.#isEnding) this.#last = NOTHING
      this.#isAnswered = this.#isEnding
    } else if (this.#first > 1024) {
      this.#queue.splice(0, this.#first)
      this.#first = 0
    }
    return this.#isAnswered
  }

  /** Tells who waits for it that all has gone into frames. */
  drained(): void {
    for (const callback of this.#onDrain) callback()
  }

  /** The connection says that the stream is over. */
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#queue.length = 0
    this.#last = NOTHING
    this.#early.length = 0
    this.queuedBytes = 0
    if (!this.#isInputOver) this.#sink?.aborted()
    for (const callback of this.#onClose.splice(0)) callback(this.#isAnswered)
  }
}

const NOTHING: Pieces = []
