import { encodedLength, readName } from './name.ts'
import { TYPE_CODES, typeName } from './record.ts'

/** A query, as far as a server must understand it. */
export interface Request {
  readonly id: number
  /** Whether the client wants us to ask others. */
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  /** Lower case. */
  readonly name: string
  /** `A`, or `TYPE65` for a type without a name here. */
  readonly type: string
  readonly class: number
  /** The question as it came, its letters' case included. */
  readonly question: Uint8Array
  readonly edns: Edns | undefined
}

/** The extension of a query (RFC 6891). */
export interface Edns {
  readonly version: number
  /** The largest answer over UDP the client takes. */
  readonly udpSize: number
  readonly dnssecOk: boolean
}

/** A query that is answered with nothing but a code. */
export interface BadRequest {
  readonly id: number
  readonly opcode: number
  readonly rcode: 'FORMERR' | 'NOTIMP'
}

/** Reads a query. Undefined for what deserves no answer at all: an answer, or less than a header. */
export function readRequest(bytes: Uint8Array): Request | BadRequest | undefined {
  if (bytes.length < 12 || bytes[2]! & 0x80) return undefined
  const id = readUInt16(bytes, 0)
  const opcode = (bytes[2]! >> 3) & 15
  if (opcode !== 0) return { id, opcode, rcode: 'NOTIMP' }
  const malformed: BadRequest = { id, opcode, rcode: 'FORMERR' }
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map(offset => readUInt16(bytes, offset)) as [
    number,
    number,
    number,
    number,
  ]
  if (questions !== 1 || answers + authorities > 0 || additionals > 8) return malformed
  const name = readName(bytes, 12)
  // A pointer in the question could only lead into the header: then its length is not that of its name.
  if (!name || name.end + 4 > bytes.length || name.end - 12 !== encodedLength(name.name)) return malformed
  const question = bytes.subarray(12, name.end + 4)
  let at = name.end + 4
  let edns: Edns | undefined
  for (let index = 0; index < additionals; index++) {
    const owner = readName(bytes, at)
    if (!owner || owner.end + 10 > bytes.length) return malformed
    const end = owner.end + 10 + readUInt16(bytes, owner.end + 8)
    if (end > bytes.length) return malformed
    if (readUInt16(bytes, owner.end) === TYPE_CODES.OPT) {
      if (edns || owner.name !== '') return malformed
      edns = {
        version: bytes[owner.end + 5]!,
        udpSize: readUInt16(bytes, owner.end + 2),
        dnssecOk: (bytes[owner.end + 6]! & 0x80) !== 0,
      }
    }
    at = end
  }
  return {
    id,
    recursionDesired: (bytes[2]! & 1) !== 0,
    checkingDisabled: (bytes[3]! & 0x10) !== 0,
    name: name.name,
    type: typeName(readUInt16(bytes, name.end)),
    class: readUInt16(bytes, name.end + 2),
    question,
    edns,
  }
}

export const readUInt16 = (bytes: Uint8Array, offset: number) => (bytes[offset]! << 8) | bytes[offset + 1]!
export const readUInt32 = (bytes: Uint8Array, offset: number) => readUInt16(bytes, offset) * 65_536 + readUInt16(bytes, offset + 2)
