import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { MemoryStore } from './memory/memory-store.ts'
import { SampledTimeline, timelineOf } from './timeline.ts'

describe('the timeline of a store that keeps none itself', () => {
  const start = Date.parse('2026-11-20T12:00:00Z')
  let clock: VirtualClock
  let store: MemoryStore
  let timeline: SampledTimeline
  const write = async (key: string) => {
    const { revision } = await store.txn({ success: [{ type: 'put', key, value: new Uint8Array() }] })
    timeline.follow(revision)
    return revision
  }

  beforeEach(() => {
    clock = virtualClock(start)
    store = new MemoryStore({ clock })
    timeline = new SampledTimeline(store, clock)
  })
  afterEach(async () => {
    timeline.stop()
    await store.close()
  })

  it('says which revision was the newest, to a few seconds', async () => {
    const first = await write('/a')
    await clock.advance(6000)
    const second = await write('/b')
    await clock.advance(60_000)
    expect((await timeline.at(start + 5500))?.revision).toBe(first)
    expect((await timeline.at(start + 30_000))?.revision).toBeGreaterThanOrEqual(second)
    expect(await timeline.at(start)).toBeUndefined()
    expect((await timeline.of(first))?.revision).toBe(first)
  })

  it('writes nothing to a store that nobody else writes to', async () => {
    await write('/a')
    await clock.advance(6000)
    const before = store.revisionNow()
    timeline.follow(before)
    await clock.advance(3_600_000)
    expect(store.revisionNow()).toBe(before)
  })

  it('is shared by all servers of a store, of which one writes', async () => {
    const other = new SampledTimeline(store, clock)
    const revision = await write('/a')
    other.follow(revision)
    await clock.advance(6000)
    expect(store.revisionNow()).toBe(revision + 1)
    expect((await other.at(start + 5500))?.revision).toBe(revision)
    other.stop()
  })

  it('forgets what the store has forgotten', async () => {
    const first = await write('/a')
    await clock.advance(6000)
    const second = await write('/b')
    await clock.advance(6000)
    await store.compact(second)
    expect(await timeline.at(start + 5500)).toBeUndefined()
    expect(await timeline.of(first)).toBeUndefined()
    expect((await timeline.at(start + 20_000))?.revision).toBeGreaterThanOrEqual(second)
  })

  it('of an embedded engine is its own', async () => {
    const own = timelineOf(store, clock)
    const revision = await write('/a')
    await clock.advance(1000)
    expect(await own.at(start + 500)).toEqual({ revision, atMs: start })
  })
})
