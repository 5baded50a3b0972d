import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { checkConsistency } from './consistency.ts'
import { WatchCache } from './watch-cache.ts'

const PREFIX = '/registry/configmaps/'
let store: MemoryStore
let cache: WatchCache

beforeEach(() => {
  store = new MemoryStore({ clock: virtualClock(0) })
  cache = new WatchCache(ConfigMap, PREFIX, { now: () => 0, schedule: () => {} })
  cache.load([], 1)
})
afterEach(() => store.close())

async function put(name: string, shownRevision?: (revision: number) => number): Promise<number> {
  const { revision } = await store.txn({ success: [{ type: 'put', key: `${PREFIX}ns/${name}`, value: new Uint8Array([1]) }] })
  const resourceVersion = String(shownRevision?.(revision) ?? revision)
  const object: ApiObject = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'ns', resourceVersion } }
  cache.apply(`ns/${name}`, object, revision)
  return revision
}

describe('the comparison of a cache with its store', () => {
  it('[W15] finds nothing where both are the same, whatever is written later', async () => {
    await put('a')
    await put('b')
    await checkConsistency(cache, store)
    await store.txn({ success: [{ type: 'delete', key: `${PREFIX}ns/a` }] })
    await checkConsistency(cache, store)
  })

  it('[W15] finds what a cache lacks, has too many of, or has in an old version', async () => {
    await put('a', revision => revision - 1)
    await expect(checkConsistency(cache, store)).rejects.toThrow('it shows ns/a of revision 1, and revision 2 is stored')
    cache.apply('ns/a', undefined, 2)
    await expect(checkConsistency(cache, store)).rejects.toThrow('it lacks ns/a')
    const revision = await put('b')
    await store.txn({ success: [{ type: 'delete', key: `${PREFIX}ns/b` }] })
    cache.advance(revision + 1)
    await expect(checkConsistency(cache, store)).rejects.toThrow(
      /configmaps\/ differs from the store at revision 4: it shows ns\/b, which is not/,
    )
  })

  it('[W15] leaves out what cannot be read, and what is told to be', async () => {
    const revision = await put('a')
    cache.apply('ns/a', undefined, revision)
    cache.markUnreadable('ns/a', 'no key')
    await checkConsistency(cache, store)
  })
})
