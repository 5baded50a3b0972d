import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { typernetesKinds } from '#kinds/typernetes/kinds.ts'
import { Moment } from '#kinds/typernetes/v1/moment.ts'
import { Store } from '#kinds/typernetes/v1/store.ts'
import { draft } from '#machinery/kind/draft.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'

const START = Date.parse('2026-11-20T12:00:00Z')
const KINDS = [...builtInKinds, ...typernetesKinds]
let server: ApiServer
let client: Client
let clock: VirtualClock
let store: MemoryStore

beforeEach(async () => {
  clock = virtualClock(START)
  store = new MemoryStore({ clock, retention: { forMs: 300_000, revisions: 5 } })
  server = createApiServer({ store, kinds: KINDS, clock, random: seededRandom(1), log: silentLogger, authorizer: alwaysAllow })
  client = directClient(server.handler, { user: { name: 'admin', groups: [] }, userAgent: 'test/1' })
  await server.ready()
})
afterEach(async () => {
  await server.stop()
  await store.close()
})

const name = { namespace: 'default', name: 'a' }
const moment = async (text: string) => (await client.get(Moment, { name: text })).status

describe('moments', () => {
  it('say which resourceVersion was the newest when', async () => {
    const made = await client.create(ConfigMap, { metadata: name, data: { x: '1' } })
    await clock.advance(60_000)
    const changed = await client.update(ConfigMap, { ...draft(made), data: { x: '2' } })
    await clock.advance(60_000)
    const first = { resourceVersion: made.metadata.resourceVersion, time: '2026-11-20T12:00:00.000000Z' }
    const second = { resourceVersion: changed.metadata.resourceVersion, time: '2026-11-20T12:01:00.000000Z' }
    expect(await moment('newest')).toEqual(second)
    expect(await moment('-1m')).toEqual(second)
    expect(await moment('-61s')).toEqual(first)
    expect(await moment('2026-11-20T12:00:30Z')).toEqual(first)
    expect(await moment('2026-11-20T13:01:00+01:00')).toEqual(second)
    expect(await moment(made.metadata.resourceVersion!)).toEqual(first)
    expect((await client.list(Moment)).items.map(each => each.metadata.name)).toEqual(['oldest', 'newest'])
  })

  it('are refused with what is kept, when they are not', async () => {
    for (let n = 0; n < 20; n++) {
      await client.create(ConfigMap, { metadata: { ...name, name: `n${n}` } })
      await clock.advance(1000)
    }
    await expect(moment('2')).rejects.toThrow(/^resourceVersion 2 is not kept: history goes from resourceVersion 1\d of 2026-11-20T12:00:1/)
    await expect(moment('-19s')).rejects.toThrow('2026-11-20T12:00:01.000Z is not kept')
    await expect(moment('2026-11-19T12:00:00Z')).rejects.toMatchObject({ code: 410, reason: 'Expired' })
    await expect(moment('99999')).rejects.toMatchObject({ code: 410 })
    expect(Number((await moment('oldest')).resourceVersion)).toBeGreaterThan(10)
  })

  it('that are none are refused with what would be one', async () => {
    for (const text of ['yesterday', '-2', '-', '2m', '2026-11-20', '12e3', '0x10'])
      await expect(moment(text)).rejects.toThrow(`invalid moment "${text}": give newest, oldest, a resourceVersion, a time`)
    await expect(moment('2026-11-21T12:00:00Z')).rejects.toThrow('is in the future')
  })
})

describe('reading an object as of a resourceVersion', () => {
  const at = (resourceVersion: string | undefined) => client.get(ConfigMap, name, { resourceVersion, resourceVersionMatch: 'Exact' })

  it('answers what was there, also when it is gone since', async () => {
    const made = await client.create(ConfigMap, { metadata: name, data: { x: '1' } })
    await client.update(ConfigMap, { ...draft(made), data: { x: '2' } })
    await client.delete(ConfigMap, name)
    expect(await at(made.metadata.resourceVersion)).toMatchObject({
      data: { x: '1' },
      metadata: { resourceVersion: made.metadata.resourceVersion },
    })
    await expect(client.get(ConfigMap, name)).rejects.toMatchObject({ code: 404 })
    await expect(at('1')).rejects.toMatchObject({ code: 404 })
  })

  it('is refused once that is not kept, by the cache and by the store', async () => {
    const made = await client.create(ConfigMap, { metadata: name })
    await client.update(ConfigMap, { ...draft(made), data: { x: '2' } })
    await clock.advance(100_000)
    for (let n = 0; n < 300; n++) await client.create(ConfigMap, { metadata: { ...name, name: `n${n}` } })
    await expect(at(made.metadata.resourceVersion)).rejects.toMatchObject({ code: 410 })
  })
})

describe('the store', () => {
  it('tells how it is', async () => {
    const { status } = await client.get(Store, { name: 'cluster' })
    expect(status).toMatchObject({ engine: 'memory', keys: 0, resourceVersion: '1' })
    await expect(client.get(Store, { name: 'other' })).rejects.toMatchObject({ code: 404 })
  })
})
