import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { isAlreadyExists, isConflict, isGone, isNotFound } from '#machinery/status/status-error.ts'
import type { Client, WatchEvent, WatchSink } from './client.ts'
import type { FakeApi } from './fake/fake-api.ts'

/** A client, the server behind it, and how to end both. */
export interface ClientUnderTest extends AsyncDisposable {
  readonly client: Client
  readonly api: FakeApi
  /** Resolves once what was sent has arrived. */
  settle(): Promise<void>
}

/** What every transport of {@link Client} proves. */
export function clientSuite(name: string, start: () => Promise<ClientUnderTest>): void {
  const settings = (data: Record<string, string> = {}) => ({
    metadata: { name: 'settings', namespace: 'default', labels: { app: 'web' } },
    data,
  })

  describe(name, () => {
    it('creates, gets, replaces and deletes an object', async () => {
      await using test = await start()
      const { client } = test
      const created = await client.create(ConfigMap, settings({ a: '1' }))
      expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: '1' } })
      expect(created.metadata.uid).toBeTruthy()
      expect(await client.get(ConfigMap, created)).toEqual(created)
      const updated = await client.update(ConfigMap, { ...created, data: { a: '2' } })
      expect(updated.data).toEqual({ a: '2' })
      await client.delete(ConfigMap, updated)
      await expect(client.get(ConfigMap, updated)).rejects.toSatisfy(isNotFound)
    })

    it('shows objects in the form in which they are stored', async () => {
      await using test = await start()
      const pod = await test.client.create(Pod, {
        metadata: { name: 'web', namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      })
      expect(pod.spec.restartPolicy).toBe('Always')
      expect(pod.status).toEqual({ phase: 'Pending' })
      expect(await test.client.get(Pod, pod)).toEqual(test.api.find(Pod, 'web'))
    })

    it('tells failures apart', async () => {
      await using test = await start()
      const created = await test.client.create(ConfigMap, settings())
      await expect(test.client.create(ConfigMap, settings())).rejects.toSatisfy(isAlreadyExists)
      await test.client.update(ConfigMap, { ...created, data: { b: '1' } })
      await expect(test.client.update(ConfigMap, { ...created, data: { b: '2' } })).rejects.toSatisfy(isConflict)
      await expect(test.client.get(ConfigMap, { namespace: 'default', name: 'none' })).rejects.toMatchObject({
        message: 'configmaps "none" not found',
        code: 404,
        reason: 'NotFound',
      })
    })

    it('lists by namespace and selectors', async () => {
      await using test = await start()
      test.api.put(ConfigMap, settings())
      test.api.put(ConfigMap, { metadata: { name: 'other', namespace: 'default' } })
      test.api.put(ConfigMap, { metadata: { name: 'far', namespace: 'elsewhere', labels: { app: 'web' } } })
      const names = async (options: object) =>
        (await test.client.list(ConfigMap, options)).items.map(({ metadata }) => metadata.name).sort()
      expect(await names({})).toEqual(['far', 'other', 'settings'])
      expect(await names({ namespace: 'default' })).toEqual(['other', 'settings'])
      expect(await names({ labelSelector: 'app=web' })).toEqual(['far', 'settings'])
      expect(await names({ fieldSelector: 'metadata.name=far' })).toEqual(['far'])
      expect(Number((await test.client.list(ConfigMap)).metadata.resourceVersion)).toBeGreaterThan(0)
    })

    it('patches', async () => {
      await using test = await start()
      const created = await test.client.create(ConfigMap, settings({ a: '1', b: '2' }))
      const merged = await test.client.patch(ConfigMap, created, { type: 'merge', body: { data: { a: null, c: '3' } } })
      expect(merged.data).toEqual({ b: '2', c: '3' })
      const patched = await test.client.patch(ConfigMap, created, { type: 'json', body: [{ op: 'replace', path: '/data/b', value: '4' }] })
      expect(patched.data).toEqual({ b: '4', c: '3' })
    })

    it('writes the status alone', async () => {
      await using test = await start()
      const pod = await test.client.create(Pod, { metadata: { name: 'web', namespace: 'default' }, spec: { containers: [] } })
      const changed = await test.client.updateStatus(Pod, {
        ...pod,
        spec: { ...pod.spec, nodeName: 'ignored' },
        status: { phase: 'Running' },
      })
      expect(changed.status.phase).toBe('Running')
      expect(changed.spec.nodeName).toBeUndefined()
    })

    it('deletes only the object that is meant, and shows one that stays for now', async () => {
      await using test = await start()
      const held = test.api.put(ConfigMap, { ...settings(), metadata: { ...settings().metadata, finalizers: ['example.com/hold'] } })
      await expect(test.client.delete(ConfigMap, held, { preconditions: { uid: 'other' } })).rejects.toSatisfy(isConflict)
      const going = await test.client.delete(ConfigMap, held, { preconditions: { uid: held.metadata.uid } })
      expect(going?.metadata.deletionTimestamp).toBeDefined()
    })

    it('deletes a collection', async () => {
      await using test = await start()
      test.api.put(ConfigMap, settings())
      test.api.put(ConfigMap, { metadata: { name: 'far', namespace: 'elsewhere' } })
      await test.client.deleteCollection(ConfigMap, { namespace: 'default' })
      expect(test.api.all(ConfigMap).map(({ metadata }) => metadata.name)).toEqual(['far'])
    })

    it('reaches subresources', async () => {
      await using test = await start()
      const namespace = await test.client.create(Namespace, { metadata: { name: 'shop' } })
      const body = { ...namespace, spec: { finalizers: ['example.com/mine'] } }
      const answer = await test.client.subresource(Namespace, namespace, { subresource: 'finalize', verb: 'update', body })
      expect(answer).toMatchObject({ kind: 'Namespace', spec: { finalizers: ['example.com/mine'] } })
    })

    it('watches in order, from a revision on', async () => {
      await using test = await start()
      const first = await test.client.create(ConfigMap, settings({ step: '1' }))
      const sink = new Collector()
      using _watch = test.client.watch(ConfigMap, { namespace: 'default', resourceVersion: first.metadata.resourceVersion }, sink)
      await test.settle()
      const second = await test.client.update(ConfigMap, { ...first, data: { step: '2' } })
      await test.client.delete(ConfigMap, second)
      test.api.put(ConfigMap, { metadata: { name: 'far', namespace: 'elsewhere' } })
      await test.settle()
      expect(sink.events.map(({ type, object }) => `${type} ${object.data?.['step']}`)).toEqual(['MODIFIED 2', 'DELETED 2'])
      expect(sink.events[0]!.object).toEqual(second)
    })

    it('delivers nothing after a watch was disposed', async () => {
      await using test = await start()
      const sink = new Collector()
      const watch = test.client.watch(ConfigMap, { resourceVersion: '0' }, sink)
      await test.settle()
      watch[Symbol.dispose]()
      await test.client.create(ConfigMap, settings())
      await test.settle()
      expect(sink.events).toEqual([])
      expect(sink.closings).toEqual([])
      expect(test.api.watchCount).toBe(0)
    })

    it('says that a revision is gone, and when the server ends a watch', async () => {
      await using test = await start()
      const first = await test.client.create(ConfigMap, settings())
      await test.client.update(ConfigMap, { ...first, data: { a: '1' } })
      test.api.compact()
      const late = new Collector()
      using _late = test.client.watch(ConfigMap, { resourceVersion: first.metadata.resourceVersion }, late)
      await test.settle()
      expect(late.closings).toHaveLength(1)
      expect(isGone(late.closings[0])).toBe(true)
      const cut = new Collector()
      using _cut = test.client.watch(ConfigMap, {}, cut)
      await test.settle()
      test.api.closeWatches()
      await test.settle()
      expect(cut.closings).toEqual([undefined])
    })
  })
}

class Collector implements WatchSink<ConfigMap> {
  readonly events: WatchEvent<ConfigMap>[] = []
  readonly closings: (Error | undefined)[] = []

  event(event: WatchEvent<ConfigMap>): void {
    this.events.push(event)
  }

  closed(error: Error | undefined): void {
    this.closings.push(error)
  }
}
