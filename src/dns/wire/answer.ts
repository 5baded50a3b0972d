import { addressOfBytes } from '../addresses.ts'
import { readName } from './name.ts'
import { type RecordData, type ResourceRecord, TYPE_CODES } from './record.ts'
import { readUInt16, readUInt32 } from './request.ts'

/** What a forwarder must know of an answer it passes on. */
export interface Answer {
  readonly id: number
  readonly rcode: number
  readonly truncated: boolean
  readonly name: string
  readonly type: number
  /** Behind the question. */
  readonly questionEnd: number
  /** Where the times to live stand. */
  readonly ttlOffsets: readonly number[]
  /** How long it may be kept: the least time to live, or what the zone says of names that are not there. Undefined: not at all. */
  readonly keepSeconds: number | undefined
  /** The records of the answer section that can be passed on within another answer. */
  readonly records: readonly ResourceRecord[]
}

/** Reads an answer; undefined when it is malformed or no answer. */
export function readAnswer(bytes: Uint8Array): Answer | undefined {
  if (bytes.length < 12 || !(bytes[2]! & 0x80) || readUInt16(bytes, 4) !== 1) return undefined
  const question = readName(bytes, 12)
  if (!question || question.end + 4 > bytes.length) return undefined
  const questionEnd = question.end + 4
  const ttlOffsets: number[] = []
  const records: ResourceRecord[] = []
  const counts = [readUInt16(bytes, 6), readUInt16(bytes, 8), readUInt16(bytes, 10)] as const
  let least = Number.POSITIVE_INFINITY
  let negative: number | undefined
  let at = questionEnd
  for (const [section, count] of counts.entries()) {
    for (let index = 0; index < count; index++) {
      const owner = readName(bytes, at)
      if (!owner || owner.end + 10 > bytes.length) return undefined
      const type = readUInt16(bytes, owner.end)
      const start = owner.end + 10
      const end = start + readUInt16(bytes, owner.end + 8)
      if (end > bytes.length) return undefined
      at = end
      if (type === TYPE_CODES.OPT) continue
      const ttlSeconds = readUInt32(bytes, owner.end + 4)
      ttlOffsets.push(owner.end + 4)
      least = Math.min(least, ttlSeconds)
      if (section === 1 && type === TYPE_CODES.SOA && end - 4 >= start) negative = Math.min(ttlSeconds, readUInt32(bytes, end - 4))
      const data = section === 0 ? readData(bytes, type, start, end) : undefined
      if (data) records.push({ name: owner.name, ttlSeconds, data })
    }
  }
  const rcode = bytes[3]! & 15
  const positive = rcode === 0 && counts[0] > 0
  return {
    id: readUInt16(bytes, 0),
    rcode,
    truncated: (bytes[2]! & 2) !== 0,
    name: question.name,
    type: readUInt16(bytes, question.end),
    questionEnd,
    ttlOffsets,
    keepSeconds: positive ? least : rcode === 0 || rcode === 3 ? negative : undefined,
    records,
  }
}

/** Types whose data holds names that may be pointers into their own message, and which are not read here. */
const POINTING = new Set<number>([TYPE_CODES.SOA, TYPE_CODES.MX, 3, 4, 7, 8, 9, 14, 17, 18, 21, 24, 26, 30, 35, 36, 39])

function readData(bytes: Uint8Array, type: number, start: number, end: number): RecordData | undefined {
  if (type === TYPE_CODES.A && end - start === 4) return { type: 'A', address: addressOfBytes(bytes.subarray(start, end)) }
  if (type === TYPE_CODES.AAAA && end - start === 16) return { type: 'AAAA', address: addressOfBytes(bytes.subarray(start, end)) }
  if (type === TYPE_CODES.CNAME || type === TYPE_CODES.PTR || type === TYPE_CODES.NS) {
    const target = readName(bytes, start)
    const name = type === TYPE_CODES.CNAME ? 'CNAME' : type === TYPE_CODES.PTR ? 'PTR' : 'NS'
    return target && { type: name, target: target.name }
  }
  if (POINTING.has(type)) return undefined
  return { type: 'RAW', code: type, bytes: bytes.slice(start, end) }
}
