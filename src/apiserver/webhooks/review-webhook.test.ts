import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { webhookTokenAuthenticator } from '../authentication/webhook-token.ts'
import type { Attributes } from '../authorization/authorizer.ts'
import { webhookAuthorizer } from '../authorization/webhook-authorizer.ts'
import { type Answered, type Asked, type HttpsServer, httpsServer } from './https-server.fixture.ts'
import { reviewWebhook } from './review-webhook.ts'
import { type WebhookClient, webhookClient } from './webhook-client.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('base64')

let clock: VirtualClock
let asked: JsonObject[]
let status: JsonObject | Error

const ask = async (review: object) => {
  asked.push(review as JsonObject)
  if (status instanceof Error) throw status
  return { status }
}

beforeEach(() => {
  clock = virtualClock()
  asked = []
  status = {}
})

describe('the authorization webhook', () => {
  const user = { name: 'ann', uid: 'u', groups: ['devs'], extra: { scopes: ['a'] } }
  const attributes: Attributes = {
    user,
    verb: 'list',
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    subresource: '',
    namespace: 'shop',
    name: '',
    labelSelector: 'a in (b,c),!d',
    fieldSelector: 'metadata.name=x',
  }
  const options = { authorizedMs: 300_000, unauthorizedMs: 30_000, log: silentLogger }
  const authorizer = (more: object = {}) => webhookAuthorizer({ ...options, ask, clock, ...more })

  it('is asked by a SubjectAccessReview', async () => {
    status = { allowed: true, reason: 'sure' }
    expect(await authorizer().authorize(attributes)).toEqual({ verdict: 'allow', reason: 'sure' })
    expect(asked[0]).toEqual({
      kind: 'SubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      spec: {
        resourceAttributes: {
          namespace: 'shop',
          verb: 'list',
          group: 'apps',
          version: 'v1',
          resource: 'deployments',
          fieldSelector: { requirements: [{ key: 'metadata.name', operator: 'In', values: ['x'] }] },
          labelSelector: {
            requirements: [
              { key: 'a', operator: 'In', values: ['b', 'c'] },
              { key: 'd', operator: 'DoesNotExist' },
            ],
          },
        },
        user: 'ann',
        groups: ['devs'],
        extra: { scopes: ['a'] },
        uid: 'u',
      },
    })
  })

  it('is asked about paths, and in the older version where that is wanted', async () => {
    await authorizer({ version: 'v1beta1' }).authorize({ user, verb: 'get', path: '/healthz' })
    const spec = {
      nonResourceAttributes: { path: '/healthz', verb: 'get' },
      user: 'ann',
      uid: 'u',
      group: ['devs'],
      extra: { scopes: ['a'] },
    }
    expect(asked[0]).toMatchObject({ apiVersion: 'authorization.k8s.io/v1beta1', spec })
  })

  it('decides, or leaves it to others', async () => {
    const verdict = async () => (await authorizer().authorize(attributes)).verdict
    status = { allowed: false }
    expect(await verdict()).toBe('no opinion')
    status = { allowed: false, denied: true }
    expect(await verdict()).toBe('deny')
    status = { allowed: true, denied: true }
    expect(await verdict()).toBe('no opinion')
  })

  it('is asked again when what it said is too old', async () => {
    const own = authorizer()
    status = { allowed: false }
    await own.authorize(attributes)
    await clock.advance(29_000)
    await own.authorize(attributes)
    expect(asked.length).toBe(1)
    await clock.advance(1000)
    status = { allowed: true }
    await own.authorize(attributes)
    await clock.advance(299_000)
    await own.authorize(attributes)
    expect(asked.length).toBe(2)
    await own.authorize({ ...attributes, verb: 'watch' })
    expect(asked.length).toBe(3)
  })

  it('that cannot be asked has no opinion, or denies, and is asked anew', async () => {
    status = new Error('no route to host')
    expect(await authorizer().authorize(attributes)).toMatchObject({ verdict: 'no opinion' })
    const strict = authorizer({ onFailure: 'deny' })
    expect(await strict.authorize(attributes)).toMatchObject({ verdict: 'deny' })
    status = { allowed: true }
    expect(await strict.authorize(attributes)).toMatchObject({ verdict: 'allow' })
  })

  it('is not asked about what its conditions keep from it', async () => {
    const own = authorizer({ matches: (spec: JsonObject) => spec['user'] !== 'ann' })
    expect(await own.authorize(attributes)).toMatchObject({ verdict: 'no opinion' })
    expect(asked).toEqual([])
  })
})

describe('the token webhook', () => {
  const knows = (audiences: readonly string[] = []) => webhookTokenAuthenticator({ ask, clock, digest, audiences, keptMs: 120_000 })
  const known = { authenticated: true, user: { username: 'ann', uid: 'u', groups: ['devs'], extra: { scopes: ['a'] } } }

  it('is asked by a TokenReview, and what it says is remembered', async () => {
    status = known
    const own = knows(['api'])
    const found = { user: { name: 'ann', uid: 'u', groups: ['devs'], extra: { scopes: ['a'] } }, audiences: ['api'] }
    expect(await own.authenticate({ bearerToken: 't', headers: {} })).toEqual(found)
    expect(asked[0]).toMatchObject({
      kind: 'TokenReview',
      apiVersion: 'authentication.k8s.io/v1',
      spec: { token: 't', audiences: ['api'] },
    })
    await clock.advance(119_000)
    expect(await own.authenticate({ bearerToken: 't', headers: {} })).toEqual(found)
    expect(asked.length).toBe(1)
    await clock.advance(1000)
    await own.authenticate({ bearerToken: 't', headers: {} })
    expect(asked.length).toBe(2)
  })

  it('knows nobody by a token for other audiences', async () => {
    status = { ...known, audiences: ['shop'] }
    expect(await knows(['api']).authenticate({ bearerToken: 't', headers: {} })).toBeUndefined()
    expect(await knows(['api']).authenticate({ bearerToken: 't', headers: {}, audiences: ['shop'] })).toMatchObject({ audiences: ['shop'] })
  })

  it('says nothing of tokens that it does not know, and why of those that are bad', async () => {
    status = { authenticated: false }
    expect(await knows().authenticate({ bearerToken: 't', headers: {} })).toBeUndefined()
    status = { authenticated: false, error: 'expired' }
    await expect(knows().authenticate({ bearerToken: 't', headers: {} })).rejects.toThrow('the token webhook says: expired')
    expect(await knows().authenticate({ headers: {} })).toBeUndefined()
  })

  it('is asked again after it could not be', async () => {
    const own = knows()
    status = new Error('no route to host')
    await expect(own.authenticate({ bearerToken: 't', headers: {} })).rejects.toThrow('no route to host')
    status = known
    expect(await own.authenticate({ bearerToken: 't', headers: {} })).toMatchObject({ user: { name: 'ann' } })
  })
})

describe('a review', () => {
  let server: HttpsServer
  let client: WebhookClient
  let answer: (asked: Asked) => Answered | undefined

  beforeEach(async () => {
    server = await httpsServer(one => answer(one))
    client = webhookClient({ resolver: { resolve: () => ({ host: '', port: 0 }) }, clock: realClock() })
  })

  afterEach(async () => {
    client[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  const target = () => ({ server: `${server.url}/authorize`, token: 'secret', tls: { ca: atob(server.caBundle) } })

  it('is sent to the server of the kubeconfig, with its token', async () => {
    answer = ({ body }) => ({ body: { of: body } })
    expect(await reviewWebhook(client, target(), clock)({ a: 1 })).toEqual({ of: { a: 1 } })
    expect(server.asked[0]).toMatchObject({ path: '/authorize', headers: { authorization: 'Bearer secret' } })
  })

  it('is sent again while the server is busy, and not for ever', async () => {
    let times = 0
    answer = () => (++times < 3 ? { status: 429 } : { body: { ok: true } })
    expect(await reviewWebhook(client, target(), realClock())({})).toEqual({ ok: true })
    answer = () => ({ status: 403, body: { kind: 'Status', apiVersion: 'v1', message: 'no', code: 403 } })
    await expect(reviewWebhook(client, target(), clock)({})).rejects.toThrow(StatusError)
    expect(server.asked.length).toBe(4)
  })
})
