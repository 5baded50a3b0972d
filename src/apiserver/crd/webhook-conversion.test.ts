import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Client, WatchEvent } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { type AnyKind, type ApiObject, defineKind } from '#machinery/kind/kind.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'
import { type HttpsServer, httpsServer } from '../webhooks/https-server.fixture.ts'
import { type WebhookClient, webhookClient } from '../webhooks/webhook-client.ts'
import { conversions } from './webhook-conversion.ts'

const pearKind = (version: string): AnyKind =>
  defineKind({ group: 'shop.test', version, kind: 'Pear', plural: 'pears', scope: 'Namespaced', openapi: `test.shop.${version}` })
const PearV1 = pearKind('v1')
const PearV2 = pearKind('v2')

interface Sent {
  readonly apiVersion: string
  readonly spec: { readonly grams?: number; readonly kilos?: number }
}

/** Version 1 counts grams, version 2 kilos. */
const convertPear = (pear: Sent, apiVersion: string): object => {
  const grams = pear.spec.grams ?? (pear.spec.kilos ?? 0) * 1000
  return { ...pear, apiVersion, spec: apiVersion.endsWith('v1') ? { grams } : { kilos: grams / 1000 } }
}

let server: ApiServer
let client: Client
let store: MemoryStore
let webhook: HttpsServer
let webhooks: WebhookClient
let answer: (review: { request: { uid: string; desiredAPIVersion: string; objects: Sent[] } }) => object | undefined

const good: typeof answer = ({ request: { uid, desiredAPIVersion, objects } }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'ConversionReview',
  response: { uid, result: { status: 'Success' }, convertedObjects: objects.map(object => convertPear(object, desiredAPIVersion)) },
})

beforeEach(async () => {
  const clock = realClock()
  store = new MemoryStore({ clock })
  answer = good
  webhook = await httpsServer(({ body }) => {
    const said = answer(body as never)
    return said && { body: said }
  })
  const resolver = {
    resolve(): never {
      throw new Error('no Service is asked for')
    },
  }
  webhooks = webhookClient({ resolver, clock })
  const random = seededRandom(1)
  const conversion = conversions({ webhooks, random })
  server = createApiServer({ store, kinds: builtInKinds, clock, random, log: silentLogger, authorizer: alwaysAllow, conversion })
  client = directClient(server.handler, { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test/1' })
  await server.ready()
  await client.create(CustomResourceDefinition, definition())
  await until(async () => {
    const { status } = await client.get(CustomResourceDefinition, { name: 'pears.shop.test' })
    return status.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false
  })
})

afterEach(async () => {
  await server.stop()
  webhooks[Symbol.dispose]()
  await webhook[Symbol.asyncDispose]()
  await store.close()
})

const until = async (condition: () => Promise<boolean> | boolean) => {
  for (let attempt = 0; attempt < 2000; attempt++) {
    if (await condition()) return
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  throw new Error(`was not to be seen: ${condition}`)
}
const definition = () => {
  const version = (name: string, field: string) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { [field]: { type: 'number', maximum: 1_000_000 } } } },
      },
    },
  })
  const clientConfig = { url: `${webhook.url}/convert`, caBundle: webhook.caBundle }
  return {
    metadata: { name: 'pears.shop.test' },
    spec: {
      group: 'shop.test',
      scope: 'Namespaced',
      names: { plural: 'pears', kind: 'Pear' },
      versions: [version('v1', 'grams'), version('v2', 'kilos')],
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } },
    },
  } as never
}
const pear = (name: string, spec: object) => ({ metadata: { namespace: 'default', name }, spec }) as never
const inDefault = (name: string) => ({ namespace: 'default', name })

describe('[CR4] a webhook that converts', () => {
  it('is asked where an object is shown in another version than it is stored in', async () => {
    await client.create(PearV1, pear('a', { grams: 2000 }))
    expect(webhook.asked).toHaveLength(0)
    expect(await client.get(PearV2, inDefault('a'))).toMatchObject({ apiVersion: 'shop.test/v2', spec: { kilos: 2 } })
    expect(await client.get(PearV2, inDefault('a'))).toMatchObject({ spec: { kilos: 2 } })
    expect(webhook.asked).toHaveLength(1)
    expect(webhook.asked[0]).toMatchObject({ path: '/convert?timeout=30s', body: { kind: 'ConversionReview' } })
  })

  it('is asked before an object is stored', async () => {
    expect(await client.create(PearV2, pear('a', { kilos: 3 }))).toMatchObject({ apiVersion: 'shop.test/v2', spec: { kilos: 3 } })
    expect(await client.get(PearV1, inDefault('a'))).toMatchObject({ apiVersion: 'shop.test/v1', spec: { grams: 3000 } })
  })

  it('is asked once about a list', async () => {
    for (const name of ['a', 'b', 'c']) await client.create(PearV1, pear(name, { grams: 1000 }))
    const { items } = await client.list(PearV2)
    expect(items).toMatchObject([{ spec: { kilos: 1 } }, { spec: { kilos: 1 } }, { spec: { kilos: 1 } }])
    expect(webhook.asked).toHaveLength(1)
  })

  it('is asked about what a watch shows, in order', async () => {
    const events: WatchEvent<ApiObject>[] = []
    const watch = client.watch(PearV2, {}, { event: event => events.push(event), closed: () => undefined })
    await client.create(PearV1, pear('a', { grams: 1000 }))
    await client.patch(PearV1, inDefault('a'), { type: 'merge', body: { spec: { grams: 2000 } } })
    await client.delete(PearV1, inDefault('a'))
    await until(() => events.length === 3)
    expect(events.map(({ type, object }) => [type, (object as unknown as Sent).spec.kilos])).toEqual([
      ['ADDED', 1],
      ['MODIFIED', 2],
      ['DELETED', 2],
    ])
    watch[Symbol.dispose]()
  })

  it('lets who applied in one version own the same in another', async () => {
    const apply = (kind: AnyKind, spec: object, fieldManager: string) =>
      client.patch(
        kind,
        inDefault('a'),
        { type: 'apply', body: { apiVersion: kind.apiVersion, kind: 'Pear', metadata: { name: 'a' }, spec } },
        { fieldManager },
      )
    await apply(PearV1, { grams: 1000 }, 'one')
    await expect(apply(PearV2, { kilos: 2 }, 'two')).rejects.toThrow('conflict with "one"')
    expect(await apply(PearV2, { kilos: 1 }, 'two')).toMatchObject({ spec: { kilos: 1 } })
  })
})

describe('[CR6] a conversion that fails', () => {
  it('fails the request, and stores nothing', async () => {
    answer = ({ request: { uid } }) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid, result: { status: 'Failure', message: 'pears are out of season' } },
    })
    await expect(client.create(PearV2, pear('a', { kilos: 3 }))).rejects.toThrow(
      'conversion webhook for shop.test/v2, Kind=Pear failed: pears are out of season',
    )
    expect((await client.list(PearV1)).items).toEqual([])
    answer = good
    await client.create(PearV2, pear('a', { kilos: 3 }))
  })

  it.each<[string, (object: Sent) => object, string]>([
    ['another name', object => ({ ...object, metadata: { name: 'b', namespace: 'default' } }), 'must have the same name'],
    ['another kind', object => ({ ...object, kind: 'Apple' }), 'invalid kind (expected Pear, received Apple)'],
    ['the old version', object => ({ ...object, apiVersion: 'shop.test/v1' }), 'invalid groupVersion'],
  ])('is one that answers with %s', async (_, change, why) => {
    await client.create(PearV1, pear('a', { grams: 1 }))
    answer = review => {
      const said = good(review) as { response: { convertedObjects: Sent[] } }
      return { ...said, response: { ...said.response, convertedObjects: said.response.convertedObjects.map(change) } }
    }
    await expect(client.get(PearV2, inDefault('a'))).rejects.toThrow(why)
  })

  it('does not keep the definition from being deleted with its objects', async () => {
    await client.create(PearV1, pear('a', { grams: 1 }))
    answer = () => undefined
    await client.delete(CustomResourceDefinition, { name: 'pears.shop.test' })
    await until(() =>
      client.get(CustomResourceDefinition, { name: 'pears.shop.test' }).then(
        () => false,
        () => true,
      ),
    )
  })
})
