import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Encryption } from '#apiserver/encryption/encryption.ts'
import { kmsService } from '#apiserver/encryption/kms/kms-service.ts'
import { KmsTransformer } from '#apiserver/encryption/kms/kms-transformer.ts'
import { type Logger, silentLogger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { ensureEncryptionConfiguration } from '#cluster/certificates/encryption-key.ts'
import { encryptionFromFile } from '#cluster/components/encryption-from-file.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { draft } from '#machinery/kind/draft.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { type KmsPlugin, kmsPlugin } from '../support/kms-plugin.ts'
import { type LoneServer, startLoneServer } from '../support/lone-server.ts'

/* Secrets on disk: encrypted with keys of a file that changes, and with those of a key management service. */

const folder = mkdtempSync(join(tmpdir(), 't8s-encryption-'))
const clock = realClock()
const random = systemRandom()
const configuration = (providers: string) =>
  `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers: [${providers}]\n`
const aes = (name: string) => `{aescbc: {keys: [{name: ${name}, secret: ${Buffer.alloc(32, name).toString('base64')}}]}}`
const name = (text: string) => ({ namespace: 'default', name: text })
const openStore = (directory: string) => LmdbStore.open({ directory: join(folder, directory), clock, logger: silentLogger })
const fromFile = (file: string, log: Logger = silentLogger) => encryptionFromFile({ file, reloads: true, clock, random, log })
const prefixOf = (store: LmdbStore, secret: string) =>
  Buffer.from(store.rangeNow({ key: `/registry/secrets/default/${secret}` }).kvs[0]!.value)
    .toString('latin1')
    .split(':')
    .slice(0, 5)
    .join(':')

afterAll(() => rmSync(folder, { recursive: true }))

describe('a configuration in a file', () => {
  it('is taken up when the file is exchanged, and a wrong one is not', async () => {
    const file = join(folder, 'config.yaml')
    writeFileSync(file, configuration(aes('one')))
    const store = await openStore('file')
    const problems: string[] = []
    const encryption = await fromFile(file, { ...silentLogger, error: message => void problems.push(message) })
    await using server = await startLoneServer(store, { encryption })
    const client = server.client()
    await client.create(Secret, { metadata: name('a') })
    expect(prefixOf(store, 'a')).toBe('k8s:enc:aescbc:v1:one')
    writeFileSync(`${file}.new`, configuration(`${aes('two')}, ${aes('one')}`))
    renameSync(`${file}.new`, file)
    let written = 0
    const written2 = async () => {
      await client.create(Secret, { metadata: name(`b${++written}`) })
      return prefixOf(store, `b${written}`)
    }
    await expect.poll(written2, { timeout: 20_000, interval: 100 }).toBe('k8s:enc:aescbc:v1:two')
    writeFileSync(file, 'nonsense')
    await expect
      .poll(() => problems, { timeout: 20_000, interval: 20 })
      .toContain('the encryption configuration is wrong: the one before stays')
    expect(await written2()).toBe('k8s:enc:aescbc:v1:two')
    const { metadata } = await client.update(Secret, draft(await client.get(Secret, name('a'))))
    expect(metadata.name).toBe('a')
    expect(prefixOf(store, 'a')).toBe('k8s:enc:aescbc:v1:two')
    await store.close()
  })

  it('of a new cluster has a key of its own that only its owner reads, and is never replaced', async () => {
    const file = join(folder, 'own.yaml')
    ensureEncryptionConfiguration(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const encryption = await fromFile(file)
    const first = encryption.transformerOf('', 'secrets')!.writer
    expect(first).toMatch(/^k8s:enc:secretbox:v1:key1:/)
    expect(encryption.transformerOf('', 'configmaps')).toBeUndefined()
    encryption.stop()
    ensureEncryptionConfiguration(file)
    const again = await fromFile(file)
    expect(again.transformerOf('', 'secrets')!.writer).toBe(first)
    again.stop()
  })
})

describe('a key management service', () => {
  const socket = join(folder, 'kms.sock')
  const file = join(folder, 'kms.yaml')
  let plugin: KmsPlugin
  let store: LmdbStore
  let server: LoneServer
  let encryption: Encryption
  const start = async () => {
    store = await openStore('kms')
    encryption = await fromFile(file)
    server = await startLoneServer(store, { encryption })
  }
  const stop = async () => {
    await server[Symbol.asyncDispose]()
    await store.close()
  }

  beforeAll(async () => {
    plugin = kmsPlugin(socket)
    await plugin.start()
    writeFileSync(file, configuration(`{kms: {apiVersion: v2, name: ours, endpoint: "${plugin.endpoint}", timeout: 3s}}`))
    await start()
  })
  afterAll(async () => {
    await stop()
    plugin.stop()
  })

  it('is asked once for many values, and stored values begin with its name', async () => {
    const client = server.client()
    for (let n = 0; n < 20; n++) await client.create(Secret, { metadata: name(`k${n}`), data: { x: 'MQ==' } })
    expect(prefixOf(store, 'k0')).toBe('k8s:enc:kms:v2:ours')
    expect(plugin.calls.encrypt).toBe(1)
    expect(plugin.calls.decrypt).toBe(0)
  })

  it('decrypts for a server that starts anew, once per seed', async () => {
    await stop()
    await start()
    expect((await server.client().get(Secret, name('k3'))).data).toEqual({ x: 'MQ==' })
    expect(plugin.calls.decrypt).toBe(1)
  })

  it('shows in the health endpoints', async () => {
    for (const endpoint of ['healthz', 'livez', 'readyz']) {
      expect(await server.client().raw(`/${endpoint}?verbose`)).toContain('[+]kms-providers ok')
    }
  })

  it('that is away when a server starts leaves Secrets unreadable, by their keys, until it is back', async () => {
    await stop()
    plugin.stop()
    await start()
    const client = server.client()
    await expect(client.get(Secret, name('k3'))).rejects.toThrow(
      'unable to transform key "/registry/secrets/default/k3": failed to decrypt DEK',
    )
    await expect(client.list(Secret, {})).rejects.toMatchObject({ code: 500 })
    await expect(client.create(Secret, { metadata: name('more') })).rejects.toThrow('has not encrypted a seed yet')
    await expect(client.raw('/readyz/kms-providers')).rejects.toThrow('kmsv2 Provider ours is not healthy')
    await plugin.start()
    await expect
      .poll(
        () =>
          client.get(Secret, name('k3')).then(
            found => found.data,
            () => undefined,
          ),
        { timeout: 30_000, interval: 200 },
      )
      .toEqual({ x: 'MQ==' })
    expect(await client.raw('/readyz/kms-providers')).toBe('ok')
    await client.create(Secret, { metadata: name('more') })
  })
})

it('a key management service that rotates its key makes what was written before stale; one that says nothing for three minutes ends writes', async () => {
  const virtual = virtualClock()
  const plugin = kmsPlugin(join(folder, 'rotating.sock'))
  await plugin.start()
  const service = kmsService(plugin.endpoint, 3000, clock)
  const transformer = new KmsTransformer({ name: 'rotating', service, clock: virtual, random, log: silentLogger })
  await transformer.ready()
  const before = transformer.writer
  const stored = transformer.toStorage('/k', Buffer.from('v'))
  plugin.rotate()
  const asked = async (times: number) => {
    await virtual.advance(60_000)
    await expect.poll(() => plugin.calls.status, { timeout: 10_000 }).toBeGreaterThanOrEqual(times)
  }
  await asked(2)
  await expect.poll(() => transformer.writer, { timeout: 10_000 }).not.toBe(before)
  expect(Buffer.from(transformer.fromStorage('/k', stored).value).toString()).toBe('v')
  expect(transformer.fromStorage('/k', stored).writer).toBe(before)
  plugin.healthz = 'the safe is shut'
  for (let n = 3; n < 6; n++) await asked(n)
  await expect.poll(() => transformer.problem(), { timeout: 10_000 }).toContain('got unexpected healthz status: the safe is shut')
  await virtual.advance(10_000)
  expect(() => transformer.toStorage('/k', Buffer.from('v'))).toThrow('has not confirmed its key for 3 minutes')
  expect(Buffer.from(transformer.fromStorage('/k', stored).value).toString()).toBe('v')
  transformer.stop()
  plugin.stop()
})
