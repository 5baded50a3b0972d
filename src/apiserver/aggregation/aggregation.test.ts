import type { IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import type { Attributes } from '../authorization/authorizer.ts'
import { type Answered, type Asked, type HttpsServer, httpsServer, testAuthority } from '../webhooks/https-server.fixture.ts'
import { Aggregation } from './aggregation.ts'
import { keepLocalApiServices, type LocalApiServices } from './local-api-services.ts'

const clock = realClock()
let store: MemoryStore
let server: ApiServer
let client: Client
let informers: Informers
let aggregation: Aggregation
let local: LocalApiServices
let extension: HttpsServer
let port: number
let allowed: (attributes: Attributes) => boolean
let authorized: Attributes[]
let answer: (asked: Asked) => Answered | undefined | Promise<Answered | undefined>

const RESOURCES = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'metrics.example.com/v1',
  resources: [
    { name: 'widgets', singularName: 'widget', namespaced: true, kind: 'Widget', verbs: ['get', 'list'] },
    { name: 'widgets/status', singularName: '', namespaced: true, kind: 'Widget', verbs: ['get'] },
  ],
}
const discovery = ({ path }: Asked): Answered | undefined => (path === '/apis/metrics.example.com/v1' ? { body: RESOURCES } : undefined)

beforeEach(async () => {
  store = new MemoryStore({ clock })
  authorized = []
  allowed = () => true
  answer = asked => discovery(asked) ?? { body: { path: asked.path } }
  extension = await httpsServer(asked => answer(asked), ['metrics.shop.svc'])
  server = createApiServer({
    store,
    kinds: builtInKinds,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authorizer: {
      name: 'test',
      authorize(attributes) {
        authorized.push(attributes)
        return { verdict: allowed(attributes) ? 'allow' : 'no opinion', reason: '' }
      },
    },
    aggregation: () => aggregation,
  })
  client = directClient(server.handler, { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test' })
  informers = newInformers({ client, clock, log: silentLogger })
  await server.ready()
  const ca = await testAuthority()
  const proof = await ca.issue({ commonName: 'front-proxy', usages: ['client'], validSeconds: 600 })
  // Endpoints may not be on loopback, so the way from the Service to the test's server is short.
  const resolver = { resolve: () => ({ host: '127.0.0.1', port: extension.port }) }
  aggregation = new Aggregation({ client, informers, resolver, clock, log: silentLogger, credential: proof })
  local = keepLocalApiServices({ client, informers, kinds: server.kinds, clock, log: silentLogger })
  const own = await ca.issue({ commonName: 'apiserver', ipAddresses: ['127.0.0.1'], usages: ['server'], validSeconds: 600 })
  const authenticator = {
    name: 'test',
    async authenticate({ headers }: { headers: Readonly<Record<string, unknown>> }) {
      const name = headers['authorization'] === 'Bearer ann' ? 'ann' : 'nobody'
      return { user: { name, uid: 'u1', groups: ['devs', 'système'], extra: { 'example.com/Scopes': ['a', 'b'] } } }
    },
  }
  const listening = await server.listen({
    address: '127.0.0.1',
    port: 0,
    tls: { certificate: own.certificate, key: own.privateKey },
    authenticator,
  })
  port = listening.port
})

afterEach(async () => {
  await local[Symbol.asyncDispose]()
  await aggregation[Symbol.asyncDispose]()
  await informers[Symbol.asyncDispose]()
  await server.stop()
  await extension[Symbol.asyncDispose]()
  await store.close()
})

async function register(more: object = { caBundle: extension.caBundle }): Promise<void> {
  const spec = {
    group: 'metrics.example.com',
    version: 'v1',
    groupPriorityMinimum: 17050,
    versionPriority: 10,
    service: { namespace: 'shop', name: 'metrics' },
  }
  await client.create(APIService, { metadata: { name: 'v1.metrics.example.com' }, spec: { ...spec, ...more } })
}

async function serviceAndEndpoints(): Promise<void> {
  await client.create(Service, {
    metadata: { namespace: 'shop', name: 'metrics' },
    spec: { clusterIP: '10.0.0.9', clusterIPs: ['10.0.0.9'], ports: [{ port: 443 }] },
  } as never)
  await client.create(EndpointSlice, {
    metadata: { namespace: 'shop', name: 'metrics-1', labels: { 'kubernetes.io/service-name': 'metrics' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.0.9'], conditions: { ready: true } }],
    ports: [{ name: '', port: 8443 }],
  })
}

function conditionOf(name: string) {
  return informers.of(APIService).get('', name)?.status.conditions?.[0]
}

/** Resolves once the APIService says so of itself. */
function says(reason: string, name = 'v1.metrics.example.com'): Promise<NonNullable<ReturnType<typeof conditionOf>>> {
  return new Promise(resolve => {
    const following = informers.of(APIService).watchKey('', name, look)
    function look() {
      const condition = conditionOf(name)
      if (condition?.reason !== reason) return
      following[Symbol.dispose]()
      resolve(condition)
    }
    look()
  })
}

async function available(): Promise<void> {
  await serviceAndEndpoints()
  await register()
  await says('Passed')
  await aggregation.idle()
  extension.asked.length = 0
}

async function ask(
  path: string,
  options: RequestOptions = {},
  body?: string,
): Promise<{ status: number; said: string; headers: IncomingMessage['headers'] }> {
  const call = httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    rejectUnauthorized: false,
    ...options,
    headers: { authorization: 'Bearer ann', ...options.headers },
  })
  call.end(body)
  const response = await new Promise<IncomingMessage>((resolve, reject) => call.on('response', resolve).on('error', reject))
  return { status: response.statusCode ?? 0, said: await text(response), headers: response.headers }
}

describe('an APIService', () => {
  it('is there for every version that this server serves, and available', async () => {
    await local.registered()
    expect(informers.of(APIService).get('', 'v1.apps')).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] },
    })
    expect(informers.of(APIService).get('', 'v1.apiregistration.k8s.io')).toBeUndefined()
  })

  it('comes and goes with custom resources', async () => {
    const kind = {
      ...builtInKinds.find(({ kind: name }) => name === 'ConfigMap')!,
      group: 'shop.example.com',
      isCustom: true,
      apiVersion: 'shop.example.com/v1',
      storagePrefix: 'shop',
    }
    await server.addKind(kind)
    await local.registered()
    expect(informers.of(APIService).get('', 'v1.shop.example.com')).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
      spec: { groupPriorityMinimum: 1000, versionPriority: 100 },
    })
    server.removeKind(kind)
    await local.registered()
    expect(informers.of(APIService).get('', 'v1.shop.example.com')).toBeUndefined()
  })

  it('says what is missing of the server behind a Service', async () => {
    await register()
    expect(await says('ServiceNotFound')).toMatchObject({ status: 'False', message: 'service/metrics in "shop" is not present' })
    const service = await client.create(Service, {
      metadata: { namespace: 'shop', name: 'metrics' },
      spec: { clusterIP: '10.0.0.9', clusterIPs: ['10.0.0.9'], ports: [{ port: 80 }] },
    } as never)
    expect(await says('ServicePortError')).toMatchObject({ message: 'service/metrics in "shop" is not listening on port 443' })
    await client.delete(Service, service)
    await serviceAndEndpoints()
    await says('Passed')
    const slice = informers.of(EndpointSlice).get('shop', 'metrics-1')!
    await client.update(EndpointSlice, { ...slice, endpoints: [{ addresses: ['10.1.0.9'], conditions: { ready: false } }] })
    expect(await says('MissingEndpoints')).toMatchObject({
      message: 'endpointslices for service/metrics in "shop" have no addresses with port name ""',
    })
    await client.delete(EndpointSlice, slice)
    expect(await says('EndpointsNotFound')).toMatchObject({ message: 'cannot find endpointslices for service/metrics in "shop"' })
  })

  it('says that the server answers, or how it fails to', async () => {
    answer = () => ({ status: 403 })
    await serviceAndEndpoints()
    await register()
    const url = `https://127.0.0.1:${extension.port}/apis/metrics.example.com/v1`
    expect(await says('FailedDiscoveryCheck')).toMatchObject({
      status: 'False',
      message: `failing or missing response from ${url}: bad status from ${url}: 403`,
    })
    answer = asked => discovery(asked)
    expect(await says('Passed')).toMatchObject({ status: 'True', message: 'all checks passed' })
  })
})

describe('a request for a group that another server serves', () => {
  it('is passed on in the name of who sends it, whatever he says himself', async () => {
    await available()
    const headers = {
      'audit-id': 'one-id',
      'X-Remote-User': 'root',
      'X-Remote-Group': 'system:masters',
      'x-remote-extra-scopes': 'all',
      X_Remote_User: 'root',
      'x-remote-uid': '0',
      'X-Custom': 'kept',
    }
    const { status, said } = await ask('/apis/metrics.example.com/v1/namespaces/shop/widgets/a%20b?x=1&x=2', { headers })
    expect({ status, said }).toEqual({ status: 200, said: '{"path":"/apis/metrics.example.com/v1/namespaces/shop/widgets/a%20b?x=1&x=2"}' })
    const [asked] = extension.asked
    expect(asked!.headers).toMatchObject({
      'audit-id': 'one-id',
      'x-remote-user': 'ann',
      'x-remote-uid': 'u1',
      'x-remote-group': `devs, ${Buffer.from('système').toString('latin1')}`,
      'x-remote-extra-example.com%2fscopes': 'a, b',
      'x-custom': 'kept',
    })
    expect(asked!.headers).not.toHaveProperty('x-remote-extra-scopes')
    expect(asked!.headers).not.toHaveProperty('x_remote_user')
    expect(asked!.headers).not.toHaveProperty('authorization')
  })

  it('is authorized before', async () => {
    await available()
    allowed = () => false
    const { status } = await ask('/apis/metrics.example.com/v1/namespaces/shop/widgets?watch=true')
    expect(status).toBe(403)
    expect(extension.asked).toEqual([])
    expect(authorized.at(-1)).toMatchObject({
      user: { name: 'ann' },
      verb: 'watch',
      group: 'metrics.example.com',
      version: 'v1',
      resource: 'widgets',
      namespace: 'shop',
    })
  })

  it('goes with its body, and its answer comes back as it is', async () => {
    await available()
    answer = asked => ({ status: 201, headers: { 'x-answer': 'yes', 'content-type': 'text/plain' }, body: JSON.stringify(asked.body) })
    const { status, said, headers } = await ask(
      '/apis/metrics.example.com/v1/namespaces/shop/widgets',
      { method: 'POST', headers: { 'content-type': 'application/json' } },
      '{"a":1}',
    )
    expect({ status, said, answer: headers['x-answer'] }).toEqual({ status: 201, said: '{"a":1}', answer: 'yes' })
  })

  it('is answered bit by bit where it watches', async () => {
    await available()
    let more = (_: string | undefined) => {}
    extension.server.removeAllListeners('request')
    extension.server.on('request', (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"type":"ADDED"}\n')
      more = chunk => void (chunk === undefined ? response.end() : response.write(chunk))
    })
    const call = httpsRequest({
      host: '127.0.0.1',
      port,
      path: '/apis/metrics.example.com/v1/widgets?watch=1',
      agent: false,
      rejectUnauthorized: false,
    })
    call.end()
    const response = await new Promise<IncomingMessage>((resolve, reject) => call.on('response', resolve).on('error', reject))
    const chunks = response[Symbol.asyncIterator]()
    expect(String((await chunks.next()).value)).toBe('{"type":"ADDED"}\n')
    more('{"type":"MODIFIED"}\n')
    expect(String((await chunks.next()).value)).toBe('{"type":"MODIFIED"}\n')
    more(undefined)
    expect((await chunks.next()).done).toBe(true)
  })

  it('may change the protocol', async () => {
    await available()
    extension.server.on('upgrade', (request, socket) => {
      socket.on('error', () => socket.destroy())
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-user: ${request.headers['x-remote-user']}\r\n\r\n`,
      )
      socket.pipe(socket)
    })
    const call = httpsRequest({
      host: '127.0.0.1',
      port,
      path: '/apis/metrics.example.com/v1/namespaces/shop/widgets/a/exec',
      agent: false,
      rejectUnauthorized: false,
      headers: { connection: 'upgrade', upgrade: 'echo', authorization: 'Bearer ann', 'x-remote-user': 'root' },
    })
    call.end()
    const [response, socket] = await new Promise<[IncomingMessage, NodeJS.ReadWriteStream]>((resolve, reject) => {
      call.on('upgrade', (head, stream) => resolve([head, stream])).on('error', reject)
    })
    expect(response.headers['x-user']).toBe('ann')
    socket.on('error', () => undefined)
    socket.write('hello')
    expect(String(await new Promise(resolve => socket.once('data', resolve)))).toBe('hello')
    socket.end()
  })

  it('is refused while nobody answers', async () => {
    await register()
    await says('ServiceNotFound')
    const { status, said, headers } = await ask('/apis/metrics.example.com/v1/widgets')
    expect({ status, said, type: headers['content-type'] }).toEqual({
      status: 503,
      said: 'service unavailable\n',
      type: 'text/plain; charset=utf-8',
    })
  })

  it('is not passed on to whom the certificate does not name', async () => {
    await serviceAndEndpoints()
    await register({ caBundle: btoa('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n') })
    await says('Passed')
    extension.asked.length = 0
    expect((await ask('/apis/metrics.example.com/v1/widgets')).status).toBe(503)
    expect(extension.asked.filter(({ path }) => path.endsWith('/widgets'))).toEqual([])
  })

  it('is not led elsewhere by its answer', async () => {
    await available()
    answer = () => ({ status: 302, headers: { location: 'https://elsewhere.example.com/' } })
    const { status, said, headers } = await ask('/apis/metrics.example.com/v1/widgets')
    expect(status).toBe(502)
    expect(said).toContain('the backend attempted to redirect this request, which is not permitted')
    expect(headers).not.toHaveProperty('location')
  })
})

describe('discovery', () => {
  it('tells of the group where its priority puts it, and passes on what it says of itself', async () => {
    await available()
    const { groups } = JSON.parse((await ask('/apis')).said) as { groups: { name: string; versions: object[] }[] }
    const names = groups.map(({ name }) => name)
    expect(names.slice(names.indexOf('policy'))).toEqual(
      expect.arrayContaining(['policy', 'metrics.example.com', 'rbac.authorization.k8s.io']),
    )
    expect(names.indexOf('metrics.example.com')).toBe(names.indexOf('policy') + 1)
    expect(JSON.parse((await ask('/apis/metrics.example.com')).said)).toMatchObject({
      kind: 'APIGroup',
      preferredVersion: { groupVersion: 'metrics.example.com/v1', version: 'v1' },
    })
    expect(JSON.parse((await ask('/apis/metrics.example.com/v1')).said)).toEqual(RESOURCES)
  })

  it('in one document has its resources, and says when they may be old', async () => {
    await available()
    const aggregated = async () => {
      const headers = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }
      const { items } = JSON.parse((await ask('/apis', { headers })).said) as {
        items: { metadata: { name: string }; versions: object[] }[]
      }
      return items.find(({ metadata }) => metadata.name === 'metrics.example.com')?.versions
    }
    expect(await aggregated()).toEqual([
      {
        version: 'v1',
        resources: [
          {
            resource: 'widgets',
            responseKind: { group: '', version: '', kind: 'Widget' },
            scope: 'Namespaced',
            singularResource: 'widget',
            verbs: ['get', 'list'],
            subresources: [{ subresource: 'status', responseKind: { group: '', version: '', kind: 'Widget' }, verbs: ['get'] }],
          },
        ],
        freshness: 'Current',
      },
    ])
    await client.delete(APIService, { name: 'v1.metrics.example.com' })
    expect(await aggregated()).toBeUndefined()
    await register({ caBundle: btoa('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n') })
    await says('Passed')
    await aggregation.idle()
    expect(await aggregated()).toEqual([{ version: 'v1', freshness: 'Stale' }])
  })
})

describe('OpenAPI', () => {
  const v3 = '/openapi/v3/apis/metrics.example.com/v1'
  const mine = (type: string) => ({ type, description: 'mine' })
  const documents: Record<string, object> = {
    '/openapi/v3': {
      paths: { 'apis/metrics.example.com/v1': { serverRelativeURL: `${v3}?hash=H` }, version: { serverRelativeURL: '/x' } },
    },
    [v3]: { openapi: '3.0.0', of: 'metrics' },
    '/openapi/v2': {
      swagger: '2.0',
      paths: {
        '/apis/metrics.example.com/v1/widgets': { get: { schema: { $ref: '#/definitions/com.example.Widget' } } },
        '/apis/other.example.com/v1/gadgets': { get: { schema: { $ref: '#/definitions/com.example.Gadget' } } },
      },
      definitions: {
        'com.example.Widget': { properties: { port: { $ref: '#/definitions/io.k8s.api.core.v1.EndpointPort' } } },
        'io.k8s.api.core.v1.EndpointPort': mine('object'),
        'com.example.Gadget': mine('object'),
      },
    },
  }

  beforeEach(() => {
    answer = asked => {
      const document = documents[asked.path.split('?')[0]!]
      return document ? { body: document } : discovery(asked)
    }
  })

  it('of version 3 names the document of the server, which tells it itself', async () => {
    await available()
    const { paths } = JSON.parse((await ask('/openapi/v3')).said) as { paths: Record<string, object> }
    expect(paths['apis/metrics.example.com/v1']).toEqual({ serverRelativeURL: `${v3}?hash=H` })
    expect(paths).toHaveProperty('apis/apps/v1')
    expect(JSON.parse((await ask(`${v3}?hash=H`)).said)).toEqual({ openapi: '3.0.0', of: 'metrics' })
  })

  it('of version 2 has its paths and types, under other names where they are called as others', async () => {
    await available()
    type Read = { paths: Record<string, object>; definitions: Record<string, object> }
    const read = async () => JSON.parse((await ask('/openapi/v2')).said) as Read
    const { paths, definitions } = await read()
    expect(paths).toHaveProperty(['/apis/metrics.example.com/v1/widgets'])
    expect(paths).not.toHaveProperty(['/apis/other.example.com/v1/gadgets'])
    expect(paths).toHaveProperty(['/api/v1/pods'])
    expect(definitions).not.toHaveProperty(['com.example.Gadget'])
    expect(definitions['com.example.Widget']).toEqual({
      properties: { port: { $ref: '#/definitions/io.k8s.api.core.v1.EndpointPort_v2' } },
    })
    expect(definitions['io.k8s.api.core.v1.EndpointPort_v2']).toEqual(mine('object'))
    await client.delete(APIService, { name: 'v1.metrics.example.com' })
    expect((await read()).definitions).not.toHaveProperty(['com.example.Widget'])
  })
})
