import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { tokenSigner, tokenVerifier } from '#base/pki/json-web-token.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { decodeObject } from '../registry/body.ts'
import { legacyServiceAccountTokenAuthenticator } from './legacy-service-account-token.ts'
import type { BoundObject } from './service-account-token.ts'

const keys = newKeyPair()
const CLAIM = 'kubernetes.io/serviceaccount'
const claims = {
  iss: 'kubernetes/serviceaccount',
  sub: 'system:serviceaccount:a:sa',
  [`${CLAIM}/namespace`]: 'a',
  [`${CLAIM}/service-account.name`]: 'sa',
  [`${CLAIM}/service-account.uid`]: 'u1',
  [`${CLAIM}/secret.name`]: 's',
}

let secret: Secret | undefined
let account: BoundObject | undefined
let used: number

const holding = (token: string, labels = {}) =>
  decodeObject(Secret, { metadata: { name: 's', namespace: 'a', labels }, data: { token: btoa(token) } }) as Secret

beforeEach(() => {
  account = { uid: 'u1' }
  used = 0
})

const authenticator = legacyServiceAccountTokenAuthenticator({
  audiences: ['https://kubernetes.default.svc'],
  verifier: tokenVerifier([keys.publicKey]),
  objects: { find: () => account },
  secret: (namespace, name) => (namespace === 'a' && name === 's' ? secret : undefined),
  digest: text => createHash('sha256').update(text).digest('base64'),
  used: () => used++,
})

const authenticate = (bearerToken: string, audiences?: readonly string[]) =>
  authenticator.authenticate({ bearerToken, headers: {}, ...(audiences ? { audiences } : {}) })

describe('a token that is kept in a secret', () => {
  it('is its service account, for this server alone', async () => {
    const token = await tokenSigner(keys.privateKey).sign(claims)
    secret = holding(token)
    expect(await authenticate(token)).toEqual({
      user: { name: 'system:serviceaccount:a:sa', uid: 'u1', groups: ['system:serviceaccounts', 'system:serviceaccounts:a'] },
      audiences: ['https://kubernetes.default.svc'],
    })
    expect(used).toBe(1)
    await expect(authenticate(token, ['vault'])).rejects.toThrow('is invalid for the target audiences ["vault"]')
  })

  it('ends with the secret, with what the secret holds, and with the account', async () => {
    const token = await tokenSigner(keys.privateKey).sign(claims)
    secret = undefined
    await expect(authenticate(token)).rejects.toThrow('has been invalidated')
    secret = holding('another')
    await expect(authenticate(token)).rejects.toThrow("does not match server's copy")
    secret = holding(token)
    account = { uid: 'u2' }
    await expect(authenticate(token)).rejects.toThrow('UID (u2) does not match claim (u1)')
    account = { uid: 'u1', deletedAt: 1 }
    await expect(authenticate(token)).rejects.toThrow('has been deleted')
    account = undefined
    await expect(authenticate(token)).rejects.toThrow('not found')
    account = { uid: 'u1' }
    secret = holding(token, { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' })
    await expect(authenticate(token)).rejects.toThrow('has been marked invalid')
  })

  it('of a forger is refused, and one of another subject', async () => {
    const forged = await tokenSigner(newKeyPair().privateKey).sign(claims)
    secret = holding(forged)
    await expect(authenticate(forged)).rejects.toThrow('invalid signature, no keys found')
    const other = await tokenSigner(keys.privateKey).sign({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })
    secret = holding(other)
    await expect(authenticate(other)).rejects.toThrow('sub claim is invalid')
  })

  it('of another issuer is none of its business', async () => {
    expect(await authenticate(await tokenSigner(keys.privateKey).sign({ ...claims, iss: 'https://elsewhere' }))).toBeUndefined()
  })
})
