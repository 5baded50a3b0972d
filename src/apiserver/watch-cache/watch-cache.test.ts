import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { FieldSelector } from '#machinery/selectors/field-selector.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { reasonOf } from '#machinery/status/status-error.ts'
import type { CacheEvent } from './change.ts'
import { everything, type Selection } from './selection.ts'
import { selectFrom, WatchCache } from './watch-cache.ts'

/** A cache whose watchers are told when `flush` is called. */
function setUp(kind: AnyKind = ConfigMap, limits = { maxAgeMs: 1000, minChanges: 4, maxChanges: 8 }) {
  const flushes: (() => void)[] = []
  const cache = new WatchCache(kind, '/registry/x/', { now: () => 0, schedule: flush => flushes.push(flush), limits })
  cache.load([], 1)
  return {
    cache,
    flush() {
      for (const flush of flushes.splice(0)) flush()
    },
  }
}

function object(name: string, revision: number, labels?: Record<string, string>, namespace = 'ns'): ApiObject {
  const metadata = { name, namespace, resourceVersion: String(revision), ...(labels ? { labels } : {}) }
  return { kind: 'ConfigMap', apiVersion: 'v1', metadata }
}

class Recorder {
  readonly told: CacheEvent[] = []
  ended: (Error | undefined)[] = []
  events(events: readonly CacheEvent[]): void {
    this.told.push(...events)
  }
  closed(error: Error | undefined): void {
    this.ended.push(error)
  }
  get text(): string[] {
    return this.told.map(({ type, object: { metadata } }) => `${type} ${metadata.name ?? ''}@${metadata.resourceVersion}`)
  }
}

const textsOf = (objects: readonly ApiObject[]) => objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)

const from = (since: number | undefined, selection: Selection = everything) => ({
  selection,
  since,
  marksInitialEnd: false,
  wantsBookmarks: true,
})

describe('a watch cache', () => {
  it('W16 holds once what versions of an object and its siblings have in common, and they say what they said', () => {
    const { cache } = setUp(Pod)
    const podOf = (name: string, revision: number, image: string, uid: string): ApiObject => {
      const { metadata, ...rest } = object(name, revision, { app: 'web' })
      const spec = { containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }], tolerations: [{ key: 'a', operator: 'Exists' }] }
      return { ...rest, metadata: { ...metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid }] }, spec } as ApiObject
    }
    const specOf = (name: string) =>
      (cache.get(name) as ReturnType<typeof podOf> & { spec: { containers: unknown[]; tolerations: unknown[] } }).spec
    cache.apply('ns/a', podOf('a', 2, 'one:1', 'first'), 2)
    cache.apply('ns/b', podOf('b', 3, 'one:1', 'first'), 3)
    cache.apply('ns/c', podOf('c', 4, 'one:1', 'second'), 4)
    expect(specOf('ns/b')).toBe(specOf('ns/a'))
    expect(specOf('ns/c')).not.toBe(specOf('ns/a'))
    const before = specOf('ns/a')
    cache.apply('ns/a', podOf('a', 5, 'two:2', 'first'), 5)
    expect(specOf('ns/a').tolerations).toBe(before.tolerations)
    expect(specOf('ns/a').containers).not.toBe(before.containers)
    expect(cache.get('ns/a')).toEqual(podOf('a', 5, 'two:2', 'first'))
    expect(cache.get('ns/b')).toEqual(podOf('b', 3, 'one:1', 'first'))
  })

  it('selects by labels and fields what looking at every object would, whatever was asked and changed before', () => {
    const names = Array.from({ length: 200 }, (_, index) => `p-${index}`)
    const podOf = (name: string, revision: number, shard: string | undefined, nodeName: string, namespace: string) => ({
      ...object(name, revision, shard === undefined ? undefined : { shard, app: 'web' }, namespace),
      spec: { nodeName },
    })
    const change = fc.record({
      name: fc.constantFrom(...names.slice(0, 20)),
      shard: fc.option(fc.constantFrom('a', 'b', 'constructor'), { nil: undefined }),
      nodeName: fc.constantFrom('', 'n1', 'n2'),
      isDelete: fc.boolean(),
    })
    const ask = fc.record({
      namespace: fc.constantFrom('', 'x', 'y'),
      shard: fc.option(fc.constantFrom('a', 'b', 'constructor', 'z'), { nil: undefined }),
      node: fc.option(fc.constantFrom('', 'n1'), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(fc.oneof(change, ask), { maxLength: 60 }), steps => {
        const { cache } = setUp(Pod)
        let revision = 1
        const put = (name: string, shard: string | undefined, nodeName: string) => {
          const namespace = Number(name.slice(2)) % 3 === 0 ? 'x' : 'y'
          cache.apply(`${namespace}/${name}`, podOf(name, ++revision, shard, nodeName, namespace), revision)
        }
        for (const [index, name] of names.entries()) put(name, ['a', 'b', 'c', 'd'][index % 4], ['', 'n1', 'n2'][index % 3]!)
        for (const step of steps) {
          if ('name' in step) {
            if (step.isDelete) cache.apply(`${Number(step.name.slice(2)) % 3 === 0 ? 'x' : 'y'}/${step.name}`, undefined, ++revision)
            else put(step.name, step.shard, step.nodeName)
            continue
          }
          const selection = {
            namespace: step.namespace,
            labels: LabelSelector.ofLabels(step.shard === undefined ? {} : { shard: step.shard, app: 'web' }),
            fields: new FieldSelector(step.node === undefined ? [] : [{ field: 'spec.nodeName', operator: '=', value: step.node }]),
          }
          expect(textsOf(cache.select(selection))).toEqual(textsOf(selectFrom(Pod, cache.snapshot().objects, selection)))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('looks at few objects once a label is asked for again', () => {
    const { cache } = setUp()
    let looks = 0
    const counted = (labels: Record<string, string>) =>
      new Proxy(labels, {
        getOwnPropertyDescriptor(target, key) {
          looks++
          return Reflect.getOwnPropertyDescriptor(target, key)
        },
      })
    for (let n = 0; n < 1000; n++) cache.apply(`ns/a-${n}`, object(`a-${n}`, n + 2, counted({ shard: `s${n % 100}` })), n + 2)
    const selection = { ...everything, labels: LabelSelector.ofLabels({ shard: 's7' }) }
    const looksOfList = () => {
      looks = 0
      expect(cache.select(selection)).toHaveLength(10)
      return looks
    }
    const first = looksOfList()
    looksOfList()
    const third = looksOfList()
    expect([first >= 1000, third <= 20]).toEqual([true, true])
    cache.apply('ns/a-7', object('a-7', 2000), 2000)
    cache.apply('ns/a-107', undefined, 2001)
    expect(textsOf(cache.select(selection))).toHaveLength(8)
  })

  it('[W1] keeps a snapshot as it was', () => {
    const { cache } = setUp()
    cache.apply('ns/a', object('a', 2), 2)
    const { objects } = cache.snapshot()
    cache.apply('ns/b', object('b', 3), 3)
    cache.apply('ns/a', undefined, 4)
    expect(selectFrom(ConfigMap, objects, everything).map(({ metadata }) => metadata.name)).toEqual(['a'])
    expect(cache.snapshotAt(3)?.objects.size).toBe(2)
    expect(cache.snapshotAt(2)?.objects.size).toBe(1)
  })

  it('[W1] shows all objects as of any revision that it remembers, and of none before', () => {
    const limits = { maxAgeMs: 1000, minChanges: 4, maxChanges: 300 }
    const { cache } = setUp(ConfigMap, limits)
    const states = new Map<number, readonly string[]>()
    for (let revision = 2; revision <= 1000; revision++) {
      const name = `${(revision * 7919) % 50}`
      const isDelete = revision % 3 === 0 && cache.get(`ns/${name}`) !== undefined
      cache.apply(`ns/${name}`, isDelete ? undefined : object(name, revision), revision)
      states.set(revision, textsOf(cache.snapshot().objects.values()))
    }
    for (let revision = 705; revision <= 1000; revision++) {
      expect(textsOf(cache.snapshotAt(revision)!.objects.values()), String(revision)).toEqual(states.get(revision))
    }
    expect(cache.snapshotAt(600)).toBeUndefined()
  })

  it('[W3] delivers every later event once, in order, to watches that begin at any time', () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), isDelete: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, joinAt) => {
        const { cache, flush } = setUp(ConfigMap, { maxAgeMs: 1000, minChanges: 100, maxChanges: 100 })
        const early = new Recorder()
        const late = new Recorder()
        cache.watch(from(1), early)
        steps.forEach(({ name, isDelete }, index) => {
          const revision = index + 2
          cache.apply(`ns/${name}`, isDelete ? undefined : object(name, revision), revision)
          if (index === joinAt) cache.watch(from(1), late)
          if (index % 3 === 0) flush()
        })
        flush()
        const revisions = early.told.map(({ revision }) => revision)
        expect(revisions).toEqual([...new Set(revisions)].sort((x, y) => x - y))
        if (steps.length > joinAt) expect(late.text).toEqual(early.text)
      }),
      { numRuns: 60 },
    )
  })

  it('[W4] begins with what is there and goes on without gap or repetition', () => {
    const { cache, flush } = setUp()
    cache.apply('ns/a', object('a', 2), 2)
    const recorder = new Recorder()
    cache.watch({ ...from(undefined), marksInitialEnd: true }, recorder)
    cache.apply('ns/b', object('b', 3), 3)
    flush()
    expect(recorder.text).toEqual(['ADDED a@2', 'BOOKMARK @2', 'ADDED b@3'])
  })

  it('[W5] tells what enters and leaves a selection', () => {
    const { cache, flush } = setUp()
    const recorder = new Recorder()
    const red = { ...everything, labels: LabelSelector.ofLabels({ color: 'red' }) }
    cache.watch(from(1, red), recorder)
    cache.apply('ns/a', object('a', 2, { color: 'blue' }), 2)
    cache.apply('ns/a', object('a', 3, { color: 'red' }), 3)
    cache.apply('ns/a', object('a', 4, { color: 'red' }), 4)
    cache.apply('ns/a', object('a', 5, { color: 'blue' }), 5)
    cache.apply('ns/a', undefined, 6)
    flush()
    expect(recorder.text).toEqual(['ADDED a@3', 'MODIFIED a@4', 'DELETED a@5'])
    expect(recorder.told[2]?.object.metadata.labels).toEqual({ color: 'red' })
  })

  it('[W6] ends an object with its last state at the revision of the delete', () => {
    const { cache, flush } = setUp()
    const recorder = new Recorder()
    cache.watch(from(1), recorder)
    cache.apply('ns/a', object('a', 2, { x: 'y' }), 2)
    cache.apply('ns/a', undefined, 3)
    flush()
    expect(recorder.text).toEqual(['ADDED a@2', 'DELETED a@3'])
    expect(recorder.told[1]?.object.metadata.labels).toEqual({ x: 'y' })
  })

  it('forgets what is too old although nothing happens any more', () => {
    let now = 0
    const limits = { maxAgeMs: 1000, minChanges: 4, maxChanges: 100 }
    const cache = new WatchCache(ConfigMap, '/registry/x/', { now: () => now, schedule: () => {}, limits })
    cache.load([], 1)
    for (let revision = 2; revision < 40; revision++) cache.apply('ns/a', object('a', revision), revision)
    cache.forgetOld()
    expect(cache.snapshotAt(10)?.objects.get('ns/a')?.metadata.resourceVersion).toBe('10')
    now = 1001
    cache.forgetOld()
    expect([cache.snapshotAt(10), cache.snapshotAt(38)?.revision]).toEqual([undefined, 38])
  })

  it('[W7] refuses what it has forgotten with 410', () => {
    const { cache, flush } = setUp()
    for (let revision = 2; revision < 20; revision++) cache.apply('ns/a', object('a', revision), revision)
    const recorder = new Recorder()
    cache.watch(from(5), recorder)
    flush()
    expect(recorder.told).toEqual([])
    expect(reasonOf(recorder.ended[0])).toBe('Expired')
    expect(recorder.ended[0]?.message).toMatch(/^too old resource version: 5 \(\d+\)$/)
  })

  it('[W7] ends every watch when its past is lost', () => {
    const { cache, flush } = setUp()
    const recorder = new Recorder()
    cache.watch(from(1), recorder)
    cache.load([['ns/a', object('a', 50)]], 50)
    flush()
    expect(reasonOf(recorder.ended[0])).toBe('Expired')
  })

  it('[W8] says how far it is, for watches that want to know', () => {
    const { cache, flush } = setUp()
    const recorder = new Recorder()
    cache.watch(from(1), recorder)
    cache.apply('ns/a', object('a', 2), 2)
    cache.advance(7)
    cache.sendBookmarks()
    flush()
    expect(recorder.text).toEqual(['ADDED a@2', 'BOOKMARK @7'])
  })

  it('[W9] delivers nothing to a watch that was disposed', () => {
    const { cache, flush } = setUp()
    const recorder = new Recorder()
    const watch = cache.watch(from(1), recorder)
    cache.apply('ns/a', object('a', 2), 2)
    watch[Symbol.dispose]()
    flush()
    expect(recorder.told).toEqual([])
    expect(cache.watcherCount).toBe(0)
  })

  it('[W10] keeps namespaces and single objects apart', () => {
    const { cache, flush } = setUp()
    const one = new Recorder()
    const other = new Recorder()
    const named = new Recorder()
    cache.watch(from(1, { ...everything, namespace: 'one' }), one)
    cache.watch(from(1, { ...everything, namespace: 'two' }), other)
    cache.watch(from(1, { ...everything, namespace: 'one', fields: FieldSelector.ofField('metadata.name', 'b') }), named)
    cache.apply('one/a', object('a', 2, undefined, 'one'), 2)
    cache.apply('one/b', object('b', 3, undefined, 'one'), 3)
    cache.apply('two/b', object('b', 4, undefined, 'two'), 4)
    flush()
    expect(one.text).toEqual(['ADDED a@2', 'ADDED b@3'])
    expect(other.text).toEqual(['ADDED b@4'])
    expect(named.text).toEqual(['ADDED b@3'])
  })

  it('[W10] finds the pods of a node without looking at the others', () => {
    const { cache, flush } = setUp(Pod)
    const recorder = new Recorder()
    const onNode = { ...everything, fields: FieldSelector.ofField('spec.nodeName', 'n1') }
    cache.watch(from(1, onNode), recorder)
    const pod = (name: string, revision: number, nodeName?: string) =>
      ({ ...object(name, revision), kind: 'Pod', spec: { containers: [], ...(nodeName ? { nodeName } : {}) }, status: {} }) as ApiObject
    cache.apply('ns/a', pod('a', 2), 2)
    cache.apply('ns/a', pod('a', 3, 'n1'), 3)
    cache.apply('ns/b', pod('b', 4, 'n2'), 4)
    flush()
    expect(recorder.text).toEqual(['ADDED a@3'])
    expect(cache.select(onNode).map(({ metadata }) => metadata.name)).toEqual(['a'])
    cache.apply('ns/a', undefined, 5)
    expect(cache.select(onNode)).toEqual([])
  })
})
