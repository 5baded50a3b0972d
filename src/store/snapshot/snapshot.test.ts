import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { LmdbStore } from '../lmdb/lmdb-store.ts'
import { restoreDirectory } from '../lmdb/restore-directory.ts'
import { MemoryStore } from '../memory/memory-store.ts'
import { bytes, text } from '../store.suite.ts'
import { everyKey, type Store } from '../store.ts'
import { CompactedError, DamagedStoreError, InvalidRequestError } from '../store-errors.ts'
import { restoreInto, takeSnapshot } from './snapshot.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot-file.ts'

describe('a snapshot', () => {
  let folder: string
  let clock: VirtualClock
  let store: MemoryStore
  const put = (key: string, value: string, lease = 0) => store.txn({ success: [{ type: 'put', key, value: bytes(value), lease }] })
  const list = async (from: Store) => (await from.range(everyKey)).kvs.map(kv => `${kv.key}=${text(kv.value)}`)
  const facts = async (from: Store) =>
    (await from.range(everyKey)).kvs.map(kv => [kv.key, kv.createRevision, kv.modRevision, kv.version, kv.lease])

  const fileOf = async (revision?: number) => {
    const parts: Uint8Array[] = []
    for await (const part of encodeSnapshot(store, revision)) parts.push(part)
    return Buffer.concat(parts)
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'snapshot-'))
    clock = virtualClock()
    store = new MemoryStore({ clock })
    const { id } = await store.grantLease(60)
    for (let n = 0; n < 1200; n++) await put(`/k${String(n % 1100).padStart(4, '0')}`, String(n))
    await put('/leased', '1', id)
    await store.txn({ success: ['a', 'b', 'c'].map(key => ({ type: 'put', key: `/${key}`, value: bytes(key) })) })
    await store.txn({ success: [{ type: 'delete', key: '/c' }] })
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })

  it('survives its file, byte for byte', async () => {
    const file = await fileOf()
    const copy = MemoryStore.of(decodeSnapshot(file, 'there'), 60, { clock })
    expect(await facts(copy)).toEqual(await facts(store))
    expect(await list(copy)).toEqual(await list(store))
    await copy.close()
  })

  it('can be taken of the past', async () => {
    const before = await takeSnapshot(store)
    await put('/later', 'x')
    expect(decodeSnapshot(await fileOf(before.revision), 'there')).toMatchObject({
      revision: before.revision,
      kvs: before.kvs.map(({ key, modRevision }) => ({ key, modRevision })),
    })
  })

  it('is refused if a bit of its file is wrong or its end is missing', async () => {
    const file = await fileOf()
    for (const at of [3, 200, file.length >> 1, file.length - 1]) {
      const damaged = Buffer.from(file)
      damaged[at]! ^= 4
      expect(() => decodeSnapshot(damaged, 'there')).toThrow(DamagedStoreError)
    }
    expect(() => decodeSnapshot(file.subarray(0, -100), 'there')).toThrow(DamagedStoreError)
    expect(() => decodeSnapshot(Buffer.alloc(0), 'there')).toThrow(DamagedStoreError)
  })

  it('is of one revision, whatever is written meanwhile', async () => {
    const before = await list(store)
    const taking = takeSnapshot(store)
    for (let n = 0; n < 50; n++) await put(`/meanwhile${n}`, 'x')
    const snapshot = await taking
    expect(snapshot.kvs.map(kv => `${kv.key}=${text(kv.value)}`)).toEqual(before)
  })

  it('becomes a directory with the same revisions, where history begins and leases live on', async () => {
    const directory = join(folder, 'restored')
    const snapshot = await takeSnapshot(store)
    await restoreDirectory({ directory, snapshot, leaseSeconds: 60, maxSizeBytes: 2 ** 26, clock })
    const restored = await LmdbStore.open({ directory, clock, logger: silentLogger })
    expect(restored.revisionNow()).toBe(store.revisionNow())
    expect(await facts(restored)).toEqual(await facts(store))
    await expect(restored.range({ ...everyKey, revision: snapshot.revision - 1 })).rejects.toBeInstanceOf(CompactedError)
    await clock.advance(61_000)
    await restored.grantLease(1)
    expect((await restored.range({ key: '/leased' })).count).toBe(0)
    await restored.close()
    const again = restoreDirectory({ directory, snapshot, leaseSeconds: 60, maxSizeBytes: 2 ** 26, clock })
    await expect(again).rejects.toBeInstanceOf(InvalidRequestError)
  })

  it('goes into any empty store, and into no other', async () => {
    const target = new MemoryStore({ clock })
    const snapshot = await takeSnapshot(store)
    await restoreInto(target, snapshot, 60)
    expect(await list(target)).toEqual(await list(store))
    await expect(restoreInto(target, snapshot, 60)).rejects.toThrow('can only be restored into an empty store')
    await clock.advance(61_000)
    expect((await target.range({ key: '/leased' })).count).toBe(0)
    await target.close()
  })
})
