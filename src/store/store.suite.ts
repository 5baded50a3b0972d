import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everyKey, type Operation, prefix, type Store, type WatchEvent, type WatchOptions } from './store.ts'
import { ClosedError, CompactedError, FutureRevisionError, InvalidRequestError, LeaseNotFoundError, StoreError } from './store-errors.ts'

/** A store for one test. `close` also removes what was made for it. */
export interface StoreUnderTest {
  readonly store: Store
  /** Lets the time of leases pass. */
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

/** Proves RULES.md for one engine. Each test keeps to keys of its own, so that a server may be shared. */
export function storeSuite(engine: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the ${engine} store`, () => {
    let under: StoreUnderTest
    let store: Store
    let at: string
    let count = 0

    beforeEach(async () => {
      under = await open()
      store = under.store
      at = `/suite/${process.pid}/${count++}/`
    })
    afterEach(() => under.close())

    const put = async (key: string, value: string, lease = 0) =>
      (await store.txn({ success: [{ type: 'put', key: at + key, value: bytes(value), lease }] })).revision
    const remove = async (key: string) => (await store.txn({ success: [{ type: 'delete', key: at + key }] })).revision
    const list = async (revision?: number) =>
      (await store.range({ ...prefix(at), ...(revision && { revision }) })).kvs.map(kv => `${kv.key.slice(at.length)}=${text(kv.value)}`)
    const revisionNow = async () => (await store.range({ key: at })).revision

    it('[S1] takes the next revision for a change, and none for anything else', async () => {
      const first = await put('a', '1')
      expect(await put('a', '1')).toBe(first + 1)
      expect(await remove('missing')).toBe(first + 1)
      const refused = await store.txn({ compare: [{ key: `${at}a`, exists: false }], success: [{ type: 'delete', key: `${at}a` }] })
      expect(refused).toMatchObject({ succeeded: false, revision: first + 1, results: [] })
      expect(await remove('a')).toBe(first + 2)
    })

    it('[S17] decides at once where it can, so that the next transaction builds on it, and shows both in their order', async () => {
      if (!store.decideNow) return
      using seen = watch(store, prefix(at))
      await seen.begun()
      const key = `${at}a`
      const { result, done } = store.decideNow({ success: [{ type: 'put', key, value: bytes('1') }] })
      const then = store.txn({ compare: [{ key, modRevision: result.revision }], success: [{ type: 'delete', key }] })
      const [, after] = await Promise.all([done, then])
      expect([result.succeeded, after.succeeded, after.revision]).toEqual([true, true, result.revision + 1])
      expect(seen.events.map(({ type, kv }) => [type, kv.modRevision])).toEqual([
        ['put', result.revision],
        ['delete', after.revision],
      ])
      expect(await list()).toEqual([])
    })

    it('[S2] gives all changes of a transaction one revision', async () => {
      await put('gone', '0')
      const { revision } = await store.txn({
        success: [
          { type: 'put', key: `${at}a`, value: bytes('1') },
          { type: 'put', key: `${at}b`, value: bytes('2') },
          { type: 'delete', key: `${at}gone` },
        ],
      })
      const { kvs } = await store.range(prefix(at))
      expect(kvs.map(kv => kv.modRevision)).toEqual([revision, revision])
      expect(await list(revision - 1)).toEqual(['gone=0'])
    })

    it('[S3] counts versions since creation', async () => {
      const created = await put('a', '1')
      const changed = await put('a', '2')
      const [kv] = (await store.range({ key: `${at}a` })).kvs
      expect(kv).toMatchObject({ key: `${at}a`, createRevision: created, modRevision: changed, version: 2, lease: 0 })
      await remove('a')
      const again = await put('a', '3')
      expect((await store.range({ key: `${at}a` })).kvs[0]).toMatchObject({ createRevision: again, modRevision: again, version: 1 })
    })

    it('[S4] lists in byte order, with limit, count and more of one snapshot', async () => {
      for (const key of ['b', 'a/b', 'a', 'é', 'aa', '中', 'ab', '\uffee', 'B']) await put(key, key)
      const sorted = ['B', 'a', 'a/b', 'aa', 'ab', 'b', 'é', '中', '\uffee']
      expect((await store.range(prefix(at))).kvs.map(kv => kv.key.slice(at.length))).toEqual(sorted)
      const page = await store.range({ ...prefix(at), limit: 4 })
      expect(page).toMatchObject({ count: 9, more: true })
      expect(page.kvs.map(kv => kv.key.slice(at.length))).toEqual(sorted.slice(0, 4))
      const next = await store.range({ key: `${page.kvs.at(-1)!.key}\0`, end: prefix(at).end, revision: page.revision })
      expect(next).toMatchObject({ count: 5, more: false })
      expect(next.kvs.map(kv => kv.key.slice(at.length))).toEqual(sorted.slice(4))
      expect((await store.range({ ...prefix(at), keysOnly: true })).kvs.every(kv => kv.value.length === 0)).toBe(true)
      expect(await store.range({ ...prefix(at), countOnly: true })).toMatchObject({ count: 9, kvs: [], more: false })
      expect((await store.range({ key: `${at}a`, end: `${at}b` })).count).toBe(4)
      expect((await store.range({ ...everyKey, countOnly: true })).count).toBeGreaterThanOrEqual(9)
      expect((await store.range({ key: `${at}missing` })).kvs).toEqual([])
    })

    it('[S5] reads the past', async () => {
      const r1 = await put('a', '1')
      const r2 = await put('b', '2')
      const r3 = await put('a', '3')
      const r4 = await remove('b')
      expect(await list(r1)).toEqual(['a=1'])
      expect(await list(r2)).toEqual(['a=1', 'b=2'])
      expect(await list(r3)).toEqual(['a=3', 'b=2'])
      expect(await list(r4)).toEqual(['a=3'])
      expect(await store.range({ key: `${at}b`, revision: r3 })).toMatchObject({ count: 1, revision: r4 })
    })

    it('[S6] refuses to read what is compacted or has not happened yet', async () => {
      await put('a', '1')
      const kept = await put('a', '2')
      const last = await put('a', '3')
      await expect(list(last + 10)).rejects.toBeInstanceOf(FutureRevisionError)
      await store.compact(kept)
      await expect(list(kept - 1)).rejects.toBeInstanceOf(CompactedError)
      expect(await list(kept)).toEqual(['a=2'])
      expect(await list(last)).toEqual(['a=3'])
      await expect(store.compact(last + 10)).rejects.toBeInstanceOf(FutureRevisionError)
    })

    it('[S7] lets exactly one of many writers win', async () => {
      const before = await put('a', 'start')
      const attempts = Array.from({ length: 20 }, (_, writer) =>
        store.txn({
          compare: [{ key: `${at}a`, modRevision: before }],
          success: [{ type: 'put', key: `${at}a`, value: bytes(String(writer)) }],
          failure: [{ type: 'range', key: `${at}a` }],
        }),
      )
      const results = await Promise.all(attempts)
      const winners = results.flatMap((result, writer) => (result.succeeded ? [writer] : []))
      expect(winners).toHaveLength(1)
      for (const result of results) {
        if (result.succeeded) continue
        const [seen] = result.results
        expect(seen?.type === 'range' && text(seen.kvs[0]!.value)).toBe(String(winners[0]))
      }
      const create = () =>
        store.txn({ compare: [{ key: `${at}n`, modRevision: 0 }], success: [{ type: 'put', key: `${at}n`, value: bytes('') }] })
      expect((await Promise.all([create(), create(), create()])).filter(result => result.succeeded)).toHaveLength(1)
    })

    it('[S8] lets later steps see earlier ones, and refuses to change a key twice', async () => {
      const { results, revision } = await store.txn({
        success: [
          { type: 'put', key: `${at}a`, value: bytes('1') },
          { type: 'range', ...prefix(at) },
        ],
      })
      expect(results[1]).toMatchObject({ type: 'range', count: 1, revision })
      const twice: Operation[] = [
        { type: 'put', key: `${at}b`, value: bytes('1') },
        { type: 'put', key: `${at}b`, value: bytes('2') },
      ]
      await expect(store.txn({ success: twice })).rejects.toBeInstanceOf(InvalidRequestError)
      expect(await list()).toEqual(['a=1'])
    })

    it('[S8] answers the versions before', async () => {
      await put('a', '1')
      await put('b', '2')
      const { results } = await store.txn({
        success: [
          { type: 'put', key: `${at}a`, value: bytes('3'), prevKv: true },
          { type: 'put', key: `${at}c`, value: bytes('4'), prevKv: true },
          { type: 'delete', ...prefix(`${at}b`), prevKv: true },
        ],
      })
      const [a, c, b] = results
      expect(a?.type === 'put' && text(a.prevKv!.value)).toBe('1')
      expect(c).toEqual({ type: 'put' })
      expect(b?.type === 'delete' && b.deleted === 1 && text(b.prevKvs![0]!.value)).toBe('2')
    })

    it('[S9] refuses keys it cannot keep', async () => {
      const refused = async (key: string) =>
        await expect(store.txn({ success: [{ type: 'put', key, value: bytes('') }] })).rejects.toBeInstanceOf(InvalidRequestError)
      await refused('')
      await refused(`${at}😀`)
      await refused(at.padEnd(1979, 'x'))
      expect(await list()).toEqual([])
      const longest = at.padEnd(1978, 'x')
      await store.txn({ success: [{ type: 'put', key: longest, value: bytes('1') }] })
      expect((await store.range({ key: longest })).count).toBe(1)
    })

    it('[S10] delivers from the past and goes on with the present', async () => {
      const start = await put('a', '1')
      await put('b', '2')
      using seen = watch(store, { ...prefix(at), revision: start })
      await put('a', '3')
      await store.txn({ success: [{ type: 'put', key: '/suite-elsewhere', value: bytes('x') }] })
      await remove('b')
      await seen.until(4)
      expect(seen.lines(at)).toEqual(['put a=1', 'put b=2', 'put a=3', 'delete b='])
      expect(seen.events[3]!.kv.modRevision).toBe(await revisionNow())
    })

    it('[S10] without a revision begins after the present, and a revision to come is waited for', async () => {
      const now = await put('a', '1')
      using seen = watch(store, prefix(at))
      using later = watch(store, { ...prefix(at), revision: now + 3 })
      await seen.begun()
      for (const value of ['2', '3', '4']) await put('a', value)
      await seen.until(3)
      await later.until(1)
      expect(seen.lines(at)).toEqual(['put a=2', 'put a=3', 'put a=4'])
      expect(later.lines(at)).toEqual(['put a=4'])
    })

    it('[S10] watches one key without its neighbours', async () => {
      using seen = watch(store, { key: `${at}a`, revision: await put('a', '1') })
      await put('aa', 'no')
      await put('a', '2')
      await seen.until(2)
      expect(seen.lines(at)).toEqual(['put a=1', 'put a=2'])
    })

    it('[S11] delivers the events of one revision in one call', async () => {
      const start = (await revisionNow()) + 1
      using seen = watch(store, { ...prefix(at), revision: start })
      const success: Operation[] = Array.from({ length: 50 }, (_, n) => ({ type: 'put', key: `${at}${n}`, value: bytes('x') }))
      await store.txn({ success })
      await store.txn({ success: [{ type: 'delete', ...prefix(at) }] })
      await seen.until(100)
      for (const call of seen.calls) expect(call.length % 50).toBe(0)
    })

    it('[S12] ends a watch of what is compacted, and says so', async () => {
      const old = await put('a', '1')
      await put('a', '2')
      await store.compact(await put('a', '3'))
      using seen = watch(store, { ...prefix(at), revision: old })
      expect(await seen.ended()).toBeInstanceOf(CompactedError)
      expect(seen.events).toEqual([])
    })

    it('[S12] delivers nothing once disposed, and ends the others when the store closes', async () => {
      const disposed = watch(store, prefix(at))
      const other = watch(store, prefix(at))
      await disposed.begun()
      await other.begun()
      disposed[Symbol.dispose]()
      await put('a', '1')
      await other.until(1)
      await store.close()
      expect(await other.ended()).toBeInstanceOf(ClosedError)
      expect(disposed.events).toEqual([])
      expect(disposed.error).toBeUndefined()
      await expect(put('a', '2')).rejects.toBeInstanceOf(ClosedError)
    })

    it('[S12] ends a watch whose receiver throws, with what it threw, and no other', async () => {
      const start = await put('a', '1')
      const broken = new Error('cannot take it')
      const error = new Promise<Error>(resolve => {
        store.watch(
          { ...prefix(at), revision: start },
          {
            events: () => {
              throw broken
            },
            end: resolve,
          },
        )
      })
      using seen = watch(store, { ...prefix(at), revision: start })
      expect(await error).toBe(broken)
      await put('b', '2')
      await seen.until(2)
    })

    it('[S13] tells progress after everything before it', async () => {
      const start = await put('a', '1')
      using seen = watch(store, { ...prefix(at), revision: start })
      const asked = await put('a', '2')
      seen.requestProgress()
      expect(await seen.progress()).toBeGreaterThanOrEqual(asked)
      expect(seen.lines(at)).toEqual(['put a=1', 'put a=2'])
    })

    it('[S14] adds the version before if asked to', async () => {
      const start = await put('a', '1')
      await put('a', '2')
      await remove('a')
      using seen = watch(store, { ...prefix(at), revision: start, prevKv: true })
      await seen.until(3)
      expect(seen.events.map(event => event.prevKv && text(event.prevKv.value))).toEqual([undefined, '1', '2'])
    })

    it('[S15] deletes the keys of a lease in one revision, and no others', async () => {
      const { id } = await store.grantLease(600)
      await put('a', '1', id)
      await put('b', '2', id)
      await put('left', '3', id)
      await put('left', '4')
      await put('never', '5')
      const before = await revisionNow()
      await store.revokeLease(id)
      expect(await list()).toEqual(['left=4', 'never=5'])
      expect(await revisionNow()).toBe(before + 1)
      await expect(store.revokeLease(id)).rejects.toBeInstanceOf(LeaseNotFoundError)
    })

    it('[S15] lets a lease run out unless it is kept alive', async () => {
      const dying = await store.grantLease(2)
      const living = await store.grantLease(4)
      await put('dying', '1', dying.id)
      const start = await put('living', '2', living.id)
      using seen = watch(store, { ...prefix(at), revision: start + 1 })
      await under.advance(2500)
      expect(await store.keepLeaseAlive(living.id)).toEqual(living)
      await under.advance(2000)
      await store.keepLeaseAlive(living.id)
      await seen.until(1)
      expect(seen.lines(at)).toEqual(['delete dying='])
      expect(await list()).toEqual(['living=2'])
      await store.revokeLease(living.id) // its end must not take a revision in the midst of a later test
    })

    it('[S16] refuses a lease that does not exist', async () => {
      await expect(put('a', '1', 4_711_000_000)).rejects.toBeInstanceOf(LeaseNotFoundError)
      await expect(store.keepLeaseAlive(4_711_000_000)).rejects.toBeInstanceOf(LeaseNotFoundError)
      expect(await list()).toEqual([])
    })

    it('[S5][S10][S14] agrees with a simple model on every past state and every watch', async () => {
      let run = 0
      const step = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({ kind: fc.constant('put' as const), keys: fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 3 }) }),
        },
        {
          weight: 2,
          arbitrary: fc.record({ kind: fc.constant('delete' as const), keys: fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 3 }) }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteAll' as const), keys: fc.constant<number[]>([]) }) },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(40), async (steps, from) => {
          const within = `${at}model${run++}/`
          const model = new Map<string, string>()
          const states = new Map<number, string[]>()
          const events: Array<{ revision: number; line: string }> = []
          const base = await revisionNow()
          using live = watch(store, { ...prefix(within), revision: base + 1 })
          let revision = base
          for (const [n, { kind, keys }] of steps.entries()) {
            const names = (kind === 'deleteAll' ? [...model.keys()].sort() : keys.map(key => `k${String(key).padStart(2, '0')}`)).filter(
              name => kind === 'put' || model.has(name),
            )
            const success: Operation[] =
              kind === 'deleteAll'
                ? [{ type: 'delete', ...prefix(within) }]
                : kind === 'delete'
                  ? keys.map(key => ({ type: 'delete', key: `${within}k${String(key).padStart(2, '0')}` }))
                  : names.map(name => ({ type: 'put', key: within + name, value: bytes(`v${n}`) }))
            const done = await store.txn({ success })
            if (names.length > 0) revision++
            expect(done.revision).toBe(revision)
            for (const name of names) {
              const before = model.get(name) ?? ''
              if (kind === 'put') model.set(name, `v${n}`)
              else model.delete(name)
              events.push({ revision, line: `${kind === 'put' ? 'put' : 'delete'} ${name}=${model.get(name) ?? ''} was ${before}` })
            }
            states.set(
              revision,
              [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`),
            )
          }
          for (const [at, expected] of states) {
            const { kvs } = await store.range({ ...prefix(within), revision: at })
            expect(kvs.map(kv => `${kv.key.slice(within.length)}=${text(kv.value)}`)).toEqual(expected)
          }
          const start = base + 1 + Math.min(from, revision - base)
          using past = watch(store, { ...prefix(within), revision: start, prevKv: true })
          const expected = events.filter(event => event.revision >= start)
          await past.until(expected.length)
          await live.until(events.length)
          const lines = past.events.map(
            ({ type, kv, prevKv }) => `${type} ${kv.key.slice(within.length)}=${text(kv.value)} was ${prevKv ? text(prevKv.value) : ''}`,
          )
          expect(lines).toEqual(expected.map(event => event.line))
          expect(live.events.map(event => event.kv.modRevision)).toEqual(events.map(event => event.revision))
        }),
        { numRuns: 25 },
      )
    }, 30_000)

    it('[S10] misses and repeats nothing while many write and watches begin anywhere', async () => {
      const start = (await revisionNow()) + 1
      const watches: Collector[] = []
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; n < 25; n++) {
          const revision = await put(`w${writer}`, String(n))
          if (n % 10 === 5) watches.push(watch(store, { ...prefix(at), revision: Math.max(start, revision - 20) }))
        }
      })
      await Promise.all(writers)
      using all = watch(store, { ...prefix(at), revision: start })
      await all.until(200)
      const revisions = all.events.map(event => event.kv.modRevision)
      expect(revisions).toEqual(Array.from({ length: 200 }, (_, n) => start + n))
      for (const seen of watches) {
        const expected = revisions.filter(revision => revision >= seen.options.revision!)
        await seen.until(expected.length)
        expect(seen.events.map(event => event.kv.modRevision)).toEqual(expected)
        seen[Symbol.dispose]()
      }
    })

    it('refuses with errors that say what to do', async () => {
      const error = await store.range({ key: at, revision: (await revisionNow()) + 5 }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StoreError)
      expect(String(error)).toContain('has not happened yet')
    })
  })
}

/** A value. */
export function bytes(value: string): Uint8Array {
  return Buffer.from(value)
}

/** A value as text. */
export function text(value: Uint8Array): string {
  return Buffer.from(value).toString()
}

/** Watches and collects, so that a test can wait for what it expects. */
export function watch(store: Store, options: WatchOptions): Collector {
  return new Collector(store, options)
}

class Collector implements Disposable {
  readonly options: WatchOptions
  readonly calls: WatchEvent[][] = []
  readonly events: WatchEvent[] = []
  error: Error | undefined
  readonly #progress: number[] = []
  readonly #waiting = new Set<() => void>()
  readonly #watch

  constructor(store: Store, options: WatchOptions) {
    this.options = options
    this.#watch = store.watch(options, {
      events: events => {
        this.calls.push([...events])
        this.events.push(...events)
        this.#wake()
      },
      progress: revision => {
        this.#progress.push(revision)
        this.#wake()
      },
      end: error => {
        this.error = error
        this.#wake()
      },
    })
  }

  requestProgress(): void {
    this.#watch.requestProgress()
  }

  /** Resolves once `count` events came. */
  until(count: number): Promise<void> {
    return this.#when(() => this.events.length >= count)
  }

  /** Resolves once the watch is known to run. */
  async begun(): Promise<void> {
    this.requestProgress()
    await this.progress()
  }

  async progress(): Promise<number> {
    await this.#when(() => this.#progress.length > 0)
    return this.#progress.shift()!
  }

  async ended(): Promise<Error> {
    if (!this.error) {
      await new Promise<void>(resolve => {
        const check = () => {
          if (!this.error) return
          this.#waiting.delete(check)
          resolve()
        }
        this.#waiting.add(check)
      })
    }
    return this.error!
  }

  /** `put key=value`, with keys below `start`. */
  lines(start: string): string[] {
    return this.events.map(({ type, kv }) => `${type} ${kv.key.slice(start.length)}=${text(kv.value)}`)
  }

  #when(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!holds() && !this.error) return
        this.#waiting.delete(check)
        if (holds()) resolve()
        else reject(this.error)
      }
      this.#waiting.add(check)
      check()
    })
  }

  #wake(): void {
    for (const check of this.#waiting) check()
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]()
  }
}
