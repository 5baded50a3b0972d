import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { StatusError } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { takeSnapshot } from '#store/snapshot/snapshot.ts'
import type { RangeOptions } from '#store/store.ts'
import { type ApiServer, type ApiServerOptions, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'
import { ConfiguredEncryption } from './encryption.ts'

const SECRET_A = Buffer.alloc(32, 'a').toString('base64')
const SECRET_B = Buffer.alloc(32, 'b').toString('base64')
const yaml = (resources: string, providers: string) =>
  `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [${resources}]\n  providers: [${providers}]\n`
const box = (name: string, secret: string) => `{secretbox: {keys: [{name: ${name}, secret: ${secret}}]}}`
const WITH_A = yaml('secrets', `${box('a', SECRET_A)}, {identity: {}}`)
const WITH_B_THEN_A = yaml('secrets', `${box('b', SECRET_B)}, ${box('a', SECRET_A)}`)
const WITH_B = yaml('secrets', box('b', SECRET_B))
const name = (text: string) => ({ namespace: 'default', name: text })

let clock: VirtualClock
let store: MemoryStore
let server: ApiServer
let client: Client
let encryption: ConfiguredEncryption | undefined

/** A server over the store as it is, which has to read everything anew: in one process, values are known by their very bytes. */
async function start(configuration: string | undefined, options: Partial<ApiServerOptions> = {}): Promise<void> {
  await server?.stop()
  const { revision, kvs } = await takeSnapshot(store)
  await store.close()
  store = MemoryStore.of({ revision, kvs: kvs.map(kv => ({ ...kv, value: Uint8Array.from(kv.value) })) }, 60, { clock })
  encryption = undefined
  if (configuration !== undefined) {
    const kms = () => {
      throw new Error('none here')
    }
    encryption = new ConfiguredEncryption({ configuration, reloads: true, kms })
  }
  const parts = { store, kinds: builtInKinds, clock, random: seededRandom(1), log: silentLogger, authorizer: alwaysAllow }
  server = createApiServer({ ...parts, ...(encryption ? { encryption } : {}), ...options })
  client = directClient(server.handler, { user: { name: 'admin', groups: [] }, userAgent: 'test/1' })
  await server.ready()
}

const stored = (key: string) => Buffer.from(store.rangeNow({ key: `/registry/${key}` }).kvs[0]!.value).toString('latin1')

beforeEach(() => {
  clock = virtualClock()
  store = new MemoryStore({ clock })
})
afterEach(async () => {
  await server.stop()
  await store.close()
})

describe('encryption at rest', () => {
  it('keeps the resources it is for encrypted, and no others, and serves them as ever', async () => {
    await start(WITH_A)
    const made = await client.create(Secret, { metadata: name('s'), data: { password: 'aHVudGVyMg==' } })
    await client.create(ConfigMap, { metadata: name('c'), data: { x: 'plain' } })
    expect(stored('secrets/default/s')).toMatch(/^k8s:enc:secretbox:v1:a:/)
    expect(stored('secrets/default/s')).not.toContain('aHVudGVyMg')
    expect(stored('configmaps/default/c')).toContain('plain')
    expect(await client.get(Secret, name('s'))).toBe(made)
    await start(WITH_A)
    expect(await client.get(Secret, name('s'))).toEqual(made)
    expect((await client.list(Secret, { namespace: 'default' })).items).toEqual([made])
  })

  it('delivers events of encrypted objects', async () => {
    await start(WITH_A)
    const seen: string[] = []
    const watch = client.watch(
      Secret,
      { namespace: 'default' },
      { event: ({ type, object }) => seen.push(`${type} ${object.data?.['x']}`), closed: () => undefined },
    )
    await clock.advance(1)
    await client.create(Secret, { metadata: name('s'), data: { x: 'MQ==' } })
    await clock.advance(1)
    expect(seen).toEqual(['ADDED MQ=='])
    watch[Symbol.dispose]()
  })

  it('reads what was stored before there was any, and encrypts it with its next update, even one that changes nothing', async () => {
    await start(undefined)
    const made = await client.create(Secret, { metadata: name('s'), data: { x: 'MQ==' } })
    await start(WITH_A)
    const read = await client.get(Secret, name('s'))
    expect(read).toEqual(made)
    const updated = await client.update(Secret, draft(read))
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
    expect(stored('secrets/default/s')).toMatch(/^k8s:enc:secretbox:v1:a:/)
    const again = await client.update(Secret, draft(updated))
    expect(again.metadata.resourceVersion).toBe(updated.metadata.resourceVersion)
  })

  it('is rotated while the server runs: new values with the new key, old ones with their next update', async () => {
    await start(WITH_A)
    const one = await client.create(Secret, { metadata: name('one') })
    await encryption!.reload(WITH_B_THEN_A)
    await client.create(Secret, { metadata: name('two') })
    expect(stored('secrets/default/one')).toMatch(/^k8s:enc:secretbox:v1:a:/)
    expect(stored('secrets/default/two')).toMatch(/^k8s:enc:secretbox:v1:b:/)
    await client.update(Secret, draft(one))
    expect(stored('secrets/default/one')).toMatch(/^k8s:enc:secretbox:v1:b:/)
    await start(WITH_B)
    expect((await client.list(Secret, { namespace: 'default' })).items).toHaveLength(2)
  })

  it('stays as it was when the next configuration is wrong', async () => {
    await start(WITH_A)
    await expect(encryption!.reload('kind: Nonsense')).rejects.toThrow('got unexpected config type')
    await client.create(Secret, { metadata: name('s') })
    expect(stored('secrets/default/s')).toMatch(/^k8s:enc:secretbox:v1:a:/)
  })

  it('of everything does so for every resource', async () => {
    await start(yaml("'*.*'", box('a', SECRET_A)))
    await client.create(ConfigMap, { metadata: name('c') })
    expect(stored('configmaps/default/c')).toMatch(/^k8s:enc:secretbox:v1:a:/)
  })

  it('reads of the past are decrypted', async () => {
    await start(WITH_A)
    const made = await client.create(Secret, { metadata: name('s'), data: { x: 'MQ==' } })
    await client.delete(Secret, name('s'))
    const { resourceVersion } = made.metadata
    const past = store
    await server.stop()
    const copied = async (options: RangeOptions) => {
      const result = await past.range(options)
      return { ...result, kvs: result.kvs.map(kv => ({ ...kv, value: Uint8Array.from(kv.value) })) }
    }
    store = Object.assign(past.fork(), { range: copied })
    server = createApiServer({
      store,
      kinds: builtInKinds,
      clock,
      random: seededRandom(1),
      log: silentLogger,
      authorizer: alwaysAllow,
      encryption: encryption!,
    })
    client = directClient(server.handler, { user: { name: 'admin', groups: [] }, userAgent: 'test/1' })
    await server.ready()
    expect(await client.get(Secret, name('s'), { resourceVersion, resourceVersionMatch: 'Exact' })).toEqual(made)
    expect((await client.list(Secret, { resourceVersion, resourceVersionMatch: 'Exact' })).items).toEqual([made])
  })
})

describe('a value that cannot be decrypted', () => {
  const KEY = '/registry/secrets/default/lost'
  beforeEach(async () => {
    await start(WITH_A)
    await client.create(Secret, { metadata: name('lost') })
    await encryption!.reload(WITH_B_THEN_A)
    await client.create(Secret, { metadata: name('kept') })
    await client.create(Secret, { metadata: { namespace: 'kube-system', name: 'kept' } })
    await start(WITH_B)
  })

  it('is reported by its key and never served; others are', async () => {
    const failure = await client.get(Secret, name('lost')).catch((error: StatusError) => error)
    expect(failure).toMatchObject({ code: 500, reason: 'InternalError' })
    expect((failure as StatusError).message).toBe(
      `Internal error occurred: unable to transform key "${KEY}": no matching key was found for the provided Secretbox transformer`,
    )
    expect((await client.get(Secret, name('kept'))).metadata.name).toBe('kept')
    expect((await client.list(Secret, { namespace: 'kube-system' })).items).toHaveLength(1)
  })

  it('makes lists that would have it fail, and they name it', async () => {
    for (const namespace of ['default', undefined]) {
      const failure = await client.list(Secret, { namespace }).catch((error: StatusError) => error)
      expect(failure).toMatchObject({ code: 500, details: { causes: [{ field: KEY }] } })
    }
  })

  it('is not overwritten, changed or deleted as if it were not there', async () => {
    await expect(client.create(Secret, { metadata: name('lost') })).rejects.toMatchObject({ code: 409 })
    await expect(client.update(Secret, { metadata: name('lost') })).rejects.toMatchObject({ code: 500 })
    await expect(client.patch(Secret, name('lost'), { type: 'merge', body: {} })).rejects.toMatchObject({ code: 500 })
    await expect(client.delete(Secret, name('lost'))).rejects.toMatchObject({ code: 500 })
  })

  it('is served again once its key is back', async () => {
    await encryption!.reload(WITH_B_THEN_A)
    await clock.advance(1)
    expect((await client.get(Secret, name('lost'))).metadata.name).toBe('lost')
    expect((await client.list(Secret, { namespace: 'default' })).items).toHaveLength(2)
  })

  it('that comes while somebody watches ends the watch with an error', async () => {
    const ends: (Error | undefined)[] = []
    client.watch(Secret, { namespace: 'kube-system' }, { event: () => undefined, closed: error => ends.push(error) })
    await clock.advance(1)
    await store.txn({ success: [{ type: 'put', key: '/registry/secrets/kube-system/kept', value: Buffer.from('k8s:enc:aescbc:v1:x:y') }] })
    await clock.advance(1)
    expect(ends).toHaveLength(1)
    expect(ends[0]?.message).toContain('unable to transform key "/registry/secrets/kube-system/kept"')
    await expect(client.get(Secret, { namespace: 'kube-system', name: 'kept' })).rejects.toMatchObject({ code: 500 })
  })

  it('without any configuration is not taken for an object', async () => {
    await start(undefined)
    await expect(client.list(Secret, {})).rejects.toThrow('identity transformer tried to read encrypted data')
  })
})

describe('the form in which objects are stored', () => {
  const PROTOBUF = { storageMediaType: 'application/vnd.kubernetes.protobuf' as const }

  it('is JSON, or upstream’s protobuf envelope; each server reads both', async () => {
    await start(undefined, PROTOBUF)
    const made = await client.create(ConfigMap, { metadata: name('c'), data: { x: '1' } })
    expect(stored('configmaps/default/c')).toMatch(/^k8s\0\n/)
    await start(undefined)
    const read = await client.get(ConfigMap, name('c'))
    expect(read).toEqual(made)
    await client.update(ConfigMap, { ...draft(read), data: { x: '2' } })
    expect(stored('configmaps/default/c')).toMatch(/^\{"kind":"ConfigMap"/)
    await start(undefined, PROTOBUF)
    expect((await client.get(ConfigMap, name('c'))).data).toEqual({ x: '2' })
  })

  it('may be encrypted protobuf', async () => {
    await start(WITH_A, PROTOBUF)
    const made = await client.create(Secret, { metadata: name('s'), data: { x: 'MQ==' } })
    await start(WITH_A)
    expect(await client.get(Secret, name('s'))).toEqual(made)
  })

  it('that upstream chose is read: another version, without what has defaults', async () => {
    const value = Buffer.from(
      JSON.stringify({
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h', namespace: 'default', uid: 'u' },
        spec: { scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, maxReplicas: 3 },
      }),
    )
    await store.txn({ success: [{ type: 'put', key: '/registry/horizontalpodautoscalers/default/h', value }] })
    await start(undefined)
    const { HorizontalPodAutoscaler } = await import('#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts')
    const read = await client.get(HorizontalPodAutoscaler, name('h'))
    expect(read).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { maxReplicas: 3, minReplicas: 1 } })
  })

  it('of a kind that is not served there is reported', async () => {
    const value = Buffer.from('{"apiVersion":"flowcontrol.apiserver.k8s.io/v1beta1","kind":"FlowSchema","metadata":{"name":"old"}}')
    await store.txn({ success: [{ type: 'put', key: '/registry/configmaps/default/c', value }] })
    await start(undefined)
    await expect(client.get(ConfigMap, name('c'))).rejects.toThrow('it is stored as flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema')
  })
})
