import { PassingMap } from '../../collections/passing-map.ts'
import type { FrameWriter } from './frame-writer.ts'
import { DATA, DEFAULT_WINDOW, END_STREAM, MAX_FRAME_BYTES, MAX_WINDOW } from './frames.ts'
import { Http2Error } from './http2-error.ts'
import type { Http2Stream } from './http2-stream.ts'

/** Beyond this nothing is put into frames until the socket has taken some: it waits in its stream, where it can be counted. */
const SOCKET_BYTES = 1024 * 1024
/** How much of a stream is sent before it is the next one's turn. */
const TURN_BYTES = 4 * MAX_FRAME_BYTES

/** Sends the bodies of a connection's answers, stream by stream in turns, as far as windows and socket allow. */
export class BodySender {
  readonly #writer: FrameWriter
  /** The whole answer of a stream has gone into frames. */
  readonly #sent: (stream: Http2Stream) => void
  readonly #waiting = new PassingMap<number, Http2Stream>()
  /** How much the peer takes, of all streams together. */
  #window = DEFAULT_WINDOW
  #isSending = false
  /** It goes on sending once others have had their turn. */
  #isPutOff = false
  #isOver = false

  constructor(writer: FrameWriter, sent: (stream: Http2Stream) => void) {
    this.#writer = writer
    this.#sent = sent
  }

  /** The stream has something to send, or may send again. */
  add(stream: Http2Stream): void {
    this.#waiting.set(stream.id, stream)
  }

  /** The stream is over. */
  remove(stream: Http2Stream): void {
    this.#waiting.delete(stream.id)
  }

  /** The peer takes more. Throws {@link Http2Error} where that is more than there may be. */
  grow(bytes: number): void {
    this.#window += bytes
    if (this.#window > MAX_WINDOW) throw new Http2Error('flowControlError', 'the window is too large')
  }

  /** Sends nothing more. */
  end(): void {
    this.#isOver = true
    this.#waiting.clear()
  }

  /**
   * Goes on when the socket has taken what it was given: after others have had their turn. A client that reads as fast as we write would
   * else hold up everybody until it has its whole answer, however long that is.
   */
  sendLater(): void {
    if (this.#waiting.size === 0 || this.#isPutOff) return
    this.#isPutOff = true
    setImmediate(() => {
      this.#isPutOff = false
      this.send()
    })
  }

  /** Puts into frames what the windows and the socket allow. */
  send(): void {
    // What is told of the end of a stream may write to another: that one is in the set by then.
    if (this.#isSending || this.#isOver) return
    this.#isSending = true
    try {
      for (let hasSent = true; hasSent && this.#waiting.size > 0; ) {
        hasSent = false
        for (const stream of this.#waiting.values()) {
          if (this.#writer.pendingBytes > SOCKET_BYTES) return
          if (this.#sendTurn(stream)) hasSent = true
          if (this.#isOver) return
        }
      }
    } finally {
      this.#isSending = false
    }
  }

  /** Sends some of a stream. Answers whether there is more that could be sent. */
  #sendTurn(stream: Http2Stream): boolean {
    let turn = 0
    while (turn < TURN_BYTES) {
      const length = stream.hasOnlyEnd ? 0 : Math.min(stream.queuedBytes, stream.sendWindow, this.#window, MAX_FRAME_BYTES)
      if (length <= 0 && !stream.hasOnlyEnd) {
        // Out of what it had, or of its window: it comes back when there is more of that. Out of the connection's, it stays.
        if (stream.queuedBytes === 0 || stream.sendWindow <= 0) this.#waiting.delete(stream.id)
        return false
      }
      const isLast = length === stream.queuedBytes && stream.isEnding
      this.#writer.head(length, DATA, isLast ? END_STREAM : 0, stream.id, Math.min(stream.queuedBytes, TURN_BYTES * 4))
      stream.takeQueued(length, this.#take)
      stream.sendWindow -= length
      this.#window -= length
      turn += length
      if (isLast) {
        this.#waiting.delete(stream.id)
        this.#sent(stream)
        return false
      }
      if (stream.queuedBytes === 0) {
        this.#waiting.delete(stream.id)
        stream.drained()
        return false
      }
    }
    return true
  }

  readonly #take = (chunk: Uint8Array, from: number, end: number) => this.#writer.bytes(chunk, from, end)
}
