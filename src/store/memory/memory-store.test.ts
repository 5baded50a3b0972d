import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { bytes, storeSuite, text, watch } from '../store.suite.ts'
import { prefix } from '../store.ts'
import { CompactedError } from '../store-errors.ts'
import { MemoryStore } from './memory-store.ts'

storeSuite('memory', async () => {
  const clock = virtualClock()
  const store = new MemoryStore({ clock })
  return { store, advance: ms => clock.advance(ms), close: () => store.close() }
})

describe('the memory store', () => {
  const put = (store: MemoryStore, key: string, value: string) => store.txn({ success: [{ type: 'put', key, value: bytes(value) }] })
  const list = (store: MemoryStore, revision?: number) =>
    store.rangeNow({ ...prefix('/'), ...(revision && { revision }) }).kvs.map(kv => `${kv.key}=${text(kv.value)}`)

  it('is at revision 1 when new', () => {
    expect(new MemoryStore({ clock: virtualClock() }).revisionNow()).toBe(1)
  })

  it('[S18] has delivered a transaction when it returns', () => {
    const store = new MemoryStore({ clock: virtualClock() })
    void put(store, '/a', '1')
    expect(list(store)).toEqual(['/a=1'])
  })

  it('[S10] keeps the order for everyone when a receiver writes from within its delivery', async () => {
    const store = new MemoryStore({ clock: virtualClock() })
    let once = true
    using _writer = store.watch(prefix('/'), {
      events: () => {
        if (once) void put(store, '/b', '2')
        once = false
      },
      end: () => {},
    })
    using second = watch(store, prefix('/'))
    await second.begun()
    await put(store, '/a', '1')
    expect(second.lines('/')).toEqual(['put a=1', 'put b=2'])
  })

  it('forks with all its past; then each goes its own way', async () => {
    const store = new MemoryStore({ clock: virtualClock() })
    await put(store, '/a', '1')
    await put(store, '/a', '2')
    const fork = store.fork()
    await put(store, '/a', 'here')
    await put(fork, '/a', 'there')
    await put(fork, '/b', 'there')
    await store.compact(3)
    expect(list(store)).toEqual(['/a=here'])
    expect(list(fork)).toEqual(['/a=there', '/b=there'])
    expect(list(fork, 2)).toEqual(['/a=1'])
    expect(() => list(store, 2)).toThrow(CompactedError)
    using seen = watch(fork, { ...prefix('/'), revision: 2 })
    await seen.until(4)
    expect(seen.lines('/')).toEqual(['put a=1', 'put a=2', 'put a=there', 'put b=there'])
  })

  it('forgets what is older than it should keep, without a timer', async () => {
    const clock = virtualClock()
    const store = new MemoryStore({ clock, retention: { forMs: 60_000 } })
    await put(store, '/a', 'old')
    await clock.advance(30_000)
    await put(store, '/a', 'newer')
    await clock.advance(45_000)
    await put(store, '/a', 'newest')
    expect(() => list(store, 1)).toThrow(CompactedError)
    expect(list(store, 2)).toEqual(['/a=old'])
    expect(list(store, 3)).toEqual(['/a=newer'])
    expect(clock.pending()).toBe(0)
  })

  it('keeps no more revisions than it should', async () => {
    const store = new MemoryStore({ clock: virtualClock(), retention: { revisions: 1000 } })
    for (let n = 0; n < 3000; n++) await put(store, `/k${n % 7}`, String(n))
    expect(list(store, 3001 - 999).length).toBe(7)
    expect(() => list(store, 3001 - 1200)).toThrow(CompactedError)
  })

  it('leaves no timer behind when it closes', async () => {
    const clock = virtualClock()
    const store = new MemoryStore({ clock })
    await store.grantLease(10)
    await store.close()
    expect(clock.pending()).toBe(0)
  })
})
