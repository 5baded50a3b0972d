import { addressBytes } from '../addresses.ts'
import { labelBytes } from './name.ts'
import { RCODES, type Rcode, type RecordData, type ResourceRecord, TYPE_CODES } from './record.ts'
import type { BadRequest, Request } from './request.ts'

/** What is answered to a {@link Request}. */
export interface Reply {
  readonly rcode: Rcode
  readonly authoritative: boolean
  readonly recursionAvailable: boolean
  readonly answers?: readonly ResourceRecord[]
  readonly authorities?: readonly ResourceRecord[]
  readonly additionals?: readonly ResourceRecord[]
}

/** The largest answer over UDP that we send; more could be cut into fragments that get lost. */
export const UDP_SIZE_LIMIT = 1_232

/**
 * Encodes the answer to `request`, with every name that can be written as a pointer written as one. What does not fit into `limit` bytes
 * is left out: additional records silently, answers with the mark that tells the client to ask again over TCP.
 */
export function encodeResponse(request: Request, reply: Reply, limit: number): Uint8Array {
  const writer = new Writer(limit - (request.edns ? OPT_SIZE : 0))
  writer.bytes(new Uint8Array(12))
  writer.question(request)
  let truncated = false
  const add = (records: readonly ResourceRecord[] = [], needed: boolean) => {
    let count = 0
    for (const record of truncated ? [] : records) {
      if (!writer.record(record)) {
        truncated = needed
        break
      }
      count++
    }
    return count
  }
  const answers = add(reply.answers, true)
  const authorities = add(reply.authorities, true)
  let additionals = add(reply.additionals, false)
  if (request.edns) {
    writer.limit = limit
    writer.opt(reply.rcode)
    additionals++
  }
  const bytes = writer.finish()
  header(bytes, request.id, 0, reply.rcode, {
    authoritative: reply.authoritative,
    truncated,
    recursionDesired: request.recursionDesired,
    recursionAvailable: reply.recursionAvailable,
  })
  ;[1, answers, authorities, additionals].forEach((count, index) => {
    bytes[4 + 2 * index] = count >> 8
    bytes[5 + 2 * index] = count & 255
  })
  return bytes
}

/** Encodes an answer that is nothing but a header. */
export function encodeRefusal(request: BadRequest): Uint8Array {
  const bytes = new Uint8Array(12)
  header(bytes, request.id, request.opcode, request.rcode, {})
  return bytes
}

interface Flags {
  readonly authoritative?: boolean
  readonly truncated?: boolean
  readonly recursionDesired?: boolean
  readonly recursionAvailable?: boolean
}

function header(bytes: Uint8Array, id: number, opcode: number, rcode: Rcode, flags: Flags): void {
  bytes[0] = id >> 8
  bytes[1] = id & 255
  bytes[2] = 0x80 | (opcode << 3) | (flags.authoritative ? 4 : 0) | (flags.truncated ? 2 : 0) | (flags.recursionDesired ? 1 : 0)
  bytes[3] = (flags.recursionAvailable ? 0x80 : 0) | (RCODES[rcode] & 15)
}

const OPT_SIZE = 11

/** Writes names and records, remembering where each name stands. */
class Writer {
  limit: number
  #bytes = new Uint8Array(512)
  #length = 0
  readonly #names = new Map<string, number>()

  constructor(limit: number) {
    this.limit = limit
  }

  bytes(bytes: ArrayLike<number>): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** The question as the client wrote it, so that it gets its own letters back in every name that points there. */
  question(request: Request): void {
    this.#remember(request.name, this.#length)
    this.bytes(request.question)
  }

  /** False, with nothing written, when the record does not fit. */
  record(record: ResourceRecord): boolean {
    const start = this.#length
    const { data } = record
    this.#name(record.name, true)
    this.#uint16(data.type === 'RAW' ? data.code : TYPE_CODES[data.type])
    this.#uint16(1)
    this.#uint32(record.ttlSeconds)
    const sizeAt = this.#length
    this.#uint16(0)
    this.#data(data)
    const size = this.#length - sizeAt - 2
    this.#bytes[sizeAt] = size >> 8
    this.#bytes[sizeAt + 1] = size & 255
    if (this.#length <= this.limit && this.#length <= 65_535) return true
    this.#length = start
    for (const [name, offset] of this.#names) if (offset >= start) this.#names.delete(name)
    return false
  }

  opt(rcode: Rcode): void {
    this.bytes([0])
    this.#uint16(TYPE_CODES.OPT)
    this.#uint16(UDP_SIZE_LIMIT)
    this.bytes([RCODES[rcode] >> 4, 0, 0, 0, 0, 0])
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #data(data: RecordData): void {
    if (data.type === 'RAW') this.bytes(data.bytes)
    else if (data.type === 'A' || data.type === 'AAAA') this.bytes(addressBytes(data.address))
    else if (data.type === 'CNAME' || data.type === 'PTR' || data.type === 'NS') this.#name(data.target, true)
    else if (data.type === 'SRV') {
      for (const number of [data.priority, data.weight, data.port]) this.#uint16(number)
      this.#name(data.target, false) // RFC 2782: never compressed
    } else if (data.type === 'TXT') {
      for (const text of data.texts) {
        const bytes = new TextEncoder().encode(text).subarray(0, 255)
        this.bytes([bytes.length])
        this.bytes(bytes)
      }
    } else {
      this.#name(data.primary, true)
      this.#name(data.mailbox, true)
      for (const number of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) this.#uint32(number)
    }
  }

  #name(name: string, compress: boolean): void {
    let rest = name
    while (rest !== '') {
      const known = compress ? this.#names.get(rest) : undefined
      if (known !== undefined) {
        this.#uint16(0xc000 | known)
        return
      }
      if (!this.#names.has(rest) && this.#length < 0x4000) this.#names.set(rest, this.#length)
      const dot = rest.indexOf('.')
      const label = labelBytes(dot < 0 ? rest : rest.slice(0, dot)).slice(0, 63)
      this.bytes([label.length])
      this.bytes(label)
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
    this.bytes([0])
  }

  #remember(name: string, offset: number): void {
    let rest = name
    let at = offset
    while (rest !== '') {
      this.#names.set(rest, at)
      const dot = rest.indexOf('.')
      at += 1 + labelBytes(dot < 0 ? rest : rest.slice(0, dot)).length
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
  }

  #uint16(number: number): void {
    this.bytes([(number >> 8) & 255, number & 255])
  }

  #uint32(number: number): void {
    this.bytes([(number >>> 24) & 255, (number >>> 16) & 255, (number >>> 8) & 255, number & 255])
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
