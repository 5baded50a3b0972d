import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { bytes, storeSuite, text, watch } from '../store.suite.ts'
import { prefix } from '../store.ts'
import { CompactedError, CorruptError, DamagedStoreError, LockedError, NoSpaceError } from '../store-errors.ts'
import { LmdbStore, type LmdbStoreOptions } from './lmdb-store.ts'

storeSuite('lmdb', async () => {
  const clock = virtualClock()
  const directory = mkdtempSync(join(tmpdir(), 'store-'))
  const store = await LmdbStore.open({ directory, clock, logger: silentLogger })
  return {
    store,
    advance: ms => clock.advance(ms),
    async close() {
      await store.close()
      rmSync(directory, { recursive: true })
    },
  }
})

describe('the lmdb store', () => {
  let directory: string
  let clock: VirtualClock
  let store: LmdbStore
  const open = async (options: Partial<LmdbStoreOptions> = {}) => {
    store = await LmdbStore.open({ directory, clock, logger: silentLogger, ...options })
  }
  const reopen = async () => {
    await store.close()
    await open()
  }
  const put = async (key: string, value: string, lease = 0) =>
    (await store.txn({ success: [{ type: 'put', key, value: bytes(value), lease }] })).revision
  const remove = async (key: string) => (await store.txn({ success: [{ type: 'delete', key }] })).revision
  /** Waits until the store has given back in the background what it forgot, so that no more than this is in use. */
  const forgotten = (inUseBytes: number) =>
    vi.waitFor(
      async () => {
        await clock.advance(1000)
        expect((await store.status()).sizeInUseBytes).toBeLessThan(inUseBytes)
      },
      { timeout: 60_000, interval: 5 },
    )
  /** What the directory would be if the process ended now, opened. */
  const killed = async (meddle = (_copy: string) => {}, options: Partial<LmdbStoreOptions> = {}) => {
    const copy = mkdtempSync(join(tmpdir(), 'store-killed-'))
    for (const name of ['data.mdb', 'data.log'])
      if (existsSync(join(directory, name))) copyFileSync(join(directory, name), join(copy, name))
    await store.close()
    rmSync(directory, { recursive: true })
    directory = copy
    meddle(copy)
    await open(options)
  }
  const list = (revision?: number) =>
    store.rangeNow({ ...prefix('/'), ...(revision && { revision }) }).kvs.map(kv => `${kv.key}=${text(kv.value)}`)

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'store-'))
    clock = virtualClock()
    await open()
  })
  afterEach(async () => {
    await store.close()
    rmSync(directory, { recursive: true })
    expect(clock.pending()).toBe(0)
  })

  it('[S17] shows nothing of what it has decided before that is on disk', async () => {
    const { result, done } = store.decideNow({ success: [{ type: 'put', key: '/a', value: bytes('1') }] })
    expect([result.succeeded, list()]).toEqual([true, []])
    await done
    expect(list()).toEqual(['/a=1'])
  })

  it('[S1] hands out values that stay what they are, of any size, whatever is written after it was opened', async () => {
    const sizes = [0, 100, 5_000, 40_000, 200_000, 3_000_000]
    const textAt = (index: number) => String.fromCharCode(97 + index).repeat(sizes[index]!)
    for (const index of sizes.keys()) await put(`/large/${index}`, textAt(index))
    await reopen()
    const values = () => store.rangeNow(prefix('/large/')).kvs.map(({ value }) => value)
    const first = values()
    const second = values()
    for (const index of sizes.keys()) await put(`/large/${index}`, 'another')
    for (const index of sizes.keys()) await put(`/more/${index}`, textAt(sizes.length - 1 - index))
    expect(values().map(text)).toEqual(sizes.map(() => 'another'))
    for (const read of [first, second]) expect(read.every((value, index) => text(value) === textAt(index))).toBe(true)
    await reopen()
    await put('/large/0', 'newest')
    expect(values().map(text)).toEqual(['newest', ...sizes.slice(1).map(() => 'another')])
  })

  it('[S1] hands out values that stay what they are, however often the log is written over', async () => {
    const read: string[] = []
    const values: Uint8Array[] = []
    for (let round = 0; round < 120; round++) {
      // In one transaction, so that places in the log are told apart.
      await store.txn({ success: [0, 1, 2].map(n => ({ type: 'put', key: `/${n}`, value: bytes(`${round}.${n} `.repeat(n * 5_000)) })) })
      const { kvs } = store.rangeNow(prefix('/'))
      values.push(...kvs.map(kv => kv.value))
      read.push(...kvs.map(kv => text(kv.value).slice(0, 10)))
    }
    expect(read).toEqual(
      Array.from({ length: 360 }, (_, index) => `${Math.floor(index / 3)}.${index % 3} `.repeat((index % 3) * 5_000).slice(0, 10)),
    )
    expect(values.map(value => text(value).slice(0, 10))).toEqual(read)
  })

  it('[S1][S19] has everything after it was opened again, with its history, and goes on counting', async () => {
    await put('/a', '1')
    await put('/b', '2')
    await put('/a', '3')
    const last = await remove('/b')
    await reopen()
    expect(store.revisionNow()).toBe(last)
    expect(list()).toEqual(['/a=3'])
    expect(list(last - 2)).toEqual(['/a=1', '/b=2'])
    expect(store.rangeNow({ key: '/a' }).kvs[0]).toMatchObject({ createRevision: 2, modRevision: 4, version: 2 })
    using seen = watch(store, { ...prefix('/'), revision: 2, prevKv: true })
    await seen.until(4)
    expect(seen.lines('/')).toEqual(['put a=1', 'put b=2', 'put a=3', 'delete b='])
    expect(text(seen.events[3]!.prevKv!.value)).toBe('2')
    expect(await put('/c', '4')).toBe(last + 1)
  })

  it('[S1] does not go back when all that is left was compacted away', async () => {
    await put('/a', '1')
    await remove('/a')
    const last = await put('/b', '2')
    const gone = await remove('/b')
    await store.compact(gone)
    await clock.advance(1000)
    await reopen()
    expect(store.revisionNow()).toBe(gone)
    expect(() => list(last)).toThrow(CompactedError)
    expect(await put('/c', '3')).toBe(gone + 1)
  })

  it('[S6] remembers what it compacted, and gives the space back', async () => {
    const value = 'x'.repeat(2000)
    for (let n = 0; n < 300; n++) await put('/a', value)
    const kept = await put('/a', 'last')
    const before = (await store.status()).sizeInUseBytes
    await store.compact(kept)
    await forgotten(before / 10)
    await reopen()
    expect(list()).toEqual(['/a=last'])
    expect(() => list(kept - 1)).toThrow(CompactedError)
    using seen = watch(store, { ...prefix('/'), revision: kept })
    await seen.until(1)
    expect(seen.lines('/')).toEqual(['put a=last'])
  })

  it('[S6] goes on answering writes while it forgets what it compacted', async () => {
    await Promise.all(Array.from({ length: 8000 }, () => put('/a', 'x'.repeat(1000))))
    const kept = await put('/a', 'last')
    const before = (await store.status()).sizeInUseBytes
    await store.compact(kept)
    for (let n = 0; n < 20; n++) await put('/b', String(n))
    // All of these were answered, and most of what was compacted is still to be forgotten.
    expect((await store.status()).sizeInUseBytes).toBeGreaterThan(before / 2)
    await forgotten(before / 10)
    expect(list()).toEqual(['/a=last', '/b=19'])
  })

  it('[S6] finishes a compaction that was interrupted', async () => {
    await Promise.all(Array.from({ length: 500 }, () => put('/a', 'x'.repeat(2000))))
    await remove('/a')
    const last = await put('/b', 'last')
    await store.compact(last)
    await reopen()
    const before = (await store.status()).sizeInUseBytes
    expect(before).toBeGreaterThan(500_000)
    await forgotten(before / 10)
    await reopen()
    expect(list()).toEqual(['/b=last'])
  })

  it('[S5] forgets what is older than five minutes while it is written to', async () => {
    const old = await put('/a', '1')
    await clock.advance(200_000)
    const kept = await put('/a', '2')
    await clock.advance(200_000)
    await put('/a', '3')
    await put('/a', '4')
    expect(() => list(old - 1)).toThrow(CompactedError)
    expect(list(kept)).toEqual(['/a=2'])
  })

  it('[S23] knows when its revisions came, also after it was opened again and what is older was compacted', async () => {
    const startMs = clock.now()
    const revisions: number[] = []
    for (let n = 0; n < 5; n++) {
      revisions.push(await put('/a', String(n)))
      await clock.advance(10_000)
    }
    await reopen()
    for (const [n, revision] of revisions.entries()) {
      expect(store.momentAt({ atMs: startMs + n * 10_000 + 5000 })).toEqual({ revision, atMs: startMs + n * 10_000 })
      expect(store.momentAt({ revision })).toEqual({ revision, atMs: startMs + n * 10_000 })
    }
    expect(store.momentAt({ atMs: startMs - 1 })).toBeUndefined()
    await store.compact(revisions[2]!)
    await reopen()
    expect(store.momentAt({ atMs: startMs + 15_000 })).toBeUndefined()
    expect(store.momentAt({ revision: revisions[1]! })).toBeUndefined()
    expect(store.momentAt({ atMs: startMs + 25_000 })).toEqual({ revision: revisions[2], atMs: startMs + 20_000 })
    expect(store.momentAt({ atMs: startMs + 45_000 })).toEqual({ revision: revisions[4], atMs: startMs + 40_000 })
  })

  it('[S15] knows its leases again, and gives each its whole time', async () => {
    const { id } = await store.grantLease(10)
    await put('/a', '1', id)
    await clock.advance(8000)
    await reopen()
    await clock.advance(8000)
    expect(list()).toEqual(['/a=1'])
    expect((await store.grantLease(10)).id).toBeGreaterThan(id)
    await clock.advance(3000)
    await store.txn({ success: [] })
    await reopen()
    expect(list()).toEqual([])
  })

  it('[S17] shows nothing before it is durable', async () => {
    const before = store.revisionNow()
    const writing = store.txn({ success: [{ type: 'put', key: '/a', value: bytes('1') }] })
    expect(list()).toEqual([])
    expect(store.revisionNow()).toBe(before)
    const answer = store.txn({ compare: [{ key: '/a', exists: false }], success: [], failure: [{ type: 'range', key: '/a' }] })
    let written = false
    void writing.then(() => {
      written = true
    })
    expect(await answer).toMatchObject({ succeeded: false, results: [{ count: 1 }] })
    expect(written).toBe(true)
    expect(list()).toEqual(['/a=1'])
  })

  it('[S20] does not serve a damaged value, names its key, and serves all others', async () => {
    await put('/a', 'a'.repeat(100))
    await put('/damaged', 'damaged value '.repeat(20))
    await put('/z', 'z'.repeat(100))
    await store.close()
    damage(directory, 'damaged value damaged')
    await open()
    expect(await store.status()).toMatchObject({ corruptKeys: ['/damaged'], problems: [expect.stringContaining('"/damaged"')] })
    expect(() => store.rangeNow({ key: '/damaged' })).toThrow(CorruptError)
    expect(() => list()).toThrow(expect.objectContaining({ code: 'corrupt', key: '/damaged' }))
    expect(store.rangeNow({ ...prefix('/'), keysOnly: true }).count).toBe(3)
    const others = store.rangeNow({ ...prefix('/'), withoutCorrupt: true })
    expect(others).toMatchObject({ count: 3, more: false, corruptKeys: ['/damaged'], kvs: [{ key: '/a' }, { key: '/z' }] })
    expect(store.rangeNow({ key: '/damaged', withoutCorrupt: true })).toMatchObject({ count: 1, corruptKeys: ['/damaged'], kvs: [] })
    expect(store.rangeNow({ key: '/a' }).count + store.rangeNow({ key: '/z' }).count).toBe(2)
    using seen = watch(store, { ...prefix('/'), revision: 2 })
    expect(await seen.ended()).toBeInstanceOf(CorruptError)
    await put('/damaged', 'whole again')
    expect(text(store.rangeNow({ key: '/damaged' }).kvs[0]!.value)).toBe('whole again')
    expect(await store.status()).toMatchObject({ corruptKeys: [], problems: [] })
  })

  it('[S20] does not open when it cannot know which key is damaged', async () => {
    await put('/some-name', '1')
    await store.close()
    damage(directory, '/some-name')
    await expect(open()).rejects.toBeInstanceOf(DamagedStoreError)
  })

  it('[S20] does not open a file that is cut short or is none of its own', async () => {
    for (let n = 0; n < 200; n++) await put(`/k${n}`, 'x'.repeat(500))
    await store.close()
    const path = join(directory, 'data.mdb')
    truncateSync(path, 3 * 4096)
    await expect(open()).rejects.toThrow(/cannot be opened: .* is cut short; restore it from a backup/)
    truncateSync(path, 100)
    await expect(open()).rejects.toBeInstanceOf(DamagedStoreError)
    writeFileSync(path, Buffer.alloc(20_000))
    await expect(open()).rejects.toBeInstanceOf(DamagedStoreError)
  })

  it('[S21] refuses writes beyond its greatest size, and goes on reading', async () => {
    await store.close()
    await open({ maxSizeBytes: 2 ** 20 })
    using seen = watch(store, prefix('/'))
    let acknowledged = 0
    let refusal: unknown
    while (!refusal && acknowledged < 2000) {
      await put(`/k${acknowledged}`, 'x'.repeat(2000)).then(
        () => acknowledged++,
        (error: unknown) => {
          refusal = error
        },
      )
    }
    expect(refusal).toBeInstanceOf(NoSpaceError)
    expect(list().length).toBe(acknowledged)
    expect(seen.events.length).toBe(acknowledged)
    expect((await store.status()).problems[0]).toContain('no space left')
    await Promise.all([expect(put('/no', 'x'.repeat(2000))).rejects.toBeInstanceOf(NoSpaceError), remove('/k0')])
    const removed = await store.txn({ success: [{ type: 'delete', ...prefix('/k1') }] })
    await store.compact(removed.revision)
    const left = list().length
    expect(left).toBeLessThan(acknowledged)
    const isTaken = () =>
      vi.waitFor(
        async () => {
          await clock.advance(1000)
          return put('/yes', 'x'.repeat(2000))
        },
        { timeout: 60_000, interval: 5 },
      )
    expect(await isTaken()).toBe(acknowledged + 4)
    await store.close()
    await open()
    expect(list().length).toBe(left + 1)
    expect(await put('/more', '1')).toBe(acknowledged + 5)
  })

  it('[S19] has what its process left in the log: changes, leases, what was compacted and when', async () => {
    const { id } = await store.grantLease(10)
    const ended = await store.grantLease(10)
    for (let n = 0; n < 20; n++) await put(`/a${n % 5}`, String(n), id)
    await store.revokeLease(ended.id)
    await store.compact(10)
    const atMs = clock.now()
    const [before, revision] = [list(), store.revisionNow()]
    await killed()
    expect(list()).toEqual(before)
    expect(store.revisionNow()).toBe(revision)
    expect(() => list(9)).toThrow(CompactedError)
    expect(store.momentAt({ revision })).toEqual({ revision, atMs })
    await expect(store.keepLeaseAlive(ended.id)).rejects.toThrow('does not exist')
    expect(await put('/a', 'more')).toBe(revision + 1)
    await clock.advance(11_000)
    await put('/b', 'last')
    expect(list()).toEqual(['/a=more', '/b=last'])
  })

  it('[S19] has all of it wherever the log and the database stand to each other, and whoever left it', async () => {
    const expected: string[] = []
    for (let life = 0; life < 6; life++) {
      // Enough that the log goes round, and that the database has taken in some of it.
      for (let n = 0; n < 90 * life; n++) {
        const key = `/${life}-${String(n).padStart(3, '0')}`
        await put(key, key.repeat(n % 7 === 0 ? 2000 : 200))
        expected.push(`${key}=${key.repeat(n % 7 === 0 ? 2000 : 200)}`)
      }
      await killed()
      expect(list()).toEqual(expected)
    }
  })

  it('[S19] is its database file alone once it was closed', async () => {
    await put('/a', '1')
    expect(existsSync(join(directory, 'data.log'))).toBe(true)
    await reopen()
    expect(existsSync(join(directory, 'data.log'))).toBe(false)
    expect(list()).toEqual(['/a=1'])
  })

  it('[S19] is closed, and has everything, though its log was taken away meanwhile', async () => {
    await put('/a', '1')
    rmSync(join(directory, 'data.log'))
    await reopen()
    expect(list()).toEqual(['/a=1'])
  })

  it('[S19] leaves out what is torn at the end of the log, which was not acknowledged, and says how much', async () => {
    await put('/a', '1')
    await put('/torn', 'a torn value '.repeat(100))
    const said: unknown[] = []
    const warn = (message: string, fields?: object) => void said.push([message, fields])
    const tear = (copy: string) => {
      const path = join(copy, 'data.log')
      const file = readFileSync(path)
      // The second of its three sectors was not written.
      const start = Math.floor(file.indexOf('a torn value') / 4096) * 4096
      file.fill(0, start + 512, start + 1024)
      writeFileSync(path, file)
    }
    await killed(tear, { logger: { ...silentLogger, warn } })
    expect(list()).toEqual(['/a=1'])
    expect(said).toEqual([[expect.stringContaining('was not complete, so it had not been acknowledged'), { directory, bytes: 2 * 512 }]])
    expect(await put('/b', '2')).toBe(3)
  })

  it.each(['a damaged value', '/damaged', 'T8SM'])('[S19] does not open with a log whose last append is damaged: in %j', async where => {
    await put('/damaged', 'a damaged value')
    await expect(killed(copy => damage(copy, where, 'data.log'))).rejects.toThrow('data.log is damaged in what was written last;')
    await expect(open()).rejects.toBeInstanceOf(DamagedStoreError)
  })

  it('[S19] shows what came before the damage where that is asked for, changes nothing on disk, and takes no write', async () => {
    await put('/a', '1')
    await put('/b', 'a damaged value')
    await put('/c', '3')
    await expect(killed(copy => damage(copy, 'a damaged value', 'data.log'))).rejects.toThrow('"t8s store backup --salvage" may make one')
    const files = () => ['data.mdb', 'data.log'].map(name => readFileSync(join(directory, name)).toString('latin1'))
    const before = files()
    await open({ salvages: true })
    expect(list()).toEqual(['/a=1'])
    await expect(put('/d', '4')).rejects.toThrow('the write did not happen')
    await expect(store.grantLease(10)).rejects.toThrow('the write did not happen')
    expect(list()).toEqual(['/a=1'])
    await store.close()
    expect(files()).toEqual(before)
    rmSync(join(directory, 'data.log'))
    await open({ salvages: true })
    expect(list()).toEqual([])
  })

  it('[S20] does not open with a log that is damaged before its end, or missing', async () => {
    await put('/a', 'a damaged value')
    await put('/b', 'another value')
    let path = ''
    await expect(
      killed(copy => {
        damage(copy, 'a damaged value', 'data.log')
        path = join(copy, 'data.log')
      }),
    ).rejects.toThrow(`${path} is damaged in what was written last but one or before`)
    rmSync(path)
    await expect(open()).rejects.toThrow(`${path} is missing`)
    await expect(open()).rejects.toBeInstanceOf(DamagedStoreError)
  })

  it('[S22] refuses a directory that is in use', async () => {
    const refused = await LmdbStore.open({ directory, clock, logger: silentLogger }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(LockedError)
    expect(String(refused)).toContain(`in use by process ${process.pid}: stop it first`)
    await put('/a', '1')
    await reopen()
    expect(list()).toEqual(['/a=1'])
  })
})

/** Flips a bit of every place in the file that holds `what`. */
function damage(directory: string, what: string, name = 'data.mdb'): void {
  const path = join(directory, name)
  const file = readFileSync(path)
  for (let at = file.indexOf(what); at >= 0; at = file.indexOf(what, at + 1)) file[at + 3]! ^= 1
  writeFileSync(path, file)
}
