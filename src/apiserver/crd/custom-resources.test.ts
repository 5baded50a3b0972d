import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client, WatchEvent } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import { draft } from '#machinery/kind/draft.ts'
import { type ApiObject, defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { embedded, int64, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'

/** As a user declares a custom resource in TypeScript: the definition itself is only known to the server. */
const AppleSpec = message('test.shop.v1.AppleSpec', { size: omitempty(undefined, int64), color: omitempty(undefined, string) })
interface Apple
  extends ObjectWith<{ spec: StoredOf<typeof AppleSpec>; status?: { readonly replicas?: number; readonly ripe?: boolean } }> {}
const AppleFields = { spec: embedded(undefined, AppleSpec), status: omitempty(undefined, message('test.shop.v1.AppleStatus', {})) }
const appleKind = (version: string) =>
  defineKind({
    group: 'shop.test',
    version,
    kind: 'Apple',
    plural: 'apples',
    scope: 'Namespaced',
    openapi: `test.shop.${version}`,
    fields: AppleFields,
  })
const Apple = appleKind('v1')
const AppleV2 = appleKind('v2')

let server: ApiServer
let client: Client
let clock: VirtualClock
let store: MemoryStore
let warnings: string[]

const start = async () => {
  server = createApiServer({
    store,
    kinds: [...builtInKinds, ...subresourceKinds],
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authorizer: alwaysAllow,
  })
  client = directClient(server.handler, {
    user: { name: 'admin', groups: ['system:masters'] },
    userAgent: 'test/1',
    warn: text => warnings.push(text),
  })
  await server.ready()
}

beforeEach(async () => {
  clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  store = new MemoryStore({ clock })
  warnings = []
  await start()
})

afterEach(async () => {
  await server.stop()
  await store.close()
})

const SPEC = { type: 'object', properties: { size: { type: 'integer', maximum: 10 }, color: { type: 'string' } } }
const version = (name: string, more: object = {}, schema: object = {}) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: SPEC }, ...schema } },
  ...more,
})
const definition = (versions: readonly object[] = [version('v1')], names: object = {}, plural = 'apples') =>
  ({
    metadata: { name: `${plural}.shop.test` },
    spec: { group: 'shop.test', scope: 'Namespaced', names: { plural, kind: 'Apple', ...names }, versions },
  }) as never

/** Waits until the server has done what it does by itself; every step is a turn of the event loop, none takes time. */
const until = async (condition: () => Promise<boolean> | boolean) => {
  for (let turn = 0; turn < 10_000; turn++) {
    if (await condition()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`was not to be seen: ${condition}`)
}
const conditionOf = async (name: string, type: string) => {
  const { status } = await client.get(CustomResourceDefinition, { name })
  return status.conditions?.find(condition => condition.type === type)
}
const established = (name = 'apples.shop.test') => until(async () => (await conditionOf(name, 'Established'))?.status === 'True')
const define = async (...parameters: Parameters<typeof definition>) => {
  const made = await client.create(CustomResourceDefinition, definition(...parameters))
  await established(made.metadata.name)
  return made
}
const apple = (name: string, fields: object = {}) => ({ metadata: { namespace: 'default', name }, ...fields }) as never
const inDefault = (name: string) => ({ namespace: 'default', name })

describe('[CR1] a definition whose names are free', () => {
  it('is served at once, and before it says so', async () => {
    await define()
    const made = (await client.create(Apple, apple('a', { spec: { size: 3 } }))) as Apple
    expect(made).toMatchObject({ apiVersion: 'shop.test/v1', kind: 'Apple', metadata: { generation: 1 }, spec: { size: 3 } })
    expect((await client.list(Apple)).items).toEqual([made])
  })

  it('is served again after a restart, with its objects', async () => {
    await define()
    await client.create(Apple, apple('a', { spec: { size: 3 } }))
    await server.stop()
    await start()
    expect(await client.get(Apple, inDefault('a'))).toMatchObject({ spec: { size: 3 } })
  })

  it('names what is taken, and gets it once it is free', async () => {
    await define()
    await client.create(CustomResourceDefinition, definition([version('v1')], { shortNames: ['apples'] }, 'pears'))
    await until(async () => (await conditionOf('pears.shop.test', 'NamesAccepted')) !== undefined)
    expect(await conditionOf('pears.shop.test', 'NamesAccepted')).toMatchObject({
      status: 'False',
      reason: 'ListKindConflict',
      message: '"AppleList" is already in use',
    })
    expect((await client.get(CustomResourceDefinition, { name: 'pears.shop.test' })).status.acceptedNames).toEqual({
      plural: 'pears',
      kind: '',
    })
    await client.delete(CustomResourceDefinition, { name: 'apples.shop.test' })
    await established('pears.shop.test')
  })
})

describe('an object of a custom resource', () => {
  it('[CR2] loses what its schema does not know, and the client is told', async () => {
    await define()
    expect(await client.create(Apple, apple('a', { spec: { size: 1, worm: { n: 1 } }, other: true }))).not.toHaveProperty('other')
    expect(warnings).toEqual(['unknown field "other"', 'unknown field "spec.worm"'])
    await expect(client.create(Apple, apple('b', { other: 1 }), { fieldValidation: 'Strict' })).rejects.toThrow(
      'Apple in version "v1" cannot be handled as a Apple: strict decoding error: unknown field "other"',
    )
  })

  it('has to be what its schema says', async () => {
    await define()
    await expect(client.create(Apple, apple('a', { spec: { size: 'big' } }))).rejects.toThrow(
      'Apple.shop.test "a" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    )
    await expect(client.create(Apple, apple('a', { spec: { size: 11 } }))).rejects.toThrow('should be less than or equal to 10')
  })

  it('[CR3] gets defaults when it is written, and what was stored before when it is read', async () => {
    await define()
    await client.create(Apple, apple('a', { spec: { size: 1 } }))
    const current = draft(await client.get(CustomResourceDefinition, { name: 'apples.shop.test' }))
    const spec = { type: 'object', properties: { size: { type: 'integer' }, color: { type: 'string', default: 'red' } } }
    current.spec.versions = [version('v1', {}, { properties: { spec } })] as never
    await client.update(CustomResourceDefinition, current as never)
    await until(async () => (await client.get(Apple, inDefault('a')))?.spec.color === 'red')
    expect((await client.create(Apple, apple('b', { spec: {} }))) as Apple).toMatchObject({ spec: { color: 'red' } })
  })

  it('may have names that mean something to JavaScript', async () => {
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    await define([version('v1', {}, { properties: { spec: open } })])
    const spec = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":null}') as object
    const made = await client.create(Apple, apple('a', { spec }))
    expect(JSON.stringify(made.spec)).toBe('{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":null}')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('keeps its status apart where that is a subresource', async () => {
    const status = { type: 'object', properties: { ripe: { type: 'boolean' } } }
    await define([version('v1', { subresources: { status: {} } }, { properties: { spec: SPEC, status } })])
    await client.create(Apple, apple('a', { spec: { size: 1 }, status: { ripe: true } }))
    expect(await client.get(Apple, inDefault('a'))).not.toHaveProperty('status')
    const before = draft(await client.get(Apple, inDefault('a'))) as { metadata: { labels?: object }; status?: object }
    const labelled = { ...before, metadata: { ...before.metadata, labels: { a: 'b' } }, status: { ripe: true }, spec: { size: 9 } }
    const after = await client.updateStatus(Apple, labelled as never)
    expect(after).toMatchObject({ spec: { size: 1 }, status: { ripe: true }, metadata: { generation: 1 } })
    expect(after.metadata.labels).toBeUndefined()
  })

  it('is left alone where it breaks a rule that came later, as long as nothing of that changes', async () => {
    await define([
      version('v1', {}, { properties: { spec: { ...SPEC, properties: { size: { type: 'integer' }, color: { type: 'string' } } } } }),
    ])
    await client.create(Apple, apple('a', { spec: { size: 50 } }))
    const current = draft(await client.get(CustomResourceDefinition, { name: 'apples.shop.test' }))
    current.spec.versions = [version('v1')] as never
    await client.update(CustomResourceDefinition, current as never)
    const patch = (body: object) => client.patch(Apple, inDefault('a'), { type: 'merge', body })
    await until(() =>
      patch({ spec: { size: 51 } }).then(
        () => false,
        () => true,
      ),
    )
    expect(await patch({ spec: { color: 'green' } })).toMatchObject({ spec: { color: 'green' } })
  })

  it('can be selected by the fields that its definition names', async () => {
    await define([version('v1', { selectableFields: [{ jsonPath: '.spec.color' }] })])
    await client.create(Apple, apple('a', { spec: { color: 'red' } }))
    await client.create(Apple, apple('b', { spec: { color: 'green' } }))
    expect((await client.list(Apple, { fieldSelector: 'spec.color=red' })).items.map(({ metadata }) => metadata.name)).toEqual(['a'])
    await expect(client.list(Apple, { fieldSelector: 'spec.size=1' })).rejects.toThrow('field label not supported: spec.size')
  })

  it('is scaled where its definition says how', async () => {
    const replicas = { type: 'object', properties: { replicas: { type: 'integer' } } }
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
    await define([version('v1', { subresources: { status: {}, scale } }, { properties: { spec: replicas, status: replicas } })])
    await client.create(Apple, apple('a', { spec: { replicas: 2 } }))
    const request = { subresource: 'scale', verb: 'patch', patch: 'merge' } as never
    expect(
      await client.subresource(Apple, inDefault('a'), { ...(request as object), body: { spec: { replicas: 5 } } } as never),
    ).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 5 },
    })
    expect(await client.get(Apple, inDefault('a'))).toMatchObject({ spec: { replicas: 5 }, metadata: { generation: 2 } })
  })
})

describe('[CR4] versions', () => {
  const both = [
    version('v1'),
    version('v2', { deprecated: true }, { properties: { spec: { ...SPEC, properties: { size: { type: 'integer' } } } } }),
  ]

  it('show the same object, each in its own form', async () => {
    await define(both)
    await client.create(Apple, apple('a', { spec: { size: 1, color: 'red' } }))
    expect(await client.get(AppleV2, inDefault('a'))).toMatchObject({ apiVersion: 'shop.test/v2', spec: { size: 1 } })
    expect((await client.get(AppleV2, inDefault('a'))).spec).not.toHaveProperty('color')
    expect(await client.get(Apple, inDefault('a'))).toMatchObject({ apiVersion: 'shop.test/v1', spec: { color: 'red' } })
  })

  it('are watched each in its own form', async () => {
    await define(both)
    const events: WatchEvent<ApiObject>[] = []
    const watch = client.watch(AppleV2, {}, { event: event => events.push(event), closed: () => undefined })
    await client.create(Apple, apple('a', { spec: { size: 1 } }))
    await until(() => events.length > 0)
    expect(events[0]).toMatchObject({ type: 'ADDED', object: { apiVersion: 'shop.test/v2' } })
    watch[Symbol.dispose]()
  })

  it('keep objects that were stored in another one', async () => {
    await define(both)
    await client.create(Apple, apple('a', { spec: { size: 1 } }))
    const current = draft(await client.get(CustomResourceDefinition, { name: 'apples.shop.test' }))
    current.spec.versions = [version('v1', { storage: false }), version('v2', { storage: true })] as never
    const updated = await client.update(CustomResourceDefinition, current as never)
    expect(updated.status.storedVersions).toEqual(['v1', 'v2'])
    await client.create(AppleV2, apple('b', { spec: { size: 2 } }))
    expect((await client.list(Apple)).items).toMatchObject([
      { apiVersion: 'shop.test/v1', spec: { size: 1 } },
      { apiVersion: 'shop.test/v1', spec: { size: 2 } },
    ])
  })
})

describe('[CR5] a definition that is deleted', () => {
  it('takes its objects along, and is gone after them', async () => {
    await define()
    await client.create(Apple, apple('a'))
    const going = (await client.delete(CustomResourceDefinition, { name: 'apples.shop.test' }))!
    expect(going.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    await until(() =>
      client.get(CustomResourceDefinition, { name: 'apples.shop.test' }).then(
        () => false,
        () => true,
      ),
    )
    await expect(client.list(Apple)).rejects.toMatchObject({ code: 404 })
    await define()
    expect((await client.list(Apple)).items).toEqual([])
  })

  it('waits for objects that somebody holds, and lets no new ones in', async () => {
    await define()
    await client.create(Apple, { metadata: { namespace: 'default', name: 'a', finalizers: ['shop.test/hold'] } } as never)
    await client.delete(CustomResourceDefinition, { name: 'apples.shop.test' })
    await until(async () => (await conditionOf('apples.shop.test', 'Terminating'))?.reason === 'InstanceDeletionInProgress')
    await expect(client.create(Apple, apple('b'))).rejects.toMatchObject({ code: 405 })
    const held = draft(await client.get(Apple, inDefault('a')))
    delete held.metadata.finalizers
    await client.update(Apple, held as never)
    await until(() =>
      client.get(CustomResourceDefinition, { name: 'apples.shop.test' }).then(
        () => false,
        () => true,
      ),
    )
  })
})

describe('[CR1] several API servers on one store', () => {
  it('serve the same, whichever was told', async () => {
    const other = createApiServer({
      store,
      kinds: builtInKinds,
      clock,
      random: seededRandom(2),
      log: silentLogger,
      authorizer: alwaysAllow,
    })
    await other.ready()
    const neighbour = directClient(other.handler, { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test/2' })
    await define()
    await until(() =>
      neighbour.create(Apple, apple('a', { spec: { size: 1 } })).then(
        () => true,
        () => false,
      ),
    )
    expect(await client.get(Apple, inDefault('a'))).toMatchObject({ spec: { size: 1 } })
    await neighbour.delete(CustomResourceDefinition, { name: 'apples.shop.test' })
    await until(() =>
      client.list(Apple).then(
        () => false,
        () => true,
      ),
    )
    await other.stop()
  })
})

describe('what is nested beyond measure', () => {
  const nested = (depth: number, of: (inner: object) => object, innermost: object) => {
    let value = innermost
    for (let level = 0; level < depth; level++) value = of(value)
    return value
  }

  it.each([100, 20_000])('is taken or refused as a whole: a schema %d deep', async depth => {
    const schema = nested(depth, inner => ({ type: 'object', properties: { a: inner } }), { type: 'string' })
    const outcome = await client.create(CustomResourceDefinition, definition([version('v1', {}, { properties: { spec: schema } })])).then(
      () => 'taken',
      (error: { code?: number }) => error.code,
    )
    expect([depth, outcome]).toEqual([depth, depth < 1000 ? 'taken' : 400])
  })

  it.each([1000, 8000])('is taken or refused as a whole: an object %d deep', async depth => {
    await define([version('v1', {}, { 'x-kubernetes-preserve-unknown-fields': true })])
    const outcome = await client.create(Apple, apple('a', { deep: nested(depth, inner => ({ a: inner }), {}) })).then(
      () => 'taken',
      (error: { code?: number }) => error.code,
    )
    expect(['taken', 400]).toContain(outcome)
    expect((await client.list(Apple)).items).toHaveLength(outcome === 'taken' ? 1 : 0)
  })
})
