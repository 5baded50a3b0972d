import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { ObjectStore } from '../registry/object-store.ts'
import type { CacheEvent } from './change.ts'
import { everything } from './selection.ts'
import { StorageCodec } from './storage-codec.ts'
import { StoreFeed } from './store-feed.ts'

let store: MemoryStore
let feed: StoreFeed
let objects: ObjectStore

beforeEach(async () => {
  const clock = virtualClock(0)
  store = new MemoryStore({ clock })
  const codec = new StorageCodec({ kinds: kindRegistry([ConfigMap, Secret]) })
  feed = new StoreFeed({ store, clock, log: silentLogger, codec })
  feed.cacheOf(ConfigMap)
  feed.cacheOf(Secret)
  await feed.start()
  objects = new ObjectStore({ store, feed, clock, codec })
})
afterEach(async () => {
  feed.stop()
  await store.close()
})

const configMap = (name: string) => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'ns' } })
const value = (name: string) => new TextEncoder().encode(JSON.stringify(configMap(name)))

describe('the caches of a server', () => {
  it('[W2] show a write once it is answered', async () => {
    const written = await objects.put(ConfigMap, configMap('a'), 0)
    expect(feed.cacheOf(ConfigMap).get('ns/a')).toBe(written)
    const revision = feed.revision
    await objects.put(ConfigMap, configMap('b'), 0)
    expect(feed.revision).toBeGreaterThan(revision)
  })

  it("[W12] hold the writer's own object, and hand out the same one to all", async () => {
    const told: CacheEvent[] = []
    const options = { selection: everything, since: feed.revision, marksInitialEnd: false, wantsBookmarks: false }
    for (let watcher = 0; watcher < 2; watcher++) {
      feed.cacheOf(ConfigMap).watch(options, { events: events => void told.push(...events), closed() {} })
    }
    const written = await objects.put(ConfigMap, configMap('a'), 0)
    await Promise.resolve()
    expect(told).toHaveLength(2)
    for (const { object } of told) expect(object).toBe(written)
  })

  it('[W13] all stand at the same revision, whatever was written', async () => {
    await objects.put(ConfigMap, configMap('a'), 0)
    await store.txn({ success: [{ type: 'put', key: '/registry/unknown/x', value: new Uint8Array([1]) }] })
    expect(new Set([...feed.caches].map(({ revision }) => revision))).toEqual(new Set([feed.revision]))
    expect(feed.revision).toBe(store.revisionNow())
  })

  it('[W14] hand on all changes of a revision in one batch', async () => {
    const batches: string[][] = []
    const options = { selection: everything, since: feed.revision, marksInitialEnd: false, wantsBookmarks: false }
    const names = (events: readonly CacheEvent[]) => events.map(({ object }) => object.metadata.name ?? '')
    feed.cacheOf(ConfigMap).watch(options, { events: events => void batches.push(names(events)), closed() {} })
    const put = (name: string) => ({ type: 'put', key: `/registry/configmaps/ns/${name}`, value: value(name) }) as const
    await store.txn({ success: [put('a'), put('b'), put('c')] })
    await new Promise(resolve => setImmediate(resolve))
    expect(batches).toEqual([['a', 'b', 'c']])
  })

  it('[W15] are compared with the store', async () => {
    await objects.put(ConfigMap, configMap('a'), 0)
    await feed.checkConsistency()
    feed.cacheOf(ConfigMap).apply('ns/a', undefined, feed.revision)
    await expect(feed.checkConsistency()).rejects.toThrow('it lacks ns/a')
  })
})
