import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers } from '#client/informers/informers.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'
import type { ResourceQuotaConfiguration } from './resource-quota/configuration.ts'
import { resourceQuota } from './resource-quota.ts'

let server: ApiServer
let store: MemoryStore
let client: Client
let caches: Informers
const configured: Mutable<ResourceQuotaConfiguration> = {}

beforeEach(async () => {
  const clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  store = new MemoryStore({ clock })
  const admission = [resourceQuota({ informers: () => caches, client: () => client, clock, configured })]
  delete configured.limitedResources
  server = createApiServer({
    store,
    kinds: builtInKinds,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authorizer: alwaysAllow,
    admission,
  })
  client = directClient(server.handler, { user: { name: 'admin', groups: ['system:masters'] } })
  await server.ready()
  caches = informers({ client, clock, log: silentLogger })
  await caches.of(ResourceQuota).synced()
})

afterEach(async () => {
  await caches[Symbol.asyncDispose]()
  await server.stop()
  await store.close()
})

const metadata = (name: string) => ({ namespace: 'default', name })
const pod = (name: string, resources: object = {}) => ({
  metadata: metadata(name),
  spec: { containers: [{ name: 'c', image: 'i', resources }] },
})

/** A quota whose use is known, as the controller leaves it. */
async function quota(hard: Record<string, string>, spec: object = {}) {
  const made = draft(await client.create(ResourceQuota, { metadata: metadata('q'), spec: { hard, ...spec } }))
  made.status = { hard, used: Object.fromEntries(Object.keys(hard).map(name => [name, '0'])) }
  const {
    metadata: { resourceVersion = '0' },
  } = await client.updateStatus(ResourceQuota, made)
  await caches.of(ResourceQuota).reached(Number(resourceVersion))
}
const used = async () => (await client.get(ResourceQuota, metadata('q'))).status.used

describe('a quota', () => {
  it('is charged for what is created, and refuses what does not fit', async () => {
    await quota({ 'count/configmaps': '1' })
    await client.create(ConfigMap, { metadata: metadata('a') })
    await expect(client.create(ConfigMap, { metadata: metadata('b') })).rejects.toThrow(
      'configmaps "b" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
    )
    expect(await used()).toEqual({ 'count/configmaps': '1' })
  })

  it('is never given out twice, however many ask at once', async () => {
    await quota({ 'count/configmaps': '7' })
    const names = Array.from({ length: 40 }, (_, index) => `c${index}`)
    const results = await Promise.allSettled(names.map(name => client.create(ConfigMap, { metadata: metadata(name) })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
    expect(await used()).toEqual({ 'count/configmaps': '7' })
  })

  it('is not charged by a dry run', async () => {
    await quota({ 'count/configmaps': '1' })
    await client.create(ConfigMap, { metadata: metadata('a') }, { dryRun: true })
    expect(await used()).toEqual({ 'count/configmaps': '0' })
  })

  it('wants every container to say how much it takes of what is limited', async () => {
    await quota({ 'requests.cpu': '1', 'limits.memory': '1Gi' })
    await expect(client.create(Pod, pod('a'))).rejects.toThrow('failed quota: q: must specify limits.memory for: c; requests.cpu for: c')
    await client.create(Pod, pod('b', { requests: { cpu: '600m' }, limits: { memory: '512Mi' } }))
    await expect(client.create(Pod, pod('c', { requests: { cpu: '600m' }, limits: { memory: '1Mi' } }))).rejects.toThrow(
      'exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    )
  })

  it('leaves alone what is outside of its scopes', async () => {
    await quota({ pods: '0' }, { scopes: ['BestEffort'] })
    await client.create(Pod, pod('a', { requests: { cpu: '1m' } }))
    await expect(client.create(Pod, pod('b'))).rejects.toThrow('exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0')
  })

  it('must be there for what is limited by default: names, and scopes', async () => {
    configured.limitedResources = [
      { resource: 'pods', matchContains: ['requests.cpu'] },
      { resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['urgent', 'high'] }] },
    ]
    const asking = (name: string, spec: object = {}) => ({ metadata: metadata(name), spec: { ...pod(name).spec, ...spec } })
    await client.create(Pod, pod('a'))
    await expect(client.create(Pod, pod('b', { requests: { cpu: '1m' } }))).rejects.toThrow(
      'pods "b" is forbidden: insufficient quota to consume: requests.cpu',
    )
    await expect(client.create(Pod, asking('c', { priorityClassName: 'urgent' }))).rejects.toThrow(
      'pods "c" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [urgent high]}]',
    )
    await client.create(Pod, asking('d', { priorityClassName: 'low' }))
    await quota({ pods: '5', 'requests.cpu': '1' })
    await client.create(Pod, pod('e', { requests: { cpu: '1m' } }))
    const expression = { scopeName: 'PriorityClass', operator: 'In', values: ['urgent'] }
    await client.delete(ResourceQuota, metadata('q'))
    await quota({ pods: '5' }, { scopeSelector: { matchExpressions: [expression] } })
    await client.create(Pod, asking('f', { priorityClassName: 'urgent' }))
    await expect(client.create(Pod, asking('g', { priorityClassName: 'high' }))).rejects.toThrow('insufficient quota to match these scopes')
  })

  it('refuses until its use is known', async () => {
    const {
      metadata: { resourceVersion = '0' },
    } = await client.create(ResourceQuota, { metadata: metadata('q'), spec: { hard: { pods: '1' } } })
    const made = draft(await client.get(ResourceQuota, metadata('q')))
    made.status = { hard: { pods: '1' } }
    const written = await client.updateStatus(ResourceQuota, made)
    await caches.of(ResourceQuota).reached(Number(written.metadata.resourceVersion ?? resourceVersion))
    await expect(client.create(Pod, pod('a'))).rejects.toThrow('status unknown for quota: q, resources: pods')
  })
})
