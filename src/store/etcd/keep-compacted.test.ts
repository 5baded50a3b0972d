import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { MemoryStore } from '../memory/memory-store.ts'
import { keepCompacted } from './keep-compacted.ts'

describe('a store that is kept compacted', () => {
  const PERIOD_MS = 300_000
  let clock: VirtualClock
  let store: MemoryStore
  const put = async () => (await store.txn({ success: [{ type: 'put', key: '/a', value: new Uint8Array() }] })).revision
  const kept = async () => (await store.status()).compactRevision

  beforeEach(() => {
    clock = virtualClock()
    store = new MemoryStore({ clock, retention: { forMs: Number.MAX_SAFE_INTEGER, revisions: Number.MAX_SAFE_INTEGER } })
  })
  afterEach(async () => {
    await store.close()
    expect(clock.pending()).toBe(0)
  })

  it('has the history of one to two periods', async () => {
    using _ = keepCompacted(store, clock, silentLogger, PERIOD_MS)
    const first = await put()
    await clock.advance(PERIOD_MS)
    const second = await put()
    expect(await kept()).toBe(0)
    await clock.advance(PERIOD_MS)
    expect(await kept()).toBeGreaterThanOrEqual(first)
    expect(await kept()).toBeLessThan(second)
    await clock.advance(PERIOD_MS)
    expect(await kept()).toBeGreaterThanOrEqual(second)
  })

  it('is compacted by one of its servers at a time', async () => {
    let compactions = 0
    const counted = {
      txn: store.txn.bind(store),
      compact(revision: number) {
        compactions++
        return store.compact(revision)
      },
    }
    const servers = [1, 2, 3].map(() => keepCompacted(counted, clock, silentLogger, PERIOD_MS))
    for (let period = 0; period < 10; period++) {
      await put()
      await clock.advance(PERIOD_MS)
    }
    expect(compactions).toBeLessThanOrEqual(10)
    expect(compactions).toBeGreaterThanOrEqual(8)
    for (const server of servers) server[Symbol.dispose]()
  })

  it('goes on after a failure', async () => {
    let failures = 3
    const failing = {
      txn: async (txn: Parameters<MemoryStore['txn']>[0]) => {
        if (failures-- > 0) throw new Error('no leader')
        return store.txn(txn)
      },
      compact: (revision: number) => store.compact(revision),
    }
    using _ = keepCompacted(failing, clock, silentLogger, PERIOD_MS)
    const first = await put()
    for (let period = 0; period < 6; period++) await clock.advance(PERIOD_MS)
    expect(await kept()).toBeGreaterThanOrEqual(first)
  })
})
