import { connect } from 'node:http2'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { decode } from '#machinery/schema/decode.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import type { Authenticator } from '../authentication/authenticator.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { httpsClient } from '../webhooks/https-client.ts'
import { Audit, type AuditMode } from './audit.ts'
import type { AuditEvent } from './audit-event.ts'
import { AuditPolicy } from './audit-policy.ts'

const clock = realClock()
// The machine may be busy with other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const certificates = (async () => {
  const authority = certificateAuthority(clock, await newAuthority(clock, 'ca'))
  const { certificate, privateKey } = await authority.issue({
    commonName: 'kube-apiserver',
    organizations: [],
    usages: ['server'],
    ipAddresses: ['127.0.0.1'],
    validSeconds: 3600,
  })
  return { ca: authority.certificate, certificate, key: privateKey }
})()

/** The token is the user; alice may do everything but delete. */
const byToken: Authenticator = {
  name: 'test',
  authenticate: async ({ bearerToken }) =>
    bearerToken === 'bad' ? Promise.reject(new Error('no')) : bearerToken ? { user: { name: bearerToken, groups: ['devs'] } } : undefined,
}
const notDeleting: Authorizer = {
  name: 'test',
  authorize: ({ verb }) => ({
    verdict: verb.startsWith('delete') ? 'no opinion' : 'allow',
    reason: verb.startsWith('delete') ? '' : 'RBAC: may',
  }),
}

let events: AuditEvent[]
let broken: boolean
let store: MemoryStore
let server: ApiServer
let port: number
let client: ReturnType<typeof httpsClient>
const registry = new Registry()

beforeEach(() => {
  events = []
  broken = false
  client = httpsClient(clock)
})

afterEach(async () => {
  client[Symbol.dispose]()
  await server.stop()
  await store.close()
  registry.clear()
})

async function start(policy: object, mode: AuditMode = 'batch'): Promise<void> {
  store = new MemoryStore({ clock })
  server = createApiServer({ store, kinds: builtInKinds, clock, random: seededRandom(1), log: silentLogger, authorizer: notDeleting })
  await server.ready()
  const sink = {
    name: 'test',
    async process(batch: readonly AuditEvent[]) {
      if (broken) throw new Error('the disk is full')
      events.push(...batch.map(event => JSON.parse(JSON.stringify(event)) as AuditEvent))
    },
    async stop() {},
  }
  const audit = new Audit({
    policy: decode(AuditPolicy, policy, { defaults: true, unknown: [] }) as AuditPolicy,
    sinks: [{ sink, mode }],
    clock,
    log: silentLogger,
    registry,
  })
  const { certificate, key } = await certificates
  const listening = await server.listen({
    address: '127.0.0.1',
    port: 0,
    tls: { certificate, key },
    authenticator: byToken,
    audit,
    registry,
  })
  port = listening.port
}

async function call(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}, body?: object) {
  const { ca } = await certificates
  const answer = await client.call({
    method,
    host: '127.0.0.1',
    port,
    path,
    headers: { authorization: 'Bearer alice', 'user-agent': 'test/1', 'content-type': 'application/json', ...headers },
    ...(body ? { body: new TextEncoder().encode(JSON.stringify(body)) } : {}),
    tls: { ca },
    timeoutMs: 20_000,
  })
  return { status: answer.status, text: new TextDecoder().decode(answer.body) }
}

const until = async (count: number) => {
  for (let turn = 0; events.length < count && turn < 10_000; turn++) await new Promise(resolve => setTimeout(resolve, 5))
  return events
}

const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { password: 'hunter2' } }
const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: { holderIdentity: 'me' } }
const maps = '/api/v1/namespaces/default/configmaps'
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

describe('an audited request', () => {
  it('is recorded when it is there and when it is over, with who asked for what and what was decided', async () => {
    await start({ rules: [{ level: 'Metadata' }] })
    await call('POST', `${maps}?dryRun=All`, { 'audit-id': 'my-id', 'x-forwarded-for': '10.1.2.3, nonsense' }, configMap)
    const [received, complete] = await until(2)
    expect(received).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      auditID: 'my-id',
      stage: 'RequestReceived',
      requestURI: `${maps}?dryRun=All`,
      verb: 'create',
      user: { username: 'alice', groups: ['devs'] },
      sourceIPs: ['10.1.2.3', '127.0.0.1'],
      userAgent: 'test/1',
      objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    })
    expect(complete).toMatchObject({
      stage: 'ResponseComplete',
      objectRef: { name: 'c' },
      responseStatus: { metadata: {}, code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': 'RBAC: may' },
    })
    expect(JSON.stringify(events)).not.toContain('hunter2')
    expect(await registry.getSingleMetricAsString('apiserver_audit_event_total')).toContain('apiserver_audit_event_total 2')
  })

  it('shows bodies where the policy asks for them, and those of ConfigMaps only where it names them', async () => {
    await start({ omitStages: ['RequestReceived'], omitManagedFields: true, rules: [{ level: 'RequestResponse' }] })
    await call('POST', leases, {}, lease)
    await call('POST', maps, {}, configMap)
    await call('GET', leases)
    const [made, confidential, list] = await until(3)
    expect(made).toMatchObject({ requestObject: lease, responseObject: { kind: 'Lease', metadata: { name: 'l' } } })
    expect(made!.responseObject).not.toHaveProperty('metadata.managedFields')
    expect(confidential).toMatchObject({ level: 'Metadata' })
    expect(confidential).not.toHaveProperty('requestObject')
    expect(list).toMatchObject({ verb: 'list', responseObject: { kind: 'LeaseList', items: [{ metadata: { name: 'l' } }] } })
  })

  it('that is refused says so, once for each reason to refuse it', async () => {
    await start({ omitStages: ['RequestReceived'], rules: [{ level: 'Metadata' }] })
    await call('GET', `${maps}/none`)
    await call('GET', maps, { authorization: 'Bearer bad' })
    await call('GET', maps, { 'impersonate-group': 'g' })
    const [missing, unknown, ill] = await until(3)
    expect(missing!.responseStatus).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'configmaps "none" not found',
      reason: 'NotFound',
      details: { name: 'none', kind: 'configmaps' },
      code: 404,
    })
    expect(unknown).toMatchObject({ stage: 'ResponseStarted', user: {}, responseStatus: { reason: 'Unauthorized', code: 401 } })
    expect(ill).toMatchObject({ stage: 'ResponseComplete', responseStatus: { code: 400 } })
    await call('GET', `${maps}/none`, { 'audit-id': 'last' })
    expect((await until(4)).map(({ auditID }) => auditID).indexOf('last')).toBe(3)
  })

  it('in the name of somebody else shows both', async () => {
    await start({ omitStages: ['RequestReceived'], rules: [{ level: 'Metadata', users: ['alice'] }] })
    await call('GET', leases, { 'impersonate-user': 'bob' })
    expect((await until(1))[0]).toMatchObject({
      user: { username: 'alice' },
      impersonatedUser: { username: 'bob', groups: ['system:authenticated'] },
      authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
    })
  })

  it('that lasts is recorded when its answer begins, too', async () => {
    await start({ rules: [{ level: 'Metadata' }] })
    await call('GET', `${leases}?watch=true&timeoutSeconds=1`)
    const all = await until(3)
    expect(all.map(({ stage, verb }) => `${verb} ${stage}`)).toEqual([
      'watch RequestReceived',
      'watch ResponseStarted',
      'watch ResponseComplete',
    ])
  })

  it('over HTTP/2 is recorded as any other', async () => {
    await start({ rules: [{ level: 'Metadata' }] })
    const { ca } = await certificates
    const session = connect(`https://127.0.0.1:${port}`, { ca })
    const request = session.request({ ':path': `${leases}?watch=true&timeoutSeconds=1`, authorization: 'Bearer alice' })
    request.resume()
    await new Promise(resolve => request.once('close', resolve))
    session.close()
    const all = await until(3)
    expect(all.map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseStarted', 'ResponseComplete'])
  })

  it('is not let in by strict blocking when it cannot be recorded, and is by blocking', async () => {
    await start({ rules: [{ level: 'Metadata' }] }, 'blocking-strict')
    broken = true
    expect(await call('POST', leases, {}, lease)).toMatchObject({ status: 500 })
    broken = false
    expect(await call('GET', `${leases}/l`)).toMatchObject({ status: 404 })
  })

  it('of no rule is not recorded', async () => {
    await start({
      rules: [{ level: 'None', resources: [{ group: 'coordination.k8s.io' }] }, { level: 'Metadata' }],
      omitStages: ['RequestReceived'],
    })
    await call('GET', leases)
    await call('GET', '/version')
    expect(await until(1)).toMatchObject([{ verb: 'get', requestURI: '/version' }])
  })
})
