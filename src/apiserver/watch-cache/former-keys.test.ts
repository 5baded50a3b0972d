import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { prefix, type Store } from '#store/store.ts'
import { NoSpaceError } from '#store/store-errors.ts'
import { openGcm, sealGcm } from '../encryption/aes-gcm.ts'
import type { ValueTransformer } from '../encryption/transformer.ts'
import { moveFormerKeys } from './former-keys.ts'

const FORMER = '/registry/customresourcedefinitions/'
const NOW = '/registry/apiextensions.k8s.io/customresourcedefinitions/'
const bytes = (text: string) => Buffer.from(text)

let store: MemoryStore | LmdbStore
let said: string[]
const log = {
  warn: (text: string, fields: { from: string }) => said.push(`${fields.from}: ${text}`),
  error: (text: string, fields: { from: string }) => said.push(`${fields.from}: ${text}`),
} as unknown as Logger

const engines = {
  memory: async () => new MemoryStore({ clock: virtualClock() }),
  lmdb: (directory: string) => LmdbStore.open({ directory, clock: virtualClock(), logger: silentLogger }),
}

const put = (key: string, value: string) => store.txn({ success: [{ type: 'put', key, value: bytes(value) }] })
const move = (on: Store = store) => moveFormerKeys({ store: on, kinds: builtInKinds, log })
const all = () => store.rangeNow(prefix('/registry/')).kvs.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`)

describe.each(['memory', 'lmdb'] as const)('objects under keys of earlier versions, in the %s store,', engine => {
  let directory: string

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'former-keys-'))
    store = await engines[engine](directory)
    said = []
  })
  afterEach(async () => {
    await store.close()
    rmSync(directory, { recursive: true })
  })

  it('are moved to where they are looked for, each in one transaction, and it is said', async () => {
    await put(`${FORMER}a.example.com`, 'a')
    await put(`${FORMER}b.example.com`, 'b')
    await put('/registry/apiservices/v1.shop.example.com', 'c')
    await put('/registry/customresourcedefinitionsandmore/x', 'not ours')
    const before = store.revisionNow()
    await move()
    expect(all()).toEqual([
      `${NOW}a.example.com=a`,
      `${NOW}b.example.com=b`,
      '/registry/apiregistration.k8s.io/apiservices/v1.shop.example.com=c',
      '/registry/customresourcedefinitionsandmore/x=not ours',
    ])
    expect(store.revisionNow() - before).toBe(3)
    expect(said).toHaveLength(3)
    expect(said[0]).toBe(`${FORMER}a.example.com: an object of an earlier version was moved to the key where it is looked for now`)
  })

  it('cost nothing where there are none, and nothing the second time', async () => {
    await put(`${FORMER}a.example.com`, 'a')
    await move()
    const revision = store.revisionNow()
    await move()
    expect(store.revisionNow()).toBe(revision)
    expect(said).toHaveLength(1)
  })

  it('give way to one of the same name that was made since', async () => {
    await put(`${FORMER}a.example.com`, 'former')
    await put(`${NOW}a.example.com`, 'made since')
    await move()
    expect(all()).toEqual([`${NOW}a.example.com=made since`])
    expect(said[0]).toContain('was removed, since there is one of that name already')
  })

  it('are moved once by several servers at once', async () => {
    for (let n = 0; n < 20; n++) await put(`${FORMER}${n}.example.com`, String(n))
    await Promise.all([move(), move(), move()])
    expect(all()).toHaveLength(20)
    expect(store.rangeNow(prefix(FORMER)).kvs).toEqual([])
    expect(said).toHaveLength(20)
  })

  it('stay whole when moving ends in the middle, and the next start goes on', async () => {
    for (let n = 0; n < 4; n++) await put(`${FORMER}${n}.example.com`, String(n))
    let left = 2
    const failing = {
      range: options => store.range(options),
      txn: async txn => {
        if (left-- > 0) return store.txn(txn)
        throw new NoSpaceError('/data')
      },
    } as Store
    await move(failing)
    expect(all()).toHaveLength(4)
    expect(said.filter(line => line.includes('so it is not served; the next start tries again'))).toHaveLength(2)
    await move()
    expect(store.rangeNow(prefix(NOW)).kvs.map(({ value }) => Buffer.from(value).toString())).toEqual(['0', '1', '2', '3'])
  })

  it.runIf(engine === 'lmdb')('are there once each when the process is killed while they are moved, and after the next start', async () => {
    for (let n = 0; n < 4; n++) await put(`${FORMER}${n}.example.com`, String(n))
    const left = mkdtempSync(join(tmpdir(), 'former-keys-killed-'))
    let moved = 0
    const killed = {
      range: options => store.range(options),
      txn: async txn => {
        // What is on disk after the second is all that is left.
        if (moved++ === 2) for (const name of ['data.mdb', 'data.log']) copyFileSync(join(directory, name), join(left, name))
        return store.txn(txn)
      },
    } as Store
    await move(killed)
    await store.close()
    store = await engines.lmdb(left)
    expect(store.rangeNow(prefix(NOW)).count).toBe(2)
    expect(store.rangeNow(prefix(FORMER)).count).toBe(2)
    await move()
    const everything = [0, 1, 2, 3].map(n => `${NOW}${n}.example.com=${n}`)
    expect(all()).toEqual(everything)
    await store.close()
    store = await engines.lmdb(left)
    expect(all()).toEqual(everything)
    rmSync(directory, { recursive: true })
    directory = left
  })

  it('that are encrypted are encrypted for their new key, to which the value is bound', async () => {
    const secret = Buffer.alloc(32, 1)
    const aes: ValueTransformer = {
      writer: 'k',
      toStorage: (key, value) => sealGcm(secret, key, value),
      fromStorage: (key, stored) => ({ value: openGcm(secret, key, stored), writer: 'k' }),
    }
    const from = `${FORMER}a.example.com`
    await store.txn({ success: [{ type: 'put', key: from, value: aes.toStorage(from, bytes('secret')) }] })
    await moveFormerKeys({ store, kinds: [CustomResourceDefinition], transformerOf: () => aes, log })
    const [moved] = store.rangeNow(prefix('/registry/')).kvs
    expect(moved!.key).toBe(`${NOW}a.example.com`)
    expect(Buffer.from(aes.fromStorage(moved!.key, moved!.value).value).toString()).toBe('secret')
    expect(() => aes.fromStorage(from, moved!.value)).toThrow()
  })
})
