import { describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { isReady } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { MemoryStore, type MemoryStoreOptions } from '#store/memory/memory-store.ts'
import type { Watch, WatchOptions, WatchSink } from '#store/store.ts'
import { startCluster, virtualClock } from './testing.ts'

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
const web = { metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template } }

/** Does not tell who watches of one key. */
class ForgetfulStore extends MemoryStore {
  readonly #key: string

  constructor(options: MemoryStoreOptions, key: string) {
    super(options)
    this.#key = key
  }

  override watch(options: WatchOptions, sink: WatchSink): Watch {
    return super.watch(options, {
      ...sink,
      events: (events, revision) =>
        sink.events(
          events.filter(({ kv }) => kv.key !== this.#key),
          revision,
        ),
    })
  }
}

describe('startCluster', () => {
  it('gives a cluster whose nodes are ready and whose own objects are there', async () => {
    await using cluster = await startCluster({ nodes: 3 })
    const nodes = await cluster.client.list(Node)
    expect(nodes.items.map(node => node.metadata.name)).toEqual(['node-1', 'node-2', 'node-3'])
    expect(nodes.items.every(isReady)).toBe(true)
    expect((await cluster.client.get(Service, { namespace: 'default', name: 'kubernetes' })).spec.clusterIP).toBe('10.96.0.1')
  })

  it('rolls a Deployment out until it is available, behind a Service', async () => {
    await using cluster = await startCluster({ nodes: 2 })
    const { client } = cluster
    await client.create(Service, { metadata: web.metadata, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } })
    await client.create(Deployment, web)
    await cluster.until(async () => (await client.get(Deployment, web)).status.availableReplicas === 3)
    await cluster.until(async () => {
      const slices = await client.list(EndpointSlice, { namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })
      return slices.items.flatMap(slice => slice.endpoints ?? []).filter(endpoint => endpoint.conditions?.ready).length === 3
    })
    await client.delete(Deployment, web)
    await cluster.until(async () => (await client.list(Pod, { namespace: 'default' })).items.length === 0)
  })

  it('completes a Job', async () => {
    await using cluster = await startCluster()
    const job = {
      metadata: { name: 'once', namespace: 'default' },
      spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
    }
    await cluster.client.create(Job, job)
    await cluster.until(async () => {
      const [pod] = (await cluster.client.list(Pod, { namespace: 'default' })).items
      return pod?.status.phase === 'Running'
    })
    const [pod] = (await cluster.client.list(Pod, { namespace: 'default' })).items
    await cluster.client.updateStatus(Pod, { ...pod!, status: { ...pod!.status, phase: 'Succeeded' } })
    await cluster.until(async () => (await cluster.client.get(Job, job)).status.succeeded === 1)
  })

  it('lets nobody do what their roles do not say', async () => {
    await using cluster = await startCluster()
    const alice = cluster.clientFor({ name: 'alice', groups: [] })
    await expect(alice.list(Pod, { namespace: 'default' })).rejects.toMatchObject({ code: 403 })
  })

  it('answers questions that are never stored, as over the wire', async () => {
    await using cluster = await startCluster({ nodes: 0 })
    const spec = { user: 'jane', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } }
    const { status, metadata } = await cluster.client.create(SubjectAccessReview, { spec })
    expect(status.allowed).toBe(false)
    expect(metadata.name).toBeUndefined()
    const allowed = await cluster.client.create(SubjectAccessReview, { spec: { ...spec, groups: ['system:masters'] } })
    expect(allowed.status.allowed).toBe(true)
  })

  it('empties a namespace that is deleted', async () => {
    await using cluster = await startCluster()
    const { client } = cluster
    await client.create(Namespace, { metadata: { name: 'a' } })
    await client.create(Deployment, { ...web, metadata: { name: 'web', namespace: 'a' } })
    await cluster.until(async () => (await client.list(Pod, { namespace: 'a' })).items.length === 3)
    await client.delete(Namespace, { name: 'a' })
    await cluster.until(async () => (await client.list(Namespace)).items.every(({ metadata }) => metadata.name !== 'a'))
    expect((await client.list(Pod, { namespace: 'a' })).items).toEqual([])
  })

  it('starts on a store that is given, and leaves it open', async () => {
    const store = new MemoryStore({ clock: realClock() })
    await using first = await startCluster({ store, nodes: 0 })
    await first.client.create(Namespace, { metadata: { name: 'kept' } })
    await first.stop()
    await using second = await startCluster({ store, nodes: 0 })
    expect((await second.client.get(Namespace, { name: 'kept' })).metadata.name).toBe('kept')
    await second.stop()
    await store.close()
  })

  it('[W15] fails at its end if a cache does not show what is stored', async () => {
    const store = new ForgetfulStore({ clock: realClock() }, '/registry/namespaces/unseen')
    const cluster = await startCluster({ store, nodes: 0 })
    await cluster.client.create(Namespace, { metadata: { name: 'unseen' } })
    await expect(cluster.stop()).rejects.toThrow(/the cache of \/registry\/namespaces\/ differs from the store .*: it lacks unseen/)
    await store.close()
  })

  it('runs on virtual time and leaves no timer behind', async () => {
    const clock = virtualClock()
    const starting = startCluster({ clock, seed: 1 })
    let cluster: Awaited<typeof starting> | undefined
    void starting.then(started => {
      cluster = started
    })
    while (!cluster) await clock.advance(100)
    await cluster.client.create(Deployment, web)
    await clock.advance(10_000)
    expect((await cluster.client.get(Deployment, web)).status.readyReplicas).toBe(3)
    await cluster.stop()
    expect(clock.pending()).toBe(0)
  })
})
