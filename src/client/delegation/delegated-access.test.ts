import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '../client.ts'
import { DelegatedAccess } from './delegated-access.ts'

/** An API server that knows one token and lets its owner read `/metrics`. */
function start() {
  const clock = virtualClock()
  const asked: string[] = []
  const state = { isDown: false }
  const client = {
    async create(kind: { kind: string }, { spec }: { spec: { token?: string; user?: string; nonResourceAttributes?: { path: string } } }) {
      asked.push(kind.kind)
      if (state.isDown) throw new Error('connection refused')
      if (kind.kind === 'TokenReview') {
        const isKnown = spec.token === 'good'
        return { status: isKnown ? { authenticated: true, user: { username: 'ann', groups: ['readers'] } } : { authenticated: false } }
      }
      return { status: { allowed: spec.user === 'ann' && spec.nonResourceAttributes?.path === '/metrics' } }
    },
  } as unknown as Client
  const access = new DelegatedAccess({ client, clock, allowedMs: 10_000, refusedMs: 5_000, tokenMs: 10_000 })
  return { clock, asked, state, access }
}

const request = (token?: string, certificate?: { CN: string; O?: string | string[] }, isAuthorized = true) =>
  ({
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    socket: { authorized: certificate !== undefined && isAuthorized, getPeerCertificate: () => ({ subject: certificate }) },
  }) as unknown as IncomingMessage
const reading = (path: string) => ({ nonResourceAttributes: { path, verb: 'get' } })

describe('access that is delegated to the API server', () => {
  it('believes certificates of the authority, and no others', async () => {
    const { access, asked } = start()
    expect(await access.callerOf(request(undefined, { CN: 'bob', O: 'ops' }))).toEqual({
      name: 'bob',
      groups: ['ops', 'system:authenticated'],
    })
    expect(await access.callerOf(request(undefined, { CN: 'bob' }, false))).toBeUndefined()
    expect(await access.callerOf(request())).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('asks about a token once while the answer counts', async () => {
    const { access, asked, clock } = start()
    for (let time = 0; time < 3; time++) expect(await access.callerOf(request('good'))).toEqual({ name: 'ann', groups: ['readers'] })
    expect(await access.callerOf(request('bad'))).toBeUndefined()
    expect(asked).toHaveLength(2)
    await clock.advance(10_001)
    await access.callerOf(request('good'))
    expect(asked).toHaveLength(3)
  })

  it('asks for each permission, keeps a yes longer than a no, and lets masters do everything', async () => {
    const { access, asked, clock } = start()
    const ann = { name: 'ann', groups: [] }
    expect(await access.allows(ann, reading('/metrics'))).toBe(true)
    expect(await access.allows(ann, reading('/configz'))).toBe(false)
    await clock.advance(6_000)
    await access.allows(ann, reading('/metrics'))
    expect(asked).toHaveLength(2)
    await access.allows(ann, reading('/configz'))
    expect(asked).toHaveLength(3)
    expect(await access.allows({ name: 'eve', groups: ['system:masters'] }, reading('/configz'))).toBe(true)
    expect(asked).toHaveLength(3)
  })

  it('lets nobody in while the API server cannot be asked, and asks again', async () => {
    const { access, state } = start()
    state.isDown = true
    expect(await access.callerOf(request('good'))).toBeUndefined()
    await expect(access.allows({ name: 'ann', groups: [] }, reading('/metrics'))).rejects.toThrow('connection refused')
    state.isDown = false
    expect(await access.callerOf(request('good'))).toMatchObject({ name: 'ann' })
    expect(await access.allows({ name: 'ann', groups: [] }, reading('/metrics'))).toBe(true)
  })
})
