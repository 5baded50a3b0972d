import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Authenticator, Credentials } from '../authentication/authenticator.ts'
import type { Exchange } from './exchange.ts'
import { type AnonymousAccess, Identification } from './identification.ts'

const clock = virtualClock()
const connection = () => ({ remoteAddress: '', certificate: undefined, memory: new Map(), trust() {} })

function asking(headers: Record<string, string>, on = connection(), upgrade = false): Exchange {
  const rawHeaders = Object.entries(headers).flat()
  return { headers, rawHeaders, connection: on, ...(upgrade ? { upgrade: {} } : {}) } as unknown as Exchange
}

function identification(anonymous: AnonymousAccess = true, more: Partial<Authenticator> = {}) {
  const seen: Credentials[] = []
  const authenticator: Authenticator = {
    name: 'test',
    async authenticate(credentials) {
      seen.push(credentials)
      const name = credentials.headers['x-remote-user'] ?? credentials.bearerToken
      return name === 'bad' || name === undefined ? undefined : { user: { name: String(name), groups: [] } }
    },
    ...more,
  }
  return { seen, who: new Identification({ authenticator, anonymous, clock }) }
}

describe('who sends a request', () => {
  it('is asked once for a connection with the same proof', async () => {
    const { seen, who } = identification()
    const on = connection()
    expect(await who.identify(asking({ authorization: 'Bearer alice' }, on), '/')).toMatchObject({ name: 'alice' })
    expect(who.identify(asking({ authorization: 'Bearer alice' }, on), '/')).toMatchObject({ name: 'alice' })
    expect(await who.identify(asking({ authorization: 'Bearer bob' }, on), '/')).toMatchObject({ name: 'bob' })
    expect(seen).toHaveLength(2)
  })

  it('is asked of every request of a proxy that speaks for many', async () => {
    const { who } = identification(true, { looksAt: headers => headers['x-remote-user'] !== undefined })
    const on = connection()
    expect(await who.identify(asking({ authorization: 'Bearer proxy' }, on), '/')).toMatchObject({ name: 'proxy' })
    const alice = { authorization: 'Bearer proxy', 'x-remote-user': 'alice' }
    expect(await who.identify(asking(alice, on), '/')).toMatchObject({ name: 'alice' })
    expect(await who.identify(asking({ ...alice, 'x-remote-user': 'bob' }, on), '/')).toMatchObject({ name: 'bob' })
    expect(await who.identify(asking({ authorization: 'Bearer proxy' }, on), '/')).toMatchObject({ name: 'proxy' })
  })

  it('may be nobody, everywhere or under some paths only, also on a connection that was let in before', async () => {
    const on = connection()
    const { who } = identification(['/livez'])
    expect(await who.identify(asking({}, on), '/livez')).toMatchObject({ name: 'system:anonymous' })
    await expect(who.identify(asking({}, on), '/api')).rejects.toMatchObject({ code: 401 })
    await expect(who.identify(asking({}, on), '/livez/etcd')).rejects.toMatchObject({ code: 401 })
    await expect(identification(false).who.identify(asking({}), '/livez')).rejects.toMatchObject({ code: 401 })
  })

  it('is refused with a bad token, not taken for nobody', async () => {
    await expect(identification().who.identify(asking({ authorization: 'Bearer bad' }), '/')).rejects.toMatchObject({ code: 401 })
  })

  it('is not remembered beyond the end of the proof', async () => {
    const { seen, who } = identification(true, {})
    const ending: Authenticator = {
      name: 'ending',
      async authenticate(credentials) {
        seen.push(credentials)
        return { user: { name: 'a', groups: [] }, expiresAt: clock.now() + 500 }
      },
    }
    const until = new Identification({ authenticator: ending, anonymous: false, clock })
    const on = connection()
    await until.identify(asking({ authorization: 'Bearer a' }, on), '/')
    await clock.advance(600)
    await until.identify(asking({ authorization: 'Bearer a' }, on), '/')
    expect(seen).toHaveLength(2)
    void who
  })

  it('may be told by a WebSocket among its protocols', async () => {
    const { who } = identification()
    const token = `base64url.bearer.authorization.k8s.io.${Buffer.from('alice').toString('base64url')}`
    const headers = { 'sec-websocket-protocol': `v4.channel.k8s.io, ${token}` }
    expect(await who.identify(asking(headers, connection(), true), '/')).toMatchObject({ name: 'alice' })
    expect(await who.identify(asking(headers), '/')).toMatchObject({ name: 'system:anonymous' })
    const alone = { 'sec-websocket-protocol': token }
    expect(await who.identify(asking(alone, connection(), true), '/')).toMatchObject({ name: 'system:anonymous' })
  })
})
