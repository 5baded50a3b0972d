import { createHmac } from 'node:crypto'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { jwtConfig, testIssuer } from './issuer.fixture.ts'
import type { Fetch } from './issuer-keys.ts'
import { JwtAuthenticators } from './jwt-authenticators.ts'

const URL = 'https://issuer.example.com'
const username = { claim: 'sub', prefix: 'oidc:' }
const issuer = { url: URL, audiences: ['kubernetes'] }

let running: JwtAuthenticators | undefined
afterEach(() => running?.stop())

async function setUp(config: object = {}, from = testIssuer(URL), fetch: Fetch = from.fetch) {
  const clock: VirtualClock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  const registry = new Registry()
  const authenticators = new JwtAuthenticators([jwtConfig({ issuer, claimMappings: { username }, ...config })], {
    fetch,
    clock,
    log: silentLogger,
    registry,
  })
  running = authenticators
  await clock.advance(1)
  const now = Math.floor(clock.now() / 1000)
  const claims = { iss: URL, aud: 'kubernetes', sub: 'alice', exp: now + 60 }
  const authenticate = (bearerToken: string) => authenticators.authenticate({ bearerToken, headers: {} })
  const as = async (more: object) => authenticate(await from.sign({ ...claims, ...more }))
  return { clock, from, authenticators, claims, authenticate, as, registry }
}

describe('a token of an issuer', () => {
  it('is its user, until it ends', async () => {
    const { as, claims, clock, registry } = await setUp()
    expect(await as({})).toEqual({ user: { name: 'oidc:alice', groups: [] }, expiresAt: claims.exp * 1000 })
    await clock.advance(60_000)
    await expect(as({})).rejects.toThrow('token is expired')
    const metrics = await registry.metrics()
    expect(metrics).toMatch(/latency_seconds_count\{result="success",jwt_issuer_hash="sha256:[0-9a-f]{64}"\} 1/)
    expect(metrics).toMatch(/latency_seconds_count\{result="failure".*\} 1/)
  })

  it.each([
    ['another audience', { aud: ['vault', 'other'] }, 'expected audience in ["kubernetes"] got ["vault","other"]'],
    ['no audience', { aud: undefined }, 'expected audience'],
    ['no end', { exp: undefined }, 'token is expired'],
    ['a beginning to come', { nbf: Date.parse('2026-11-20T12:06:00Z') / 1000 }, 'before the nbf'],
    ['no name', { sub: undefined }, 'parse username claim "sub": claim not present'],
    ['a name that is no text', { sub: { toString: 'x' } }, 'parse username claim "sub": it is no string'],
  ])('with %s is refused', async (_, claims, message) => {
    const { as } = await setUp()
    await expect(as(claims)).rejects.toThrow(message)
  })

  it('may be for one of several audiences', async () => {
    const { as } = await setUp({ issuer: { url: URL, audiences: ['a', 'b'], audienceMatchPolicy: 'MatchAny' } })
    expect(await as({ aud: ['b', 'c'] })).toBeDefined()
    await expect(as({ aud: 'c' })).rejects.toThrow('expected audience')
  })

  it('of a forger is refused, however it is signed', async () => {
    const { claims, authenticate, from } = await setUp()
    const forger = testIssuer(URL)
    await expect(authenticate(await forger.sign(claims))).rejects.toThrow('failed to verify')
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part(claims)}.AA`
    await expect(authenticate(unsigned)).rejects.toThrow('algorithm "none", which is not accepted')
    const head = `${part({ alg: 'HS256' })}.${part(claims)}`
    const signature = createHmac('sha256', from.publicKey()).update(head).digest('base64url')
    await expect(authenticate(`${head}.${signature}`)).rejects.toThrow('algorithm "HS256", which is not accepted')
  })

  it('of another issuer, and what is no token, is none of its business', async () => {
    const { as, authenticate } = await setUp()
    expect(await as({ iss: 'https://other.example.com' })).toBeUndefined()
    expect(await as({ iss: '__proto__' })).toBeUndefined()
    expect(await authenticate('abcdef.0123456789abcdef')).toBeUndefined()
  })
})

describe('claims', () => {
  it('become groups, a uid and a name', async () => {
    const claimMappings = { username, groups: { claim: 'roles', prefix: 'oidc:' }, uid: { claim: 'id' } }
    const { as } = await setUp({ claimMappings })
    expect(await as({ roles: ['a', 'b'], id: 'u1' })).toMatchObject({ user: { groups: ['oidc:a', 'oidc:b'], uid: 'u1' } })
    expect(await as({ roles: 'a', id: 'u1' })).toMatchObject({ user: { groups: ['oidc:a'] } })
    await expect(as({ roles: [1], id: 'u1' })).rejects.toThrow('neither a string nor a list of strings')
    await expect(as({ roles: 'a' })).rejects.toThrow('parse uid claim "id": claim not present')
  })

  it('become a user by expressions', async () => {
    const claimMappings = {
      username: { expression: "'u:' + claims.sub" },
      groups: { expression: "claims.roles.split(',')" },
      uid: { expression: 'claims.id' },
      extra: [
        { key: 'example.org/tenant', valueExpression: 'claims.tenant' },
        { key: 'example.org/none', valueExpression: "''" },
      ],
    }
    const { as } = await setUp({ claimMappings })
    expect(await as({ roles: 'a,b', id: 'u1', tenant: ['t1', 't2'] })).toMatchObject({
      user: { name: 'u:alice', groups: ['a', 'b'], uid: 'u1', extra: { 'example.org/tenant': ['t1', 't2'] } },
    })
    await expect(as({ roles: 'a', id: 5, tenant: 't' })).rejects.toThrow('uid claim expression must return a string')
    await expect(as({ roles: 'a', id: 'u', tenant: { a: 1 } })).rejects.toThrow('must return a string or a list of strings')
  })

  it('have to say what the rules want, and the user too', async () => {
    const { as } = await setUp({
      claimValidationRules: [
        { claim: 'hd', requiredValue: 'example.com' },
        { expression: 'claims.level > 2', message: 'the level is too low' },
      ],
      userValidationRules: [{ expression: "!user.username.startsWith('oidc:system:')", message: 'reserved' }],
    })
    expect(await as({ hd: 'example.com', level: 3 })).toBeDefined()
    await expect(as({ level: 3 })).rejects.toThrow('required claim hd not present')
    await expect(as({ hd: 'evil.com', level: 3 })).rejects.toThrow('required claim hd value does not match')
    await expect(as({ hd: 'example.com', level: 2 })).rejects.toThrow("expression 'claims.level > 2' failed: the level is too low")
    await expect(as({ hd: 'example.com', level: 3, sub: 'system:admin' })).rejects.toThrow('failed: reserved')
  })

  it('with an address that is not verified make no name', async () => {
    const { as } = await setUp({ claimMappings: { username: { claim: 'email', prefix: '' } } })
    expect(await as({ email: 'a@b.c', email_verified: true })).toMatchObject({ user: { name: 'a@b.c' } })
    await expect(as({ email: 'a@b.c', email_verified: false })).rejects.toThrow('email not verified')
    await expect(as({ email: 'a@b.c', email_verified: 'true' })).rejects.toThrow('email not verified')
  })
})

describe('the keys of an issuer', () => {
  it('are fetched once, and again for a key that is not known', async () => {
    const { as, from, clock } = await setUp()
    await as({})
    await as({})
    expect(from.asked).toEqual([`${URL}/.well-known/openid-configuration`, `${URL}/keys`])
    from.rotate()
    await clock.advance(2_000)
    expect(await as({})).toBeDefined()
    expect(from.asked).toHaveLength(3)
  })

  it('are not fetched for every forged token', async () => {
    const { authenticate, from, claims, clock } = await setUp()
    const forged = await testIssuer(URL).sign(claims)
    await clock.advance(2_000)
    for (let n = 0; n < 5; n++) await expect(authenticate(forged)).rejects.toThrow('failed to verify')
    expect(from.asked).toHaveLength(3)
  })

  it('that were withdrawn do not count for long', async () => {
    const { as, from, clock, claims } = await setUp()
    const old = await from.sign({ ...claims, exp: claims.exp + 3600 })
    from.rotate()
    await clock.advance(600_001)
    const authenticate = () => running!.authenticate({ bearerToken: old, headers: {} })
    await authenticate()
    await clock.advance(1)
    await expect(authenticate()).rejects.toThrow('failed to verify')
    void as
  })

  it('are looked for until the issuer is there', async () => {
    const from = testIssuer(URL)
    from.down(true)
    const { as, clock } = await setUp({}, from)
    await expect(as({})).rejects.toThrow('not initialized')
    from.down(false)
    await clock.advance(10_000)
    expect(await as({})).toBeDefined()
  })

  it('are not taken from somebody who calls himself otherwise, nor without https', async () => {
    const other: Fetch = async () => ({ status: 200, body: JSON.stringify({ issuer: 'https://other', jwks_uri: 'https://other/keys' }) })
    await expect((await setUp({}, testIssuer(URL), other)).as({})).rejects.toThrow('not initialized')
    running?.stop()
    const plain: Fetch = async () => ({ status: 200, body: JSON.stringify({ issuer: URL, jwks_uri: 'http://issuer.example.com/keys' }) })
    await expect((await setUp({}, testIssuer(URL), plain)).as({})).rejects.toThrow('not initialized')
  })

  it('are found where the configuration says', async () => {
    const from = testIssuer(URL)
    const fetch: Fetch = (url, ca) => from.fetch(url === 'https://inside/discovery' ? `${URL}/.well-known/openid-configuration` : url, ca)
    const { as } = await setUp({ issuer: { ...issuer, discoveryURL: 'https://inside/discovery' } }, from, fetch)
    expect(await as({})).toBeDefined()
  })
})

describe('other issuers', () => {
  it('take the place of those before once they were found', async () => {
    const { authenticators, as, clock } = await setUp()
    const second = { url: 'https://second.example.com', audiences: ['kubernetes'] }
    const replaced = authenticators
      .replace([jwtConfig({ issuer: second, claimMappings: { username } })])
      .catch((error: Error) => error.message)
    await clock.advance(60_000)
    expect(await replaced).toContain('was not found in a minute')
    await expect(as({})).rejects.toThrow('expired')
    await authenticators.replace([])
    expect(await as({})).toBeUndefined()
  })
})
