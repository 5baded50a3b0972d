import type { Duplex } from 'node:stream'
import { copyBytes } from '../../collections/kept-bytes.ts'
import { HEADER_BYTES } from './frames.ts'

/** Room for what most turns send; and for what a long answer is sent in. */
const SMALL_BYTES = 16 * 1024
const LARGE_BYTES = 16 * (16_384 + HEADER_BYTES)
const spareSmall: Buffer[] = []
const spareLarge: Buffer[] = []
const SPARE_SMALL = 128
const SPARE_LARGE = 16

/**
 * Collects what is sent and hands it to the socket in few writes: at the end of a turn, so that the frames of all streams that had something to
 * say share a write and a record of TLS; and one write at a time, what comes meanwhile shares the next. Hot: bench/apiserver — writes that
 * wait in the socket are copied together before they are encrypted, which was a fifth of a long list.
 */
export class FrameWriter {
  readonly #socket: Duplex
  readonly #taken: () => void
  #buffer: Buffer | undefined
  #end = 0
  #isScheduled = false
  /** Full buffers, until the socket has taken what it has. */
  readonly #waiting: Filled[] = []
  #waitingBytes = 0
  #isWriting = false

  /** `taken` is called whenever the socket has taken something: there is room for more. */
  constructor(socket: Duplex, taken: () => void) {
    this.#socket = socket
    this.#taken = taken
  }

  /** Bytes that the socket has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength + this.#waitingBytes + this.#end
  }

  /** Writes the head of a frame. `following` is how much is about to follow in all: by that the room is taken. */
  head(length: number, type: number, flags: number, streamId: number, following = length): void {
    const buffer = this.#room(HEADER_BYTES, following)
    let at = this.#end
    buffer[at++] = length >> 16
    buffer[at++] = (length >> 8) & 0xff
    buffer[at++] = length & 0xff
    buffer[at++] = type
    buffer[at++] = flags
    buffer[at++] = streamId >>> 24
    buffer[at++] = (streamId >> 16) & 0xff
    buffer[at++] = (streamId >> 8) & 0xff
    buffer[at++] = streamId & 0xff
    this.#end = at
  }

  /** Writes a copy of `bytes` from `from` to `end`. */
  bytes(bytes: Uint8Array, from = 0, end = bytes.length): void {
    while (from < end) {
      const buffer = this.#room(1, end - from)
      const length = Math.min(end - from, buffer.length - this.#end)
      copyBytes(length === bytes.length ? bytes : bytes.subarray(from, from + length), buffer, this.#end)
      this.#end += length
      from += length
    }
  }

  uint32(value: number): void {
    this.#end = this.#room(4, 4).writeUInt32BE(value >>> 0, this.#end)
  }

  uint16(value: number): void {
    this.#end = this.#room(2, 2).writeUInt16BE(value, this.#end)
  }

  /** Hands over all that was collected, whatever the socket has still to take: nothing more will come. */
  flush(): void {
    for (let next = this.#next(); next; next = this.#next()) this.#write(next)
  }

  #room(needed: number, following: number): Buffer {
    if (this.#buffer && this.#buffer.length - this.#end >= needed) return this.#buffer
    const isMore = this.#buffer !== undefined
    if (this.#buffer) {
      const full = this.#collected()
      if (this.#isWriting) {
        this.#waiting.push(full)
        this.#waitingBytes += full.end
      } else this.#write(full)
    }
    // Where one was not enough, more will come: frames of many streams go in one write as well.
    this.#buffer = take(isMore ? LARGE_BYTES : Math.max(needed, following))
    if (!this.#isScheduled) {
      this.#isScheduled = true
      // After all promises of this turn: what they answer goes along.
      process.nextTick(() => {
        this.#isScheduled = false
        this.#writeNext()
      })
    }
    return this.#buffer
  }

  #writeNext(): void {
    const next = this.#isWriting ? undefined : this.#next()
    if (next) this.#write(next)
  }

  /** What is to be handed over next. */
  #next(): Filled | undefined {
    const first = this.#waiting.shift()
    if (!first) return this.#end > 0 ? this.#collected() : undefined
    this.#waitingBytes -= first.end
    return first
  }

  #collected(): Filled {
    const collected = { buffer: this.#buffer!, end: this.#end }
    this.#buffer = undefined
    this.#end = 0
    return collected
  }

  #write({ buffer, end }: Filled): void {
    if (this.#socket.destroyed) {
      release(buffer)
      return
    }
    this.#isWriting = true
    // Not before the socket has taken it all may the buffer be used again.
    this.#socket.write(end === buffer.length ? buffer : buffer.subarray(0, end), () => {
      release(buffer)
      this.#isWriting = false
      if (this.#socket.destroyed) return
      this.#writeNext()
      this.#taken()
    })
  }
}

/** A buffer, and how far it is filled. */
interface Filled {
  readonly buffer: Buffer
  readonly end: number
}

function take(size: number): Buffer {
  if (size <= SMALL_BYTES) return spareSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES)
  return spareLarge.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
}

function release(buffer: Buffer): void {
  if (buffer.length === SMALL_BYTES) {
    if (spareSmall.length < SPARE_SMALL) spareSmall.push(buffer)
  } else if (spareLarge.length < SPARE_LARGE) spareLarge.push(buffer)
}
