import { HEADER_BYTES, MAX_FRAME_BYTES, PREFACE } from './frames.ts'
import { Http2Error } from './http2-error.ts'

/** Takes the bytes of a connection apart into frames. Hot: bench/apiserver. */
export class FrameReader {
  #rest: Buffer | undefined
  #isBegun = false

  /** Calls `see` for every frame that is complete; what is not waits for more. `isOver` tells that no more shall be read. */
  push(chunk: Buffer, see: (type: number, flags: number, streamId: number, payload: Buffer) => void, isOver: () => boolean): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#rest = undefined
    let at = 0
    if (!this.#isBegun) {
      const length = Math.min(bytes.length, PREFACE.length)
      if (bytes.compare(PREFACE, 0, length, 0, length) !== 0)
        throw new Http2Error('protocolError', 'the connection does not begin as HTTP/2')
      if (length < PREFACE.length) {
        this.#rest = bytes
        return
      }
      this.#isBegun = true
      at = PREFACE.length
    }
    while (bytes.length - at >= HEADER_BYTES && !isOver()) {
      const length = bytes.readUIntBE(at, 3)
      if (length > MAX_FRAME_BYTES) throw new Http2Error('frameSizeError', `a frame has ${length} bytes`)
      const end = at + HEADER_BYTES + length
      if (end > bytes.length) break
      const streamId = bytes.readUInt32BE(at + 5) & 0x7fffffff
      see(bytes[at + 3]!, bytes[at + 4]!, streamId, bytes.subarray(at + HEADER_BYTES, end))
      at = end
    }
    if (at < bytes.length) this.#rest = at === 0 ? bytes : bytes.subarray(at)
  }
}
