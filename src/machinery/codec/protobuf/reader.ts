import { BYTES, FIXED64, VARINT } from './writer.ts'

/** The bytes are no protobuf message of the expected type; the message is that of the Go library. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError'
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads protobuf bytes from one end to the other. */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  /** Number and wire type of the next field, as they are written: `number << 3 | wireType`. */
  tag(): number {
    const tag = this.uint32()
    if (tag >>> 3 === 0) throw new ProtobufError(`proto: illegal tag 0 (wire type ${tag & 7})`)
    return tag
  }

  uint32(): number {
    const value = this.uint64()
    if (value > 0xffffffff) throw new ProtobufError('proto: integer overflow')
    return Number(value)
  }

  uint64(): number | bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 127) << shift
      if (byte < 128) return low
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value <= MAX_SAFE ? Number(value) : BigInt.asUintN(64, value)
    }
    throw new ProtobufError('proto: integer overflow')
  }

  /** A signed number; a bigint where a double would not hold it. */
  int64(): number | bigint {
    const value = this.uint64()
    if (typeof value === 'number') return value
    const signed = BigInt.asIntN(64, value)
    return signed >= -MAX_SAFE && signed <= MAX_SAFE ? Number(signed) : signed
  }

  int32(): number {
    return Number(BigInt.asIntN(32, BigInt(this.uint64())))
  }

  double(): number {
    if (this.#at + 8 > this.#end) throw new ProtobufError('unexpected EOF')
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at).getFloat64(0, true)
    this.#at += 8
    return value
  }

  string(): string {
    const bytes = this.bytes()
    if (bytes.length > 64) return utf8.decode(bytes)
    let text = ''
    for (const byte of bytes) {
      if (byte > 127) return utf8.decode(bytes)
      text += String.fromCharCode(byte)
    }
    return text
  }

  /** A view of the bytes behind a length. */
  bytes(): Uint8Array {
    const length = this.uint32()
    if (this.#at + length > this.#end) throw new ProtobufError('unexpected EOF')
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  nested(): ProtobufReader {
    return new ProtobufReader(this.bytes())
  }

  /** Passes over a field that nobody asked for. */
  skip(wireType: number): void {
    if (wireType === VARINT) this.uint64()
    else if (wireType === FIXED64) this.#advance(8)
    else if (wireType === BYTES) this.bytes()
    else if (wireType === 5) this.#advance(4)
    else throw new ProtobufError(`proto: illegal wireType ${wireType}`)
  }

  #advance(size: number): void {
    if (this.#at + size > this.#end) throw new ProtobufError('unexpected EOF')
    this.#at += size
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new ProtobufError('unexpected EOF')
    return this.#bytes[this.#at++]!
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
