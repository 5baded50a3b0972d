import { crc32 } from 'node:zlib'
import type { Change, Version } from '../embedded/state.ts'

/**
 * How a change lies on disk. The key of a record is its revision (8 bytes, big endian) and its number within the revision (4 bytes), so that
 * writing appends; changes begin at revision 1, what is below is the store's own. The value:
 *
 *     0  type: 1 put, 2 delete         8  checksum of the value      24  version
 *     2  length of the key            12  length of the value        32  lease
 *     4  checksum of all but value    16  createRevision             40  key, value
 *
 * Numbers are little endian; those of 8 bytes are doubles. Checksums are CRC-32; the first covers the record's key as well.
 */
export const RECORD_KEY_BYTES = 12
const HEADER_BYTES = 40
const PUT = 1
const DELETE = 2
const NO_BYTES = new Uint8Array(0)

/** What is read of a record. */
export interface Recorded {
  readonly type: Change['type']
  readonly version: Version
  /** Undefined if it does not match its checksum. */
  readonly value: Uint8Array | undefined
}

/** How much room the record of a change takes at most. */
export function recordBytes({ version }: Change): number {
  return HEADER_BYTES + version.key.length * 3 + version.value!.length
}

/** Writes the record of a change at `offset` of `target` and answers where it ends. */
export function writeRecord(target: Buffer, offset: number, { type, version }: Change): number {
  const keyEnd = offset + HEADER_BYTES + target.write(version.key, offset + HEADER_BYTES)
  const value = version.value!
  target.fill(0, offset, offset + HEADER_BYTES)
  target[offset] = type === 'put' ? PUT : DELETE
  target.writeUInt16LE(keyEnd - offset - HEADER_BYTES, offset + 2)
  target.writeUInt32LE(crc32(value), offset + 8)
  target.writeUInt32LE(value.length, offset + 12)
  target.writeDoubleLE(version.createRevision, offset + 16)
  target.writeDoubleLE(version.version, offset + 24)
  target.writeDoubleLE(version.lease, offset + 32)
  target.writeUInt32LE(headerChecksum(target.subarray(offset, keyEnd), version.modRevision, version.sub), offset + 4)
  target.set(value, keyEnd)
  return keyEnd + value.length
}

/** Reads a record; undefined if not even its key is certain. */
export function readRecord(recordKey: Uint8Array, record: Buffer): Recorded | undefined {
  if (recordKey.length !== RECORD_KEY_BYTES || record.length < HEADER_BYTES) return undefined
  const [modRevision, sub] = revisionOf(recordKey)
  const keyEnd = HEADER_BYTES + record.readUInt16LE(2)
  if (keyEnd > record.length || headerChecksum(record.subarray(0, keyEnd), modRevision, sub) !== record.readUInt32LE(4)) return undefined
  const type = record[0] === PUT ? 'put' : 'delete'
  const version: Version = {
    key: record.toString('utf8', HEADER_BYTES, keyEnd),
    createRevision: record.readDoubleLE(16),
    modRevision,
    sub,
    version: record.readDoubleLE(24),
    lease: record.readDoubleLE(32),
    value: type === 'put' ? undefined : NO_BYTES,
  }
  return { type, version, value: recordedValue(record) }
}

/** The value in a record; undefined if it does not match its checksum. */
export function recordedValue(record: Buffer): Buffer | undefined {
  if (record.length < HEADER_BYTES) return undefined
  const value = record.subarray(HEADER_BYTES + record.readUInt16LE(2))
  return value.length === record.readUInt32LE(12) && crc32(value) === record.readUInt32LE(8) ? value : undefined
}

/** True if the record at `recordKey` is of this version: its header is whole and names the version's key. */
export function isRecordOf(record: Buffer, { key, modRevision, sub }: Version): boolean {
  const keyEnd = record.length < HEADER_BYTES ? 0 : HEADER_BYTES + record.readUInt16LE(2)
  if (keyEnd === 0 || keyEnd > record.length) return false
  return (
    headerChecksum(record.subarray(0, keyEnd), modRevision, sub) === record.readUInt32LE(4) &&
    record.toString('utf8', HEADER_BYTES, keyEnd) === key
  )
}

/** The key of the record of a revision's change. */
export function recordKey(revision: number, sub: number): Buffer {
  const key = Buffer.allocUnsafe(RECORD_KEY_BYTES)
  key.writeUInt32BE(Math.floor(revision / 2 ** 32), 0)
  key.writeUInt32BE(revision % 2 ** 32, 4)
  key.writeUInt32BE(sub, 8)
  return key
}

/** A number of the store's own, with a checksum. */
export function writeNumber(value: number): Buffer {
  const record = Buffer.alloc(12)
  record.writeDoubleLE(value, 0)
  record.writeUInt32LE(crc32(record.subarray(0, 8)), 8)
  return record
}

/** What {@link writeNumber} wrote; undefined if it does not match its checksum. */
export function readNumber(record: Buffer): number | undefined {
  return record.length === 12 && crc32(record.subarray(0, 8)) === record.readUInt32LE(8) ? record.readDoubleLE(0) : undefined
}

/** What {@link recordKey} was made of. */
export function revisionOf(key: Uint8Array): [revision: number, sub: number] {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return [view.getUint32(0) * 2 ** 32 + view.getUint32(4), view.getUint32(8)]
}

const seed = Buffer.alloc(16)

/** Over the revision, the number in it, and the header and key without the checksum itself. */
function headerChecksum(header: Buffer, revision: number, sub: number): number {
  seed.writeDoubleLE(revision, 0)
  seed.writeUInt32LE(sub, 8)
  header.copy(seed, 12, 0, 4)
  return crc32(header.subarray(8), crc32(seed.subarray(0, 16)))
}
