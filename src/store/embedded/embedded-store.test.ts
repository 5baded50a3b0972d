import { beforeEach, describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { bytes, text, watch } from '../store.suite.ts'
import { everyKey } from '../store.ts'
import { CompactedError, FatalStoreError, NoSpaceError } from '../store-errors.ts'
import { EmbeddedStore } from './embedded-store.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { Version } from './state.ts'

describe('an embedded store with a journal', () => {
  let journal: HandJournal
  let store: EmbeddedStore
  let fatal: FatalStoreError | undefined
  const put = (key: string, value: string, modRevision?: number) =>
    store.txn({ compare: modRevision === undefined ? [] : [{ key, modRevision }], success: [{ type: 'put', key, value: bytes(value) }] })
  const list = () => store.rangeNow(everyKey).kvs.map(kv => `${kv.key}=${text(kv.value)}`)

  beforeEach(() => {
    journal = new HandJournal()
    fatal = undefined
    store = new EmbeddedStore({
      engine: 'lmdb',
      clock: virtualClock(),
      retention: { forMs: 1000, revisions: 1000 },
      nextTurn: () => Promise.resolve(),
      journal,
      onFatal: error => {
        fatal = error
      },
    })
  })

  it('[S17] puts everything that came during one commit into the next', async () => {
    const first = put('a', '1')
    await journal.asked()
    const others = ['b', 'c', 'd'].map(key => put(key, '1'))
    expect(list()).toEqual([])
    journal.succeed()
    await first
    await journal.asked()
    expect(journal.appending).toHaveLength(3)
    expect(list()).toEqual(['a=1'])
    journal.succeed()
    await Promise.all(others)
    expect(list()).toEqual(['a=1', 'b=1', 'c=1', 'd=1'])
  })

  it('[S7] decides on what is still being written', async () => {
    const created = put('a', '1', 0)
    const again = put('a', '2', 0)
    await journal.asked()
    journal.succeed()
    expect((await created).succeeded).toBe(true)
    expect((await again).succeeded).toBe(false)
  })

  it('[S1][S21] takes back what found no space and all that was decided on it, and goes on', async () => {
    using seen = watch(store, everyKey)
    await seen.begun()
    const first = put('a', '1')
    await journal.asked()
    const second = put('a', '2', 2)
    journal.fail(new NoSpaceError('there'))
    await expect(first).rejects.toBeInstanceOf(NoSpaceError)
    await expect(second).rejects.toBeInstanceOf(NoSpaceError)
    expect(list()).toEqual([])
    expect(store.revisionNow()).toBe(1)
    const third = put('b', '3', 0)
    await journal.asked()
    journal.succeed()
    expect(await third).toMatchObject({ succeeded: true, revision: 2 })
    expect(seen.lines('')).toEqual(['put b=3'])
    expect(fatal).toBeUndefined()
  })

  it('[S21] stops for good when the disk fails', async () => {
    using seen = watch(store, everyKey)
    await seen.begun()
    const first = put('a', '1')
    await journal.asked()
    const second = put('b', '1')
    journal.fail(new Error('Input/output error'))
    await expect(first).rejects.toBeInstanceOf(FatalStoreError)
    await expect(second).rejects.toBeInstanceOf(FatalStoreError)
    expect(await seen.ended()).toBe(fatal)
    expect(fatal?.message).toContain('Input/output error')
    await expect(put('c', '1')).rejects.toBe(fatal)
    expect(() => store.rangeNow(everyKey)).toThrow(FatalStoreError)
  })

  it('[S6] compacts for everyone at once, and looks for what that frees in portions, between which others have their turn', async () => {
    const ready = new ReadyJournal()
    let turns = 0
    const nextTurn = async () => void turns++
    const many = new EmbeddedStore({
      engine: 'lmdb',
      clock: virtualClock(),
      retention: { forMs: 1e9, revisions: 1e9 },
      nextTurn,
      journal: ready,
    })
    const puts = Array.from({ length: 12_001 }, (_, n) => many.txn({ success: [{ type: 'put', key: 'a', value: bytes(String(n)) }] }))
    await Promise.all(puts)
    const kept = many.revisionNow()
    const portions: { versions: number; turns: number }[] = []
    ready.forget = versions => {
      expect(() => many.rangeNow({ ...everyKey, revision: kept - 1 })).toThrow(CompactedError)
      portions.push({ versions: versions.length, turns })
    }
    await many.compact(kept)
    while (portions.length < 3) await Promise.resolve()
    expect(portions.map(({ versions }) => versions)).toEqual([4_999, 5_000, 2_001])
    expect(portions[1]!.turns).toBeGreaterThan(portions[0]!.turns)
    expect(portions[2]!.turns).toBeGreaterThan(portions[1]!.turns)
    expect(many.rangeNow(everyKey).kvs).toHaveLength(1)
    await many.close()
  })

  it('finishes what was begun before it closes', async () => {
    const writing = put('a', '1')
    await journal.asked()
    const closing = store.close()
    journal.succeed()
    await closing
    expect((await writing).revision).toBe(2)
    expect(journal.isClosed).toBe(true)
  })
})

/** A journal whose disk is the test's hand. */
class HandJournal implements Journal {
  appending: readonly JournalEntry[] | undefined
  isClosed = false
  readonly #values = new Map<number, Uint8Array>()
  #settle: { resolve(): void; reject(error: Error): void } | undefined
  #waiting: (() => void) | undefined

  append(entries: readonly JournalEntry[]): Promise<void> {
    this.appending = entries
    this.#waiting?.()
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  async asked(): Promise<void> {
    if (!this.appending) {
      await new Promise<void>(resolve => {
        this.#waiting = resolve
      })
    }
  }

  succeed(): void {
    for (const { changes } of this.appending!) for (const { version } of changes) this.#values.set(version.modRevision, version.value!)
    this.appending = undefined
    this.#settle!.resolve()
  }

  fail(error: Error): void {
    this.appending = undefined
    this.#settle!.reject(error)
  }

  read({ modRevision }: { modRevision: number }): Uint8Array {
    return this.#values.get(modRevision)!
  }

  refuses(): undefined {}
  forget(_versions: readonly Version[]): void {}
  measure() {
    return { sizeBytes: 0, sizeInUseBytes: 0, problems: [], corruptKeys: [] }
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

/** One whose disk is quick. */
class ReadyJournal extends HandJournal {
  override append(entries: readonly JournalEntry[]): Promise<void> {
    const done = super.append(entries)
    this.succeed()
    return done
  }
}
