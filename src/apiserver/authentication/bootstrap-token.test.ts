import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { decodeObject } from '../registry/body.ts'
import { bootstrapTokenAuthenticator } from './bootstrap-token.ts'

const clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
const digest = (text: string) => createHash('sha256').update(text).digest('base64')
const KEY = '0123456789abcdef'

function authenticate(token: string, change: Record<string, string> = {}, more: { type?: string; metadata?: object } = {}) {
  const texts = { 'token-id': 'abcdef', 'token-secret': KEY, 'usage-bootstrap-authentication': 'true', ...change }
  const data = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, btoa(value)]))
  const secret = decodeObject(Secret, {
    metadata: { name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    ...more,
    data,
  })
  const find = (name: string) => (name === 'bootstrap-token-abcdef' ? (secret as Secret) : undefined)
  return bootstrapTokenAuthenticator({ secret: find, clock, digest }).authenticate({ bearerToken: token, headers: {} })
}

describe('a bootstrap token', () => {
  it('is a user of its own in the groups of its secret', async () => {
    const groups = 'system:bootstrappers:kubeadm:default-node-token'
    expect(await authenticate(`abcdef.${KEY}`, { 'auth-extra-groups': groups, expiration: '2026-11-20T13:00:00Z' })).toEqual({
      user: { name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', groups] },
      expiresAt: Date.parse('2026-11-20T13:00:00Z'),
    })
  })

  it.each([
    ['another secret', 'abcdef.0123456789abcdeX', {}],
    ['another key', 'abcdef.1123456789abcdef', {}],
    ['an unknown id', `aaaaaa.${KEY}`, {}],
    ['a secret that is not for authentication', `abcdef.${KEY}`, { 'usage-bootstrap-authentication': 'false' }],
    ['a secret that has expired', `abcdef.${KEY}`, { expiration: '2026-11-20T11:59:59Z' }],
    ['a secret whose end cannot be read', `abcdef.${KEY}`, { expiration: 'soon' }],
    ['a secret of another id', `abcdef.${KEY}`, { 'token-id': 'ghijkl' }],
    ['a secret that would give it any group', `abcdef.${KEY}`, { 'auth-extra-groups': 'system:masters' }],
    ['a secret without a key', 'abcdef.', { 'token-secret': '' }],
  ])('is unknown with %s', async (_, token, change) => {
    expect(await authenticate(token, change)).toBeUndefined()
  })

  it('is unknown where the secret is of another type or on its way out', async () => {
    expect(await authenticate(`abcdef.${KEY}`, {}, { type: 'Opaque' })).toBeUndefined()
    const metadata = { name: 'bootstrap-token-abcdef', deletionTimestamp: '2026-11-20T12:00:00Z' }
    expect(await authenticate(`abcdef.${KEY}`, {}, { metadata })).toBeUndefined()
  })
})
