import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { serviceUnavailable } from '#machinery/status/failures.ts'
import { FakeApi } from '../fake/fake-api.ts'
import { informers } from './informers.ts'

function start() {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  const all = informers({ client: api.client(), clock, log: silentLogger })
  const cache = all.of(ConfigMap)
  const changes: string[] = []
  cache.onChange((object, old) => changes.push(`${old?.data?.['v'] ?? '-'}>${object?.data?.['v'] ?? '-'}`))
  const add = (name: string, v: string, labels = {}) =>
    api.put(ConfigMap, { metadata: { name, namespace: 'default', labels }, data: { v } })
  const set = (name: string, v: string) =>
    api.change(ConfigMap, name, object => {
      object.data = { v }
    })
  return {
    clock,
    api,
    all,
    cache,
    changes,
    add,
    set,
    async [Symbol.asyncDispose]() {
      await all[Symbol.asyncDispose]()
      expect(api.watchCount).toBe(0)
      expect(clock.pending()).toBe(0)
    },
  }
}

const names = (objects: readonly ConfigMap[]) => objects.map(({ metadata }) => metadata.name).sort()

describe('an informer', () => {
  it('lists, then follows changes in order', async () => {
    await using test = start()
    const { cache, clock, changes } = test
    test.add('a', '1')
    await clock.advance(0)
    expect(cache.hasSynced()).toBe(true)
    test.set('a', '2')
    test.add('b', '1')
    test.api.remove(ConfigMap, 'a')
    await clock.advance(0)
    expect(changes).toEqual(['->1', '1>2', '->1', '2>-'])
    expect(names(cache.list('default'))).toEqual(['b'])
    expect(cache.get('default', 'b')!.data).toEqual({ v: '1' })
    expect(cache.revision()).toBe(4)
  })

  it('shows a late subscriber what is there', async () => {
    await using test = start()
    test.add('a', '1')
    await test.clock.advance(0)
    const seen: string[] = []
    using _subscription = test.cache.onChange(object => seen.push(object!.metadata.name!))
    expect(seen).toEqual(['a'])
  })

  it('files objects under its indexes and moves them as they change', async () => {
    await using test = start()
    test.cache.addIndex('byValue', object => [object.data?.['v'] ?? ''])
    test.add('a', 'x')
    test.add('b', 'x')
    await test.clock.advance(0)
    expect(names(test.cache.byIndex('byValue', 'x'))).toEqual(['a', 'b'])
    test.set('a', 'y')
    test.api.remove(ConfigMap, 'b')
    await test.clock.advance(0)
    expect(test.cache.byIndex('byValue', 'x')).toEqual([])
    expect(names(test.cache.byIndex('byValue', 'y'))).toEqual(['a'])
    expect(() => test.cache.byIndex('none', '')).toThrow('has no index none')
  })

  it('goes on where it was when a watch ends or breaks', async () => {
    await using test = start()
    test.add('a', '1')
    await test.clock.advance(0)
    test.api.closeWatches()
    test.set('a', '2')
    await test.clock.advance(1_000)
    test.api.closeWatches(serviceUnavailable('gone'))
    test.set('a', '3')
    await test.clock.advance(1_000)
    expect(test.changes).toEqual(['->1', '1>2', '2>3'])
  })

  it('lists again when its revision is gone, and tells the difference', async () => {
    await using test = start()
    test.add('a', '1')
    test.add('b', '1')
    await test.clock.advance(0)
    test.api.closeWatches()
    test.api.remove(ConfigMap, 'a')
    test.set('b', '2')
    test.add('c', '3')
    test.api.compact()
    await test.clock.advance(10_000)
    expect(test.changes.slice(2).sort()).toEqual(['->3', '1>-', '1>2'])
    expect(names(test.cache.list())).toEqual(['b', 'c'])
  })

  it('tells of an object that was replaced by another of the same name', async () => {
    await using test = start()
    const first = test.add('a', '1')
    await test.clock.advance(0)
    test.api.closeWatches()
    test.api.remove(ConfigMap, 'a')
    const second = test.add('a', '1')
    test.api.compact()
    await test.clock.advance(10_000)
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    expect(test.cache.get('default', 'a')!.metadata.uid).toBe(second.metadata.uid)
  })

  it('says when a revision is reached', async () => {
    await using test = start()
    const first = test.add('a', '1')
    await test.clock.advance(0)
    await test.cache.reached(Number(first.metadata.resourceVersion))
    let isReached = false
    const second = test.set('a', '2')
    void test.cache.reached(Number(second.metadata.resourceVersion)).then(() => {
      isReached = true
    })
    test.api.held = true
    await test.clock.advance(0)
    expect(isReached).toBe(false)
    test.api.held = false
    await test.clock.advance(0)
    expect(isReached).toBe(true)
  })

  it('gives up waiting when told to', async () => {
    await using test = start()
    const stop = new AbortController()
    const waiting = test.cache.reached(1_000, stop.signal)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  it('watches one key without hearing of others', async () => {
    await using test = start()
    test.add('a', '1')
    test.add('b', '1')
    await test.clock.advance(0)
    const seen: (string | undefined)[] = []
    const watch = test.cache.watchKey('default', 'a', object => seen.push(object?.data?.['v']))
    test.set('b', '2')
    test.set('a', '2')
    test.api.remove(ConfigMap, 'a')
    await test.clock.advance(0)
    watch[Symbol.dispose]()
    test.add('a', '3')
    await test.clock.advance(0)
    expect(seen).toEqual(['2', undefined])
  })

  it('of a part of the objects holds only those', async () => {
    await using test = start()
    const part = test.all.only(ConfigMap, { namespace: 'default', labelSelector: 'app=web' })
    test.add('a', '1', { app: 'web' })
    test.add('b', '1')
    await test.clock.advance(0)
    expect(names(part.list())).toEqual(['a'])
  })

  it('is shared by all that ask, and ends when it is forgotten', async () => {
    await using test = start()
    await test.clock.advance(0)
    expect(test.all.of(ConfigMap)).toBe(test.cache)
    test.all.forget(ConfigMap)
    await test.clock.advance(0)
    expect(test.api.watchCount).toBe(0)
    expect(test.all.of(ConfigMap)).not.toBe(test.cache)
  })
})
