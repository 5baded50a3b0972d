import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { kmsService } from '#apiserver/encryption/kms/kms-service.ts'
import { silentLogger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { encryptionFromFile } from '#cluster/components/encryption-from-file.ts'
import type { LoneApiServerOptions } from '#cluster/components/lone-api-server.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Event } from '#kinds/core/v1/event.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { Ingress } from '#kinds/networking/v1/ingress.ts'
import { decodeProtobuf, encodeProtobuf, openEnvelope } from '#machinery/codec/protobuf/envelope.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { decode } from '#machinery/schema/decode.ts'
import { EtcdStore } from '#store/etcd/etcd-store.ts'
import { hasEtcd, startEtcd, type TestEtcd } from '../support/etcd.ts'
import { type KmsPlugin, kmsPlugin } from '../support/kms-plugin.ts'
import { type LoneServer, startLoneServer } from '../support/lone-server.ts'
import { type UpstreamEncryption, upstreamAesCbc, upstreamAesGcm, upstreamKms, upstreamSecretbox } from '../support/upstream-encryption.ts'

/* One etcd under upstream's API server and ours, one after the other: what it wrote is ours to serve, and what we write can be inspected. */

const clock = realClock()
let etcd: TestEtcd
let store: EtcdStore
let server: LoneServer

const open = async () => {
  etcd = await startEtcd()
  store = new EtcdStore({ endpoints: [etcd.url], clock, random: systemRandom() })
}
const close = async () => {
  await server?.[Symbol.asyncDispose]()
  await store.close()
  await etcd[Symbol.asyncDispose]()
}
const put = (key: string, value: Uint8Array | string) =>
  store.txn({ success: [{ type: 'put', key: `/registry/${key}`, value: Buffer.from(value as Uint8Array) }] })
const stored = async (key: string) => {
  const { kvs } = await store.range({ key: `/registry/${key}` })
  return kvs[0] && Buffer.from(kvs[0].value)
}
const hasStored = async (key: string) => (await stored(key)) !== undefined

describe.skipIf(!hasEtcd)('a store that upstream has written (needs etcd)', () => {
  const samples = upstreamSamples()
  if (samples.length === 0) console.warn('upstream’s own objects: 0 cases, since T8S_ORACLE names none')
  // These would have a say in what the server itself writes at its start.
  const decides = ({ kind }: Sample) => kind.group === 'admissionregistration.k8s.io'
  const writeAll = (some: readonly Sample[]) => Promise.all(some.map(({ key, protobuf }) => put(key, protobuf)))

  beforeAll(async () => {
    await open()
    await writeAll(samples.filter(sample => !decides(sample)))
    await put('apiextensions.k8s.io/customresourcedefinitions/crontabs.stable.example.com', JSON.stringify(CRON_TABS))
    await put('stable.example.com/crontabs/default/mine', JSON.stringify(CRON_TAB))
    await put('ranges/servicenodeports', encodedRange())
    await put('masterleases/10.1.2.3', encoded(Endpoints, { metadata: {}, subsets: [{ addresses: [{ ip: '10.1.2.3' }] }] }))
    server = await startLoneServer(store)
  }, 60_000)
  afterAll(close)

  it('brings its custom resources, whose definitions are stored in v1beta1', async () => {
    const client = server.client()
    const path = '/apis/stable.example.com/v1/namespaces/default/crontabs'
    const read = async () => JSON.parse(await client.raw(`${path}/mine`)) as { spec: object }
    await expect.poll(() => read().catch(() => undefined), { timeout: 20_000 }).toMatchObject({ spec: { cron: '* * * * *', replicas: 1 } })
    const definition = JSON.parse(
      await client.raw('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs.stable.example.com'),
    ) as { spec: { versions: { name: string; additionalPrinterColumns: object[]; subresources: object }[] } }
    expect(definition.spec).not.toHaveProperty('validation')
    expect(definition.spec.versions).toMatchObject([
      { name: 'v1', additionalPrinterColumns: [{ name: 'Cron', jsonPath: '.spec.cron' }], subresources: { status: {} } },
    ])
    const table = await client.raw(path, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    expect(JSON.parse(table)).toMatchObject({
      columnDefinitions: [{ name: 'Name' }, { name: 'Cron' }],
      rows: [{ cells: ['mine', '* * * * *'] }],
    })
  })

  it.skipIf(samples.length === 0).each(samples)('shows and lists $name', async sample => {
    const { kind, path, json } = sample
    const client = server.client()
    if (decides(sample)) await writeAll([sample])
    const found = JSON.parse(await client.raw(`${path}/nameValue`)) as ApiObject
    expect(found).toMatchObject(json)
    expect(Number(found.metadata.resourceVersion)).toBeGreaterThan(0)
    const { items } = await client.list(kind)
    expect(items.filter(({ metadata }) => metadata.name === 'nameValue')).toHaveLength(1)
  })

  it.skipIf(samples.length === 0)('is watched, also when it is written in JSON', async () => {
    const seen = new Set<string>()
    const client = server.client()
    const watches = samples.map(({ name, kind }) =>
      client.watch(
        kind,
        { resourceVersion: '0' },
        {
          event: ({ type, object }) => void (type === 'ADDED' && object.metadata.name === 'later' && seen.add(name)),
          closed: error => error && seen.add(`${name}: ${error.message}`),
        },
      ),
    )
    await Promise.all(
      samples.map(({ key, json }) =>
        put(key.replace('nameValue', 'later'), JSON.stringify({ ...json, metadata: { ...json.metadata, name: 'later' } })),
      ),
    )
    await expect.poll(() => [...seen].sort(), { timeout: 30_000 }).toEqual(samples.map(({ name }) => name).sort())
    for (const watch of watches) watch[Symbol.dispose]()
  })
})

describe.skipIf(!hasEtcd).each([
  ['application/json', (value: Buffer) => JSON.parse(value.toString())],
  ['application/vnd.kubernetes.protobuf', (value: Buffer, kind: AnyKind) => decodeProtobuf(openEnvelope(value), kind.schema)],
] as const)('a store that both write, ours in %s (needs etcd)', (storageMediaType, read) => {
  beforeAll(async () => {
    await open()
    for (const { kind, key, object } of PLACES) await put(key, encoded(kind, object))
    server = await startLoneServer(store, { storageMediaType })
  }, 60_000)
  afterAll(close)

  it.each(PLACES)('has $kind.kind at $key: updated, made and deleted there', async ({ kind, key, object }) => {
    const client = server.client()
    const { name, namespace } = object.metadata
    const where = { name: name!, ...(namespace ? { namespace } : {}) }
    const found = await client.get(kind, where)
    const next = draft(found) as ApiObject
    const metadata = { ...next.metadata, labels: { updated: 'yes' } }
    const updated = await client.update(kind, { ...next, metadata })
    const value = (await stored(key))!
    expect(read(value, kind)).toMatchObject({ metadata: { name, labels: { updated: 'yes' } } })
    expect((read(value, kind) as ApiObject).metadata.resourceVersion ?? '').toBe('')
    const [kv] = (await store.range({ key: `/registry/${key}` })).kvs
    expect(updated.metadata.resourceVersion).toBe(String(kv!.modRevision))
    expect(kv!.version).toBe(2)

    await client.delete(kind, where, { gracePeriodSeconds: 0, propagationPolicy: 'Background' })
    await expect.poll(() => hasStored(key), { timeout: 10_000 }).toBe(false)
    const { uid: _, creationTimestamp: __, ...own } = object.metadata as Record<string, unknown>
    await client.create(kind, { ...object, metadata: own } as never)
    expect(read((await stored(key))!, kind)).toMatchObject({ kind: kind.kind, apiVersion: kind.apiVersion })
  })

  it('is inspected with etcdctl: keys by prefix, their number, and values', async () => {
    const keys = (await etcd.etcdctl('get', '/registry/', '--prefix', '--keys-only')).split('\n').filter(Boolean)
    for (const { key } of PLACES) expect(keys).toContain(`/registry/${key}`)
    expect(keys.filter(key => key.startsWith('/registry/clusterroles/')).length).toBeGreaterThan(20)
    expect(keys).toContain('/registry/namespaces/kube-system')
    expect(keys).toContain('/registry/apiregistration.k8s.io/apiservices/v1.apps')
    const count = JSON.parse(await etcd.etcdctl('get', '/registry/', '--prefix', '--keys-only', '-w', 'json')) as { count: number }
    expect(count.count).toBe(keys.length)
    const { kvs } = JSON.parse(await etcd.etcdctl('get', '/registry/configmaps/default/plain', '-w', 'json')) as {
      kvs: { value: string }[]
    }
    expect(read(Buffer.from(kvs[0]!.value, 'base64'), ConfigMap)).toMatchObject({ data: { colour: 'blue' } })
  })
})

describe.skipIf(!hasEtcd)('a store that upstream has encrypted (needs etcd)', () => {
  const folder = mkdtempSync(join(tmpdir(), 't8s-upstream-'))
  const secret = randomBytes(32)
  const [at, key] = [{ namespace: 'default', name: 'sealed' }, 'secrets/default/sealed']
  const keys = { keys: [{ name: 'key1', secret: secret.toString('base64') }] }
  let plugin: KmsPlugin

  const start = async (provider: object) => {
    const file = join(folder, 'encryption.json')
    const resources = [{ resources: ['secrets'], providers: [provider, { identity: {} }] }]
    writeFileSync(file, JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources }))
    const encryption = await encryptionFromFile({ file, reloads: false, clock, random: systemRandom(), log: silentLogger })
    server = await startLoneServer(store, { encryption } satisfies Partial<LoneApiServerOptions>)
  }

  /** It is read, and what we then write ourselves has the same form. */
  const isServed = async (encrypt: UpstreamEncryption, provider: object, prefix: string) => {
    const object = { metadata: { ...META, ...at }, data: { password: 'aHVudGVyMg==' }, type: 'Opaque' }
    await put(key, encrypt(`/registry/${key}`, encoded(Secret, object)))
    await start(provider)
    const client = server.client()
    expect((await client.get(Secret, at)).data).toEqual({ password: 'aHVudGVyMg==' })
    expect((await client.list(Secret, { namespace: 'default' })).items).toHaveLength(1)
    const changed = { ...draft(await client.get(Secret, at)), data: { password: 'bmV3' } }
    await client.update(Secret, changed)
    const printed = await etcd.etcdctl('get', `/registry/${key}`, '--print-value-only')
    expect(printed.startsWith(`k8s:enc:${prefix}`)).toBe(true)
    expect(printed).not.toContain('bmV3')
  }

  beforeEach(open)
  afterEach(close)
  afterAll(() => {
    plugin?.stop()
    rmSync(folder, { recursive: true })
  })

  it('with aescbc', () => isServed(upstreamAesCbc('key1', secret), { aescbc: keys }, 'aescbc:v1:key1:'))
  it('with aesgcm', () => isServed(upstreamAesGcm('key1', secret), { aesgcm: keys }, 'aesgcm:v1:key1:'))
  it('with secretbox', () => isServed(upstreamSecretbox('key1', secret), { secretbox: keys }, 'secretbox:v1:key1:'))

  it('with a key management service', async () => {
    plugin = kmsPlugin(join(folder, 'kms.sock'))
    await plugin.start()
    const seed = randomBytes(32)
    const service = kmsService(plugin.endpoint, 3000, clock)
    const sealed = await service.encrypt('test', seed)
    const annotations = Object.fromEntries([...sealed.annotations].map(([name, data]) => [name, Buffer.from(data)]))
    const encrypt = upstreamKms('ours', seed, { ciphertext: Buffer.from(sealed.ciphertext), keyId: sealed.keyId, annotations })
    await isServed(encrypt, { kms: { apiVersion: 'v2', name: 'ours', endpoint: plugin.endpoint, timeout: '3s' } }, 'kms:v2:ours:')
  })
})

interface Sample {
  readonly name: string
  readonly kind: AnyKind
  /** Behind `/registry/`. */
  readonly key: string
  /** Of its collection. */
  readonly path: string
  readonly json: { readonly metadata: Record<string, unknown> }
  readonly protobuf: Buffer
}

/** Upstream's own serialised objects of every kind that is stored, with every field set. */
function upstreamSamples(): Sample[] {
  const folder = join(process.env['T8S_ORACLE'] ?? resolve(import.meta.dirname, '../../../shared/oracle'), 'serialized')
  return builtInKinds.flatMap(kind => {
    const name = `${kind.group || 'core'}.${kind.version}.${kind.kind}`
    if (kind.view || !kind.verbs.includes('watch') || !existsSync(join(folder, `${name}.pb`))) return []
    const json = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'), asServed) as Sample['json']
    const root = kind.group ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
    const isNamespaced = kind.scope === 'Namespaced'
    return {
      name,
      kind,
      key: `${kind.storagePrefix}/${isNamespaced ? 'namespaceValue/' : ''}nameValue`,
      path: `${root}/${isNamespaced ? 'namespaces/namespaceValue/' : ''}${kind.plural}`,
      json,
      protobuf: readFileSync(join(folder, `${name}.pb`)),
    }
  })
}

/** What upstream, too, shows otherwise than it is stored: old names of fields follow the new ones, and what is only written is not read. */
function asServed(this: Record<string, unknown>, name: string, value: unknown): unknown {
  if (name === 'serviceAccount' && this['serviceAccountName']) return this['serviceAccountName']
  if (['stringData', 'selfLink', 'resourceVersion'].includes(name)) return undefined
  return value
}

const META = { uid: '7d9c1b4e-0000-4000-8000-000000000001', creationTimestamp: '2026-01-02T03:04:05Z' }
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'none' }] } }

interface Place {
  readonly kind: AnyKind
  readonly key: string
  readonly object: { readonly metadata: { readonly name?: string; readonly namespace?: string } } & Record<string, unknown>
}

/** Objects whose keys are not simply their resource's name, and some whose are. */
const PLACES: readonly Place[] = (
  [
    [Pod, 'pods/default/a', { spec: template.spec }],
    [Node, 'minions/a', {}],
    [Service, 'services/specs/default/a', { spec: { clusterIP: 'None', ports: [{ port: 80 }] } }],
    [Endpoints, 'services/endpoints/default/a', { subsets: [{ addresses: [{ ip: '10.0.0.9' }], ports: [{ port: 80 }] }] }],
    [ReplicationController, 'controllers/default/a', { spec: { replicas: 0, selector: { app: 'x' }, template } }],
    [Ingress, 'ingress/default/a', { spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } }],
    [Deployment, 'deployments/default/a', { spec: { replicas: 0, selector: { matchLabels: { app: 'x' } }, template } }],
    [Event, 'events/default/a', { involvedObject: { namespace: 'default', kind: 'Pod', name: 'a' }, reason: 'Tested', type: 'Normal' }],
    [ConfigMap, 'configmaps/default/plain', { data: { colour: 'blue' } }],
  ] as const
).map(([kind, key, rest]) => {
  const [name, namespace] = key.split('/').reverse()
  return {
    kind,
    key,
    object: { metadata: { ...META, name: name!, ...(kind.scope === 'Namespaced' ? { namespace: namespace! } : {}) }, ...rest },
  }
})

/** An object as upstream stores it. That our bytes are upstream's is shown by test/compatibility/serialized.test.ts. */
function encoded(kind: AnyKind, object: object): Uint8Array {
  const value = { apiVersion: kind.apiVersion, kind: kind.kind, ...object }
  return encodeProtobuf(kind.apiVersion, kind.kind, kind.schema, decode<JsonObject>(kind.schema, value, { defaults: true, unknown: [] }))
}

/** The ports of Services that upstream has given away: a RangeAllocation, which is no resource. */
function encodedRange(): Buffer {
  return Buffer.from('6b3873000a150a02763112' + '0f52616e6765416c6c6f636174696f6e1200', 'hex')
}

const CRON_TABS = {
  kind: 'CustomResourceDefinition',
  apiVersion: 'apiextensions.k8s.io/v1beta1',
  metadata: { name: 'crontabs.stable.example.com', ...META, generation: 1 },
  spec: {
    group: 'stable.example.com',
    version: 'v1',
    names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList' },
    scope: 'Namespaced',
    validation: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { cron: { type: 'string' }, replicas: { type: 'integer', default: 1 } } } },
      },
    },
    subresources: { status: {} },
    versions: [{ name: 'v1', served: true, storage: true }],
    additionalPrinterColumns: [{ name: 'Cron', type: 'string', JSONPath: '.spec.cron' }],
    conversion: { strategy: 'None' },
    preserveUnknownFields: false,
  },
  status: {
    conditions: ['NamesAccepted', 'Established'].map(type => ({
      type,
      status: 'True',
      lastTransitionTime: META.creationTimestamp,
      reason: 'InitialNamesAccepted',
      message: 'no conflicts found',
    })),
    acceptedNames: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList' },
    storedVersions: ['v1'],
  },
}

const CRON_TAB = {
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { ...META, namespace: 'default', name: 'mine', generation: 1 },
  spec: { cron: '* * * * *' },
}
