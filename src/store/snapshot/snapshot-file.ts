import { createHash } from 'node:crypto'
import type { KeyValue } from '../store.ts'
import { DamagedStoreError } from '../store-errors.ts'
import type { Snapshot } from './snapshot.ts'

const FORMAT = 'typernetes-snapshot-1'
const DIGEST_BYTES = 32
const LENGTHS_BYTES = 8

/**
 * A snapshot as a file: a line of JSON with format, revision and number of keys; for each key the lengths of what follows (4 bytes each,
 * little endian), its facts as JSON, its value; and the SHA-256 of all that.
 */
export function* encodeSnapshot({ revision, kvs }: Snapshot): Iterable<Uint8Array> {
  const digest = createHash('sha256')
  const first = Buffer.from(`${JSON.stringify({ format: FORMAT, revision, keys: kvs.length })}\n`)
  digest.update(first)
  yield first
  for (const { value, ...facts } of kvs) {
    const header = Buffer.from(JSON.stringify(facts))
    const lengths = Buffer.alloc(LENGTHS_BYTES)
    lengths.writeUInt32LE(header.length, 0)
    lengths.writeUInt32LE(value.length, 4)
    const record = Buffer.concat([lengths, header, value])
    digest.update(record)
    yield record
  }
  yield digest.digest()
}

/** Reads what {@link encodeSnapshot} wrote, the parts joined. Throws DamagedStoreError if a bit of it is wrong; `where` is for that error. */
export function decodeSnapshot(file: Buffer, where: string): Snapshot {
  const end = file.length - DIGEST_BYTES
  const digest = createHash('sha256')
    .update(file.subarray(0, Math.max(0, end)))
    .digest()
  if (end < 0 || !digest.equals(file.subarray(end))) throw new DamagedStoreError(where, 'the snapshot is cut short or damaged')
  const firstEnd = file.indexOf('\n')
  const { format, revision, keys } = JSON.parse(file.toString('utf8', 0, firstEnd)) as { format: string; revision: number; keys: number }
  if (format !== FORMAT) throw new DamagedStoreError(where, `the snapshot is of another format (${format})`)
  const kvs: KeyValue[] = []
  for (let at = firstEnd + 1; at < end; ) {
    const valueAt = at + LENGTHS_BYTES + file.readUInt32LE(at)
    const next = valueAt + file.readUInt32LE(at + 4)
    const facts = JSON.parse(file.toString('utf8', at + LENGTHS_BYTES, valueAt)) as Omit<KeyValue, 'value'>
    kvs.push({ ...facts, value: file.subarray(valueAt, next) })
    at = next
  }
  if (kvs.length !== keys) throw new DamagedStoreError(where, `the snapshot has ${kvs.length} keys instead of ${keys}`)
  return { revision, kvs }
}
