/** Wire types of protobuf that Kubernetes uses. */
export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2

const utf8 = new TextEncoder()

/** Collects protobuf bytes. Lengths are put before nested messages afterwards, so that nothing is measured twice. */
export class ProtobufWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** What was written, as a view that the next write may change; copy it to keep it. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  tag(number: number, wireType: number): void {
    this.uint32((number << 3) | wireType)
  }

  uint32(value: number): void {
    this.#reserve(5)
    let rest = value >>> 0
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  /** A signed number as a varint: ten bytes when it is negative. */
  int64(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) {
      this.uint32(value)
      return
    }
    let rest = BigInt.asUintN(64, BigInt(value))
    this.#reserve(10)
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  double(value: number): void {
    this.#reserve(8)
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** A text with its length. */
  string(text: string): void {
    if (text.length < 128 && this.#ascii(text)) return
    const start = this.#length
    this.#reserve(5 + text.length * 3)
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start + 5))
    this.uint32(written)
    this.#bytes.copyWithin(this.#length, start + 5, start + 5 + written)
    this.#length += written
  }

  /** Bytes with their length. */
  lengthAnd(bytes: Uint8Array): void {
    this.uint32(bytes.length)
    this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** What `write` writes, with its length before it. */
  nested(write: () => void): void {
    this.#reserve(1)
    const start = ++this.#length
    write()
    const size = this.#length - start
    if (size < 128) {
      this.#bytes[start - 1] = size
      return
    }
    const extra = size < 1 << 14 ? 1 : size < 1 << 21 ? 2 : size < 1 << 28 ? 3 : 4
    this.#reserve(extra)
    this.#bytes.copyWithin(start + extra, start, this.#length)
    this.#length = start - 1
    this.uint32(size)
    this.#length += size
  }

  // Hot: bench/codec — most texts are short and ASCII; those are copied without the encoder.
  #ascii(text: string): boolean {
    this.#reserve(text.length + 1)
    const start = this.#length + 1
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 127) return false
      this.#bytes[start + index] = code
    }
    this.#bytes[this.#length] = text.length
    this.#length = start + text.length
    return true
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
