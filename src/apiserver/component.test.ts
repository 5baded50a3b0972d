import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client, WatchEvent } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { reasonOf, type StatusError } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from './api-server.ts'
import { alwaysAllow } from './authorization/always.ts'

let server: ApiServer
let client: Client
let clock: VirtualClock
let store: MemoryStore
let warnings: string[]

beforeEach(async () => {
  clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  store = new MemoryStore({ clock })
  server = createApiServer({ store, kinds: builtInKinds, clock, random: seededRandom(1), log: silentLogger, authorizer: alwaysAllow })
  warnings = []
  client = directClient(server.handler, {
    user: { name: 'admin', groups: ['system:masters'] },
    userAgent: 'test/1',
    warn: text => warnings.push(text),
  })
  await server.ready()
})

afterEach(async () => {
  await server.stop()
  await store.close()
})

const inDefault = (name: string) => ({ namespace: 'default', name })
const configMap = (name: string, data: Record<string, string> = {}) => ({ metadata: inDefault(name), data })

describe('writes', () => {
  it('[R1] creates an object with identity, time and revision', async () => {
    const made = await client.create(ConfigMap, configMap('a', { x: '1' }))
    expect(made.metadata).toMatchObject({ name: 'a', namespace: 'default', creationTimestamp: '2026-11-20T12:00:00Z' })
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(1)
    expect(await client.get(ConfigMap, inDefault('a'))).toBe(made)
  })

  it('[R2] refuses a name that is taken', async () => {
    await client.create(ConfigMap, configMap('a'))
    await expect(client.create(ConfigMap, configMap('a'))).rejects.toThrow('configmaps "a" already exists')
  })

  it('[R2] makes a name from generateName', async () => {
    const made = await client.create(ConfigMap, { metadata: { namespace: 'default', generateName: 'gen-' } })
    expect(made.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/)
  })

  it('[R9] tells every broken field', async () => {
    const error = await client.create(ConfigMap, configMap('Bad_Name')).catch((reason: StatusError) => reason)
    expect(reasonOf(error)).toBe('Invalid')
    expect((error as StatusError).details?.causes?.[0]?.field).toBe('metadata.name')
  })

  it('[R4] updates what was read, and conflicts when it has changed since', async () => {
    const made = await client.create(ConfigMap, configMap('a', { x: '1' }))
    const next = draft(made)
    next.data = { x: '2' }
    const updated = await client.update(ConfigMap, next)
    expect(updated.data).toEqual({ x: '2' })
    expect(updated.metadata.uid).toBe(made.metadata.uid)
    await expect(client.update(ConfigMap, next)).rejects.toThrow('the object has been modified')
  })

  it('[R5] writes nothing when nothing changes', async () => {
    const made = await client.create(ConfigMap, configMap('a', { x: '1' }))
    expect(await client.update(ConfigMap, configMap('a', { x: '1' }))).toBe(made)
  })

  it('patches by merge, strategic merge and JSON patch', async () => {
    await client.create(ConfigMap, configMap('a', { x: '1' }))
    await client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { data: { y: '2' } } })
    await client.patch(ConfigMap, inDefault('a'), { type: 'strategic', body: { metadata: { labels: { l: 'v' } } } })
    const last = await client.patch(ConfigMap, inDefault('a'), { type: 'json', body: [{ op: 'remove', path: '/data/x' }] })
    expect(last.data).toEqual({ y: '2' })
    expect(last.metadata.labels).toEqual({ l: 'v' })
  })

  it('[R6] applies all patches that come at once', async () => {
    await client.create(ConfigMap, configMap('a'))
    const names = Array.from({ length: 20 }, (_, index) => `k${index}`)
    await Promise.all(names.map(name => client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { data: { [name]: '1' } } })))
    expect(Object.keys((await client.get(ConfigMap, inDefault('a'))).data ?? {})).toHaveLength(20)
  })

  it('[R10] warns of fields that nobody knows, or refuses them if asked to', async () => {
    const sent = { ...configMap('a'), nonsense: 1 }
    await client.create(ConfigMap, sent, { dryRun: true })
    expect(warnings).toEqual(['unknown field "nonsense"'])
    await expect(client.create(ConfigMap, sent, { fieldValidation: 'Strict' })).rejects.toThrow(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nonsense"',
    )
  })

  it('[R12] writes nothing in a dry run', async () => {
    const made = await client.create(ConfigMap, configMap('a'), { dryRun: true })
    expect(made.metadata.uid).toBeDefined()
    expect(made.metadata.resourceVersion).toBeUndefined()
    await expect(client.get(ConfigMap, inDefault('a'))).rejects.toThrow('configmaps "a" not found')
  })
})

describe('deletes', () => {
  it('[R13] takes an object away', async () => {
    await client.create(ConfigMap, configMap('a'))
    await client.delete(ConfigMap, inDefault('a'))
    await expect(client.get(ConfigMap, inDefault('a'))).rejects.toThrow('not found')
  })

  it('[R14] waits for finalizers, and takes the object away when the last is gone', async () => {
    const made = await client.create(ConfigMap, { ...configMap('a'), metadata: { ...inDefault('a'), finalizers: ['example.com/wait'] } })
    await client.delete(ConfigMap, inDefault('a'))
    const going = await client.get(ConfigMap, inDefault('a'))
    expect(going.metadata).toMatchObject({
      deletionTimestamp: '2026-11-20T12:00:00Z',
      deletionGracePeriodSeconds: 0,
      uid: made.metadata.uid!,
    })
    await client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: { metadata: { finalizers: null } } })
    await expect(client.get(ConfigMap, inDefault('a'))).rejects.toThrow('not found')
  })

  it('[R15] gives a pod on a node its grace period, which can only be shortened', async () => {
    const pod = { metadata: inDefault('p'), spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } }
    await client.create(Pod, pod)
    await client.delete(Pod, inDefault('p'))
    expect((await client.get(Pod, inDefault('p'))).metadata).toMatchObject({
      deletionGracePeriodSeconds: 30,
      deletionTimestamp: '2026-11-20T12:00:30Z',
    })
    await client.delete(Pod, inDefault('p'), { gracePeriodSeconds: 60 })
    expect((await client.get(Pod, inDefault('p'))).metadata.deletionGracePeriodSeconds).toBe(30)
    await client.delete(Pod, inDefault('p'), { gracePeriodSeconds: 10 })
    expect((await client.get(Pod, inDefault('p'))).metadata.deletionTimestamp).toBe('2026-11-20T12:00:10Z')
    await client.delete(Pod, inDefault('p'), { gracePeriodSeconds: 0 })
    await expect(client.get(Pod, inDefault('p'))).rejects.toThrow('not found')
  })

  it('[R15] shows everyone what goes at once being marked, and then gone', async () => {
    await client.create(Pod, { metadata: inDefault('p'), spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } })
    const seen: { type: string; revision: number; deleting: string | undefined }[] = []
    const gone = new Promise<void>(resolve => {
      client.watch(
        Pod,
        {},
        {
          event({ type, object: { metadata } }) {
            seen.push({ type, revision: Number(metadata.resourceVersion), deleting: metadata.deletionTimestamp })
            if (type === 'DELETED') resolve()
          },
          closed: () => undefined,
        },
      )
    })
    await client.get(Pod, inDefault('p'))
    const answer = await client.delete(Pod, inDefault('p'), { gracePeriodSeconds: 0 })
    await gone
    const [added, marked, deleted] = seen
    const deleting = '2026-11-20T12:00:00Z'
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
    expect([marked, deleted]).toMatchObject([
      { revision: added!.revision + 1, deleting },
      { revision: added!.revision + 2, deleting },
    ])
    expect(answer?.metadata.resourceVersion).toBe(String(deleted!.revision))
  })

  it('[R15] takes away with the next delete what a server has only come to mark before it ended', async () => {
    const pod = await client.create(Pod, { metadata: inDefault('p'), spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } })
    const marked = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-11-20T12:00:00Z', deletionGracePeriodSeconds: 0 } }
    const value = new TextEncoder().encode(JSON.stringify(marked))
    await store.txn({ success: [{ type: 'put', key: '/registry/pods/default/p', value }] })
    expect((await client.get(Pod, inDefault('p'))).metadata.deletionGracePeriodSeconds).toBe(0)
    await client.delete(Pod, inDefault('p'))
    await expect(client.get(Pod, inDefault('p'))).rejects.toThrow('not found')
  })

  it('[R15] is content if somebody else takes away what it has marked to go at once', async () => {
    await client.create(Pod, { metadata: inDefault('p'), spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } })
    const txn = store.txn.bind(store)
    store.txn = async one => {
      if (one.success[0]?.type === 'delete') await txn({ success: one.success })
      return txn(one)
    }
    const gone = await client.delete(Pod, inDefault('p'), { gracePeriodSeconds: 0 })
    expect(gone?.metadata.deletionGracePeriodSeconds).toBe(0)
    await expect(client.delete(Pod, inDefault('p'), { gracePeriodSeconds: 0 })).rejects.toThrow('not found')
  })

  it('takes a pod without a node away at once', async () => {
    await client.create(Pod, { metadata: inDefault('p'), spec: { containers: [{ name: 'c', image: 'i' }] } })
    await client.delete(Pod, inDefault('p'))
    await expect(client.get(Pod, inDefault('p'))).rejects.toThrow('not found')
  })

  it('[R16] deletes only the object that was meant', async () => {
    await client.create(ConfigMap, configMap('a'))
    const other = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } }
    await expect(client.delete(ConfigMap, inDefault('a'), other)).rejects.toThrow('does not match the UID in record')
  })
})

describe('lists', () => {
  beforeEach(async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await client.create(ConfigMap, {
        ...configMap(name),
        metadata: { ...inDefault(name), labels: { odd: String('ace'.includes(name)) } },
      })
    }
    await client.create(ConfigMap, { metadata: { namespace: 'other', name: 'z' } })
  })

  const names = (list: { items: readonly ApiObject[] }) => list.items.map(({ metadata }) => metadata.name)

  it('shows a namespace, all of them, or what is selected', async () => {
    expect(names(await client.list(ConfigMap, { namespace: 'default' }))).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(names(await client.list(ConfigMap))).toEqual(['a', 'b', 'c', 'd', 'e', 'z'])
    expect(names(await client.list(ConfigMap, { labelSelector: 'odd=true' }))).toEqual(['a', 'c', 'e'])
    expect(names(await client.list(ConfigMap, { fieldSelector: 'metadata.name=b' }))).toEqual(['b'])
  })

  it('[R20] goes on where it stopped, on the snapshot it began with', async () => {
    const first = await client.list(ConfigMap, { namespace: 'default', limit: 2 })
    expect(names(first)).toEqual(['a', 'b'])
    expect(first.metadata.remainingItemCount).toBe(3)
    await client.delete(ConfigMap, inDefault('d'))
    const second = await client.list(ConfigMap, { namespace: 'default', limit: 2, continue: first.metadata.continue })
    expect(names(second)).toEqual(['c', 'd'])
    const third = await client.list(ConfigMap, { namespace: 'default', limit: 2, continue: second.metadata.continue })
    expect(names(third)).toEqual(['e'])
    expect(third.metadata.continue).toBeUndefined()
  })

  it('[R21] shows the past exactly', async () => {
    const { metadata } = await client.list(ConfigMap)
    await client.delete(ConfigMap, inDefault('a'))
    const past = await client.list(ConfigMap, { resourceVersion: metadata.resourceVersion, resourceVersionMatch: 'Exact' })
    expect(names(past)).toContain('a')
  })
})

describe('kinds that come and go', () => {
  it('are served with what is stored of them', async () => {
    const { namespace, ...facts } = { namespace: 'default', ...ConfigMap, plural: 'widgets', kind: 'Widget', storagePrefix: 'widgets' }
    await store.txn({
      success: [
        {
          type: 'put',
          key: `/registry/widgets/${namespace}/w`,
          value: new TextEncoder().encode('{"metadata":{"name":"w","namespace":"default"}}'),
        },
      ],
    })
    await expect(client.list(facts)).rejects.toThrow()
    await server.addKind(facts)
    expect((await client.list(facts)).items.map(({ metadata }) => metadata.name)).toEqual(['w'])
    server.removeKind(facts)
    expect([...server.kinds.all()].some(({ plural }) => plural === 'widgets')).toBe(false)
  })
})

describe('watches', () => {
  const told = (events: WatchEvent<ApiObject>[]) => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim())
  const turn = () => new Promise(resolve => setImmediate(resolve))

  it('[W3] delivers every later event once, in order', async () => {
    const { metadata } = await client.create(ConfigMap, configMap('a'))
    const events: WatchEvent<ApiObject>[] = []
    using _ = client.watch(ConfigMap, { resourceVersion: metadata.resourceVersion }, { event: event => events.push(event), closed() {} })
    await client.create(ConfigMap, configMap('b'))
    await client.patch(ConfigMap, inDefault('b'), { type: 'merge', body: { data: { x: '1' } } })
    await client.delete(ConfigMap, inDefault('b'))
    await turn()
    expect(told(events)).toEqual(['ADDED b', 'MODIFIED b', 'DELETED b'])
    const revisions = events.map(({ object }) => Number(object.metadata.resourceVersion))
    expect(revisions).toEqual([...revisions].sort((x, y) => x - y))
  })

  it('begins with what is there, and says where that ends', async () => {
    await client.create(ConfigMap, configMap('a'))
    const events: WatchEvent<ApiObject>[] = []
    using _ = client.watch(
      ConfigMap,
      { sendInitialEvents: true, allowBookmarks: true },
      { event: event => events.push(event), closed() {} },
    )
    await turn()
    expect(told(events)).toEqual(['ADDED a', 'BOOKMARK'])
    expect(events[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })

  it('tells of objects that leave or enter the selection', async () => {
    const labelled = (color: string) => ({ metadata: { labels: { color } } })
    await client.create(ConfigMap, { metadata: { ...inDefault('a'), labels: { color: 'red' } } })
    const events: WatchEvent<ApiObject>[] = []
    using _ = client.watch(ConfigMap, { labelSelector: 'color=red' }, { event: event => events.push(event), closed() {} })
    await turn()
    await client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: labelled('blue') })
    await client.patch(ConfigMap, inDefault('a'), { type: 'merge', body: labelled('red') })
    await turn()
    expect(told(events)).toEqual(['ADDED a', 'DELETED a', 'ADDED a'])
    expect(events[1]?.object.metadata.labels).toEqual({ color: 'red' })
  })

  it('answers 410 where the past is forgotten', async () => {
    const ended: (Error | undefined)[] = []
    using _ = client.watch(ConfigMap, { resourceVersion: '0001' }, { event() {}, closed: error => ended.push(error) })
    await turn()
    expect(ended).toEqual([])
    for (let n = 0; n < 150; n++) {
      await client.create(ConfigMap, configMap(`m${n}`))
      await clock.advance(1000)
    }
    using __ = client.watch(ConfigMap, { resourceVersion: '2' }, { event() {}, closed: error => ended.push(error) })
    await turn()
    expect(reasonOf(ended[0])).toBe('Expired')
  })
})
