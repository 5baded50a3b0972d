import { createHash, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type CertificateAuthority, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { certificateVerifier } from '#base/pki/client-certificate.ts'
import { tokenSigner, tokenVerifier } from '#base/pki/json-web-token.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Authenticator } from './authenticator.ts'
import { authenticatorChain } from './authenticator-chain.ts'
import { clientCertificateAuthenticator } from './client-certificate.ts'
import { type BoundObject, serviceAccountTokenAuthenticator, serviceAccountTokenIssuer } from './service-account-token.ts'
import { tokenCache } from './token-cache.ts'
import { tokenFileAuthenticator } from './token-file.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('base64')
const bearer = (bearerToken: string) => ({ bearerToken, headers: {} })

describe('the token file', () => {
  const text = 'admin-token,admin,u-admin,"system:masters,devs"\n\nbob-token,bob,u-bob\n'

  it('knows a user with groups, and one without', async () => {
    const file = tokenFileAuthenticator(text, digest)
    expect(await file.authenticate(bearer('admin-token'))).toEqual({
      user: { name: 'admin', uid: 'u-admin', groups: ['system:masters', 'devs'] },
    })
    expect(await file.authenticate(bearer('bob-token'))).toEqual({ user: { name: 'bob', uid: 'u-bob', groups: [] } })
    expect(await file.authenticate(bearer('bob'))).toBeUndefined()
  })

  it('names the line that has too few columns', () => {
    expect(() => tokenFileAuthenticator(`${text}x,y\n`, digest)).toThrow('line 4')
  })
})

describe('a client certificate', () => {
  const clock = virtualClock()
  let authority: CertificateAuthority
  let other: CertificateAuthority
  beforeAll(async () => {
    authority = certificateAuthority(clock, await newAuthority(clock, 'ca'))
    other = certificateAuthority(clock, await newAuthority(clock, 'ca'))
  })
  const presented = async (by: CertificateAuthority, usages: readonly ('client' | 'server')[] = ['client']) => {
    const { certificate } = await by.issue({ commonName: 'alice', organizations: ['devs', 'ops'], usages, validSeconds: 3_600 })
    return { headers: {}, certificate: { raw: new X509Certificate(certificate).raw, issuers: [] } }
  }
  const authenticator = () => clientCertificateAuthenticator(certificateVerifier(authority.certificate), clock)

  it('names the user and the groups', async () => {
    const found = await authenticator().authenticate(await presented(authority))
    expect(found?.user).toMatchObject({ name: 'alice', groups: ['devs', 'ops'] })
  })

  it('of another authority is refused, even of the same name', async () => {
    await expect(authenticator().authenticate(await presented(other))).rejects.toThrow('signed by no known authority')
  })

  it('of a server is refused', async () => {
    await expect(authenticator().authenticate(await presented(authority, ['server']))).rejects.toThrow('not for clients')
  })

  it('is refused once it has expired, also by an authenticator that knew it', async () => {
    const one = authenticator()
    const shown = await presented(authority)
    await one.authenticate(shown)
    await clock.advance(3_601_000)
    await expect(one.authenticate(shown)).rejects.toThrow('expired')
  })
})

describe('a service account token', () => {
  const keys = newKeyPair()
  const setUp = () => {
    const clock = virtualClock()
    const objects = new Map<string, BoundObject>([
      ['ServiceAccount a/sa', { uid: 'u1' }],
      ['Pod a/p', { uid: 'u2' }],
    ])
    const issuer = serviceAccountTokenIssuer('https://kubernetes.default.svc', tokenSigner(keys.privateKey), clock, seededRandom(1))
    const authenticator = serviceAccountTokenAuthenticator({
      issuers: ['https://kubernetes.default.svc'],
      audiences: ['https://kubernetes.default.svc'],
      verifier: tokenVerifier([keys.publicKey]),
      objects: { find: (kind, namespace, name) => objects.get(`${kind} ${namespace}/${name}`) },
      clock,
    })
    const grant = {
      namespace: 'a',
      serviceAccount: { name: 'sa', uid: 'u1' },
      audiences: ['https://kubernetes.default.svc'],
      expirationSeconds: 3_600,
    }
    return { clock, objects, issuer, authenticator, grant }
  }

  it('names the account, its groups and the pod it is bound to', async () => {
    const { issuer, authenticator, grant } = setUp()
    const { token } = await issuer.issue({ ...grant, pod: { name: 'p', uid: 'u2' } })
    const found = await authenticator.authenticate(bearer(token))
    expect(found?.user).toMatchObject({
      name: 'system:serviceaccount:a:sa',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
      extra: { 'authentication.kubernetes.io/pod-name': ['p'], 'authentication.kubernetes.io/pod-uid': ['u2'] },
    })
  })

  it('for another audience is refused', async () => {
    const { issuer, authenticator, grant } = setUp()
    const { token } = await issuer.issue({ ...grant, audiences: ['vault'] })
    await expect(authenticator.authenticate(bearer(token))).rejects.toThrow('token audiences ["vault"] is invalid for the target audiences')
  })

  it('ends with its time, its account and its pod', async () => {
    const { issuer, authenticator, grant, clock, objects } = setUp()
    const { token } = await issuer.issue({ ...grant, pod: { name: 'p', uid: 'u2' } })
    objects.set('Pod a/p', { uid: 'another' })
    await expect(authenticator.authenticate(bearer(token))).rejects.toThrow(
      'pod UID (another) does not match service account pod ref claim (u2)',
    )
    objects.set('Pod a/p', { uid: 'u2' })
    objects.delete('ServiceAccount a/sa')
    await expect(authenticator.authenticate(bearer(token))).rejects.toThrow('serviceaccounts "sa" not found')
    objects.set('ServiceAccount a/sa', { uid: 'u1' })
    await clock.advance(3_600_000)
    await expect(authenticator.authenticate(bearer(token))).rejects.toThrow('expired')
  })

  it('signed by another key is refused', async () => {
    const { authenticator, grant, clock } = setUp()
    const forger = serviceAccountTokenIssuer('https://kubernetes.default.svc', tokenSigner(newKeyPair().privateKey), clock, seededRandom(1))
    const { token } = await forger.issue(grant)
    await expect(authenticator.authenticate(bearer(token))).rejects.toThrow('invalid signature, no keys found')
  })

  it('that claims to need no signature is refused', async () => {
    const { issuer, authenticator, grant } = setUp()
    const [, claims] = (await issuer.issue(grant)).token.split('.')
    const header = Buffer.from('{"alg":"none"}').toString('base64url')
    await expect(authenticator.authenticate(bearer(`${header}.${claims}.AA`))).rejects.toThrow()
  })

  it('of a pod lasts a year and says when it should have been renewed', async () => {
    const { issuer, grant, clock } = setUp()
    const { token, expiresAt } = await issuer.issue({
      ...grant,
      pod: { name: 'p', uid: 'u2' },
      expirationSeconds: 3_607,
      isExtended: true,
    })
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    expect(claims.exp - claims.iat).toBe(365 * 86_400)
    expect(claims['kubernetes.io'].warnafter - claims.iat).toBe(3_607)
    expect(expiresAt - clock.now()).toBe(3_607_000)
  })
})

describe('the chain of authenticators', () => {
  const wrong: Authenticator = { name: 'wrong', authenticate: async () => Promise.reject(new Error('no')) }
  const silent: Authenticator = { name: 'silent', authenticate: async () => undefined }
  const alice: Authenticator = { name: 'alice', authenticate: async () => ({ user: { name: 'alice', groups: ['devs'] } }) }

  it('takes the first that knows the sender, and says that they are known', async () => {
    const found = await authenticatorChain([silent, wrong, alice], silentLogger).authenticate({ headers: {} })
    expect(found?.user.groups).toEqual(['devs', 'system:authenticated'])
  })

  it('refuses credentials that one finds wrong and none knows', async () => {
    await expect(authenticatorChain([wrong, silent], silentLogger).authenticate({ headers: {} })).rejects.toThrow('no')
  })

  it('has nothing to say where there are no credentials', async () => {
    expect(await authenticatorChain([silent], silentLogger).authenticate({ headers: {} })).toBeUndefined()
  })
})

describe('the token cache', () => {
  it('asks once in ten seconds', async () => {
    const clock = virtualClock()
    let asked = 0
    const counting: Authenticator = {
      name: 'counting',
      async authenticate() {
        asked++
        return { user: { name: 'x', groups: [] } }
      },
    }
    const cached = tokenCache(counting, clock, digest)
    await cached.authenticate(bearer('a'))
    await cached.authenticate(bearer('a'))
    await cached.authenticate(bearer('b'))
    expect(asked).toBe(2)
    await clock.advance(10_000)
    await cached.authenticate(bearer('a'))
    expect(asked).toBe(3)
  })

  it('remembers neither a refusal, nor a token beyond its end, nor an answer for another audience', async () => {
    const clock = virtualClock()
    let answer: () => Promise<{ user: { name: string; groups: string[] }; expiresAt: number } | undefined> = async () => undefined
    const audiences: unknown[] = []
    const cached = tokenCache(
      {
        name: 'changing',
        authenticate(credentials) {
          audiences.push(credentials.audiences)
          return answer()
        },
      },
      clock,
      digest,
    )
    expect(await cached.authenticate(bearer('a'))).toBeUndefined()
    answer = async () => ({ user: { name: 'x', groups: [] }, expiresAt: clock.now() + 2_000 })
    expect(await cached.authenticate(bearer('a'))).toMatchObject({ user: { name: 'x' } })
    await cached.authenticate({ ...bearer('a'), audiences: ['vault'] })
    expect(audiences).toEqual([undefined, undefined, ['vault']])
    await clock.advance(2_000)
    answer = async () => Promise.reject(new Error('expired'))
    await expect(cached.authenticate(bearer('a'))).rejects.toThrow('expired')
  })
})
