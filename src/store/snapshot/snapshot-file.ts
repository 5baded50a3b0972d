import { createHash } from 'node:crypto'
import { everyKey, type KeyValue, type Store } from '../store.ts'
import { DamagedStoreError } from '../store-errors.ts'
import { isOfEngine, type Snapshot } from './snapshot.ts'

const FORMAT = 'typernetes-snapshot-1'
const DIGEST_BYTES = 32
const LENGTHS_BYTES = 8
const PAGE = 500

/**
 * A store as of one revision (the newest without) as a file, piece by piece and while it is in use: a line of JSON with format, revision and
 * number of keys; for each key the lengths of what follows (4 bytes each, little endian), its facts as JSON, its value; and the SHA-256 of
 * all that. Throws CorruptError if a value is damaged: what is not whole is no backup. CompactedError if the revision is or gets too old.
 */
export async function* encodeSnapshot(store: Pick<Store, 'range'>, asOf?: number): AsyncGenerator<Uint8Array, void, void> {
  const { count: keys, revision: newest } = await store.range({
    ...everyKey,
    countOnly: true,
    ...(asOf === undefined ? {} : { revision: asOf }),
  })
  const revision = asOf ?? newest
  const digest = createHash('sha256')
  const hashed = (part: Uint8Array) => {
    digest.update(part)
    return part
  }
  yield hashed(Buffer.from(`${JSON.stringify({ format: FORMAT, revision, keys })}\n`))
  for (let key = everyKey.key, more = true; more; ) {
    const page = await store.range({ ...everyKey, key, limit: PAGE, revision })
    if (page.kvs.length > 0) yield hashed(Buffer.concat(page.kvs.map(recordOf)))
    more = page.more
    key = `${page.kvs.at(-1)?.key}\0`
  }
  yield digest.digest()
}

function recordOf({ value, ...facts }: KeyValue): Uint8Array {
  const { key, createRevision, modRevision, version, lease } = facts
  const header = Buffer.from(JSON.stringify({ key, createRevision, modRevision, version, lease }))
  const lengths = Buffer.alloc(LENGTHS_BYTES)
  lengths.writeUInt32LE(header.length, 0)
  lengths.writeUInt32LE(value.length, 4)
  return Buffer.concat([lengths, header, value])
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
  return { revision, kvs: kvs.filter(({ key }) => !isOfEngine(key)) }
}
