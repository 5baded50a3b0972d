import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { statusErrorOf } from '#machinery/status/status-error.ts'
import { clientSuite } from '../client.suite.ts'
import { FakeApi } from '../fake/fake-api.ts'
import { FakeServer } from '../fake/fake-server.ts'
import { type HttpClientOptions, httpClient } from './http-client.ts'

function start(options: Partial<HttpClientOptions> = {}) {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  const server = new FakeServer(api.client(), kindRegistry(builtInKinds))
  const client = httpClient({ server: 'http://fake', dial: () => server.dial(), clock, ...options })
  return {
    api,
    clock,
    server,
    client,
    settle: async () => {
      for (let turn = 0; turn < 40; turn++) await clock.advance(0)
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      server[Symbol.dispose]()
      await clock.advance(0)
      expect(clock.pending()).toBe(0)
    },
  }
}

clientSuite('the HTTP transport', async () => start())

describe('over the wire', () => {
  const settings = { metadata: { name: 'settings', namespace: 'default' } }

  it('says who asks', async () => {
    let token = 'first'
    await using test = start({ token: () => token, userAgent: 'tester/1', impersonate: { user: 'alice', groups: ['devs'] } })
    await test.client.list(ConfigMap)
    token = 'second'
    await test.client.list(ConfigMap)
    expect(test.server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second'])
    expect(test.server.requests[0]!.headers).toMatchObject({
      'user-agent': 'tester/1',
      'impersonate-user': 'alice',
      'impersonate-group': 'devs',
    })
  })

  it('asks in the words of the API', async () => {
    await using test = start()
    await test.client.create(ConfigMap, settings, { dryRun: true, fieldManager: 'me', fieldValidation: 'Strict' })
    await test.client.list(ConfigMap, { namespace: 'default', labelSelector: 'a in (b,c)', limit: 5 })
    const apply = { type: 'apply', body: { apiVersion: 'v1', kind: 'ConfigMap', ...settings }, force: true } as const
    await test.client.patch(ConfigMap, settings, apply, { fieldManager: 'me' })
    await test.client.delete(ConfigMap, settings, { propagationPolicy: 'Foreground', gracePeriodSeconds: 0 })
    const [create, list, patch, remove] = test.server.requests
    expect(create!.url.href).toBe('http://fake/api/v1/namespaces/default/configmaps?fieldManager=me&fieldValidation=Strict&dryRun=All')
    expect(list!.url.search).toBe('?labelSelector=a+in+%28b%2Cc%29&limit=5')
    expect(patch!.headers['content-type']).toBe('application/apply-patch+yaml')
    expect(patch!.url.search).toBe('?fieldManager=me&force=true')
    expect(remove!.body).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground', gracePeriodSeconds: 0 })
  })

  it('loses nothing of what comes in one packet with the head of its answer', async () => {
    let server: FakeServer
    await using test = start({ dial: () => inOnePacket(server.dial()) })
    server = test.server
    await test.client.create(ConfigMap, settings)
    const seen: string[] = []
    const sink = { event: ({ object }: { object: ConfigMap }) => seen.push(object.metadata.name!), closed: () => seen.push('closed') }
    using _ = test.client.watch(ConfigMap, { resourceVersion: '0' }, sink)
    for (let turn = 0; turn < 20 && seen.length === 0; turn++) await test.settle()
    expect(seen).toEqual(['settings'])
  })

  it('gets a new connection after the old one broke', async () => {
    await using test = start()
    await test.client.list(ConfigMap)
    test.server.cut()
    await test.settle()
    expect((await test.client.list(ConfigMap)).items).toEqual([])
  })

  it('reports a connection that broke in the middle as an unknown outcome', async () => {
    await using test = start()
    test.server.intercept = () => {
      test.server.cut()
      return { status: 200 }
    }
    const error = await test.client.create(ConfigMap, settings).catch((error: unknown) => error)
    expect(statusErrorOf(error)?.code).toBe(503)
  })

  it('does not wait for ever', async () => {
    await using test = start({ timeoutMs: 5_000 })
    test.server.intercept = () => 'nothing'
    const outcome = expect(test.client.list(ConfigMap)).rejects.toMatchObject({ code: 504, reason: 'Timeout' })
    await test.settle()
    await test.clock.advance(5_000)
    await outcome
  })

  it('tries again when the server asks for it', async () => {
    await using test = start()
    let refusals = 2
    test.server.intercept = () => (refusals-- > 0 ? { status: 429, headers: { 'retry-after': '1' }, body: 'busy' } : undefined)
    const pending = test.client.list(ConfigMap)
    for (let turn = 0; turn < 4; turn++) {
      await test.settle()
      await test.clock.advance(1_000)
    }
    expect((await pending).items).toEqual([])
    expect(test.server.requests).toHaveLength(3)
  })

  it('makes sense of answers that are no Status', async () => {
    await using test = start()
    test.server.intercept = () => ({ status: 502, body: '<html>bad gateway</html>' })
    await expect(test.client.list(ConfigMap)).rejects.toMatchObject({ code: 502, reason: 'InternalError' })
    test.server.intercept = () => ({ status: 401, body: '' })
    await expect(test.client.list(ConfigMap)).rejects.toMatchObject({ code: 401, reason: 'Unauthorized' })
  })

  it('passes warnings on', async () => {
    const warnings: string[] = []
    await using test = start({ warn: text => warnings.push(text) })
    test.server.intercept = () => ({ status: 200, headers: { warning: '299 - "policy/v0 is \\"old\\""' }, body: '{"items":[]}' })
    await test.client.list(ConfigMap)
    expect(warnings).toEqual(['policy/v0 is "old"'])
  })

  it('spaces requests out', async () => {
    await using test = start({ limit: { qps: 10, burst: 2 } })
    const pending = Promise.all([1, 2, 3, 4].map(() => test.client.list(ConfigMap)))
    await test.settle()
    expect(test.server.requests).toHaveLength(2)
    await test.clock.advance(100)
    await test.settle()
    expect(test.server.requests).toHaveLength(3)
    await test.clock.advance(100)
    await pending
  })

  it('finds out by pings that a connection is dead', async () => {
    await using test = start()
    await test.client.list(ConfigMap)
    await test.clock.advance(30_000)
    await test.settle()
    expect((await test.client.list(ConfigMap)).items).toEqual([])
  })
})

/** A connection that hands over at once whatever the other side said within a while. */
function inOnePacket(far: Duplex): Duplex {
  let packet: Buffer[] = []
  const near = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => void far.write(chunk, () => done()),
    final: done => void far.end(() => done()),
    destroy(error, done) {
      far.destroy()
      done(error)
    },
  })
  const hand = (turns: number) => {
    if (turns > 0) return void setImmediate(hand, turns - 1)
    near.push(Buffer.concat(packet))
    packet = []
  }
  far.on('data', (chunk: Buffer) => {
    if (packet.push(chunk) === 1) hand(20)
  })
  far.on('close', () => near.destroy())
  return near
}
