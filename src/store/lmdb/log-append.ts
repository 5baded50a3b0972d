import { crc32 } from 'node:zlib'

/** What LMDB is to be given: a record, or (without a value) that there is none any more. */
export interface Operation {
  readonly key: Buffer
  readonly value?: Buffer
}

/** What is written to a disk at once, or not at all. */
export const SECTOR_BYTES = 512
export const IDENTITY_BYTES = 16

const MAGIC = 0x4d533854
const HEADER_BYTES = 40
const WORD_BYTES = 4
/** The last word of a sector is its stamp. */
const STAMP_AT = SECTOR_BYTES - WORD_BYTES
const WORDS_OF_SECTOR = STAMP_AT / WORD_BYTES
const OPERATION_BYTES = 6
const REMOVED = 0xffffffff

/**
 * One append to the log, as it is on disk. Numbers are little endian, the sequence is a double:
 *
 *     0  "T8SM"                                24  sequence                    40  the words that the stamps are in the place of
 *     4  checksum of the rest of the header    32  length of the operations        operations
 *     8  identity of the log                   36  checksum of the operations
 *
 * An operation is the length of its key (2 bytes), that of its value (4 bytes; all bits set: the key is removed), the key and the value.
 *
 * The last word of each sector is a stamp, made of the sequence: it tells what was written from what was there before. So an append of which
 * sectors are missing is told from one that was all there and is damaged: the first was not acknowledged, the second may have been.
 */
export interface Append {
  readonly sequence: number
  /** Where it ends: with a sector. */
  readonly end: number
  /** `torn`: it was not written completely. `damaged`: it was, and is not what was written. */
  readonly state: 'whole' | 'torn' | 'damaged'
  /** None, unless it is whole. */
  readonly operations: Operation[]
}

/** How many bytes these operations take as one append. */
export function appendBytes(operations: readonly Operation[]): number {
  return sectorsFor(bytesOf(operations)) * SECTOR_BYTES
}

/** Writes an append at `start`, where a sector begins, without its stamps. Answers where its operations begin. */
export function writeAppend(bytes: Buffer, start: number, identity: Buffer, sequence: number, operations: readonly Operation[]): number {
  const length = bytesOf(operations)
  const place = start + operationsAt(length)
  let at = place
  for (const operation of operations) {
    const { key, value } = operation
    bytes.writeUInt16LE(key.length, at)
    bytes.writeUInt32LE(value?.length ?? REMOVED, at + 2)
    bytes.set(key, at + OPERATION_BYTES)
    if (value) bytes.set(value, at + OPERATION_BYTES + key.length)
    at += operationBytes(operation)
  }
  bytes.writeUInt32LE(MAGIC, start)
  bytes.set(identity, start + 8)
  bytes.writeDoubleLE(sequence, start + 24)
  bytes.writeUInt32LE(length, start + 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(place, at)), start + 36)
  bytes.writeUInt32LE(headerChecksum(bytes, start), start + 4)
  return place
}

/** Puts the stamps in, as the append is on disk. */
export function stamp(bytes: Buffer, start: number): void {
  const sequence = bytes.readDoubleLE(start + 24)
  const sectors = sectorsFor(bytes.readUInt32LE(start + 32))
  for (let sector = 0; sector < sectors; sector++) {
    const at = start + sector * SECTOR_BYTES + STAMP_AT
    bytes.writeUInt32LE(bytes.readUInt32LE(at), start + replacedAt(sector))
    bytes.writeUInt32LE(stampOf(sequence, sector), at)
  }
}

/** Takes them out again. */
export function unstamp(bytes: Buffer, start: number): void {
  const sectors = sectorsFor(bytes.readUInt32LE(start + 32))
  for (let sector = 0; sector < sectors; sector++)
    bytes.writeUInt32LE(bytes.readUInt32LE(start + replacedAt(sector)), start + sector * SECTOR_BYTES + STAMP_AT)
}

/** The operations of an append without stamps, as views of it, and where it ends. */
export function operationsIn(bytes: Buffer, start: number): { operations: Operation[]; end: number } {
  const length = bytes.readUInt32LE(start + 32)
  const from = start + operationsAt(length)
  return { operations: decode(bytes.subarray(from, from + length)), end: start + sectorsFor(length) * SECTOR_BYTES }
}

/** The value of the operation at a place: a view. */
export function valueAt(bytes: Buffer, place: number): Buffer {
  const start = place + OPERATION_BYTES + bytes.readUInt16LE(place)
  return bytes.subarray(start, start + bytes.readUInt32LE(place + 2))
}

/** How far behind the place of an operation the next one's is. */
export function operationBytes({ key, value }: Operation): number {
  return OPERATION_BYTES + key.length + (value?.length ?? 0)
}

/** What is at `start`, where a page begins: an append; or undefined, if that is not how one begins. */
export function readAppend(bytes: Buffer, start: number, identity: Buffer): Append | undefined {
  if (bytes.readUInt32LE(start) !== MAGIC || !bytes.subarray(start + 8, start + 24).equals(identity)) return undefined
  if (bytes.readUInt32LE(start + 4) !== headerChecksum(bytes, start)) return undefined
  const sequence = bytes.readDoubleLE(start + 24)
  const length = bytes.readUInt32LE(start + 32)
  const sectors = sectorsFor(length)
  const end = start + sectors * SECTOR_BYTES
  if (end > bytes.length) return undefined
  const plain = Buffer.from(bytes.subarray(start, end))
  unstamp(plain, 0)
  const operations = plain.subarray(operationsAt(length), operationsAt(length) + length)
  if (crc32(operations) === bytes.readUInt32LE(start + 36)) return { sequence, end, state: 'whole', operations: decode(operations) }
  let isComplete = true
  for (let sector = 0; sector < sectors; sector++)
    isComplete &&= stampAt(bytes, start + sector * SECTOR_BYTES) === stampOf(sequence, sector)
  return { sequence, end, state: isComplete ? 'damaged' : 'torn', operations: [] }
}

/** Whether a sector was written by the append of this sequence; `first` is the one its header is in. */
export function stampedBy(bytes: Buffer, sector: number, sequence: number): 'first' | 'other' | undefined {
  const stamp = stampAt(bytes, sector)
  return stamp === stampOf(sequence, 0) ? 'first' : stamp === stampOf(sequence, 1) ? 'other' : undefined
}

function decode(bytes: Buffer): Operation[] {
  const operations: Operation[] = []
  for (let at = 0; at < bytes.length; ) {
    const keyEnd = at + OPERATION_BYTES + bytes.readUInt16LE(at)
    const length = bytes.readUInt32LE(at + 2)
    const key = bytes.subarray(at + OPERATION_BYTES, keyEnd)
    at = length === REMOVED ? keyEnd : keyEnd + length
    operations.push(length === REMOVED ? { key } : { key, value: bytes.subarray(keyEnd, at) })
  }
  return operations
}

function headerChecksum(bytes: Buffer, start: number): number {
  return crc32(bytes.subarray(start + 8, start + HEADER_BYTES))
}

function bytesOf(operations: readonly Operation[]): number {
  let bytes = 0
  for (const operation of operations) bytes += operationBytes(operation)
  return bytes
}

/** How many sectors an append takes whose operations have this length. */
function sectorsFor(length: number): number {
  let sectors = Math.ceil((HEADER_BYTES + length) / STAMP_AT)
  while (replacedAt(sectors) + length > sectors * SECTOR_BYTES) sectors++
  return sectors
}

/** Where the operations begin in an append in which they have this length. */
function operationsAt(length: number): number {
  return replacedAt(sectorsFor(length))
}

/** Where in an append the word is kept that a sector's stamp is in the place of; for as many sectors as it has, what is behind all of these. */
function replacedAt(sector: number): number {
  const word = HEADER_BYTES / WORD_BYTES + sector
  return Math.floor(word / WORDS_OF_SECTOR) * SECTOR_BYTES + (word % WORDS_OF_SECTOR) * WORD_BYTES
}

function stampAt(bytes: Buffer, sector: number): number {
  return bytes.readUInt32LE(sector + STAMP_AT)
}

/** Never 0, which is what was there at first. */
function stampOf(sequence: number, sector: number): number {
  return 2 * ((sequence % 0x7fffffff) + 1) + (sector === 0 ? 1 : 0)
}
