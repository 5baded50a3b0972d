import { describe, expect, it } from 'vitest'
import { Inflight } from './inflight.ts'
import type { Arrival } from './request-gate.ts'

const arrival = (verb: string, ...groups: readonly string[]) => ({ verb, user: { name: 'ann', groups } }) as unknown as Arrival

describe('a server without priority and fairness', () => {
  it('lets in as many reads and writes as its limits say, counted apart', () => {
    const gate = new Inflight({ reads: 2, writes: 1 })
    for (const verb of ['get', 'list']) gate.enter(arrival(verb))
    expect(() => gate.enter(arrival('watch'))).toThrow('Too many requests, please try again later.')
    gate.enter(arrival('create'))
    for (const verb of ['update', 'patch', 'delete', 'deletecollection', 'post']) expect(() => gate.enter(arrival(verb))).toThrow()
  })

  it('lets the next one in when one has left', () => {
    const gate = new Inflight({ reads: 1, writes: 1 })
    const first = gate.enter(arrival('get'))
    expect(() => gate.enter(arrival('get'))).toThrow()
    first.leave()
    gate.enter(arrival('get'))
  })

  it('says when to come back', () => {
    const gate = new Inflight({ reads: 1, writes: 1 })
    gate.enter(arrival('get'))
    expect(() => gate.enter(arrival('get'))).toThrow(expect.objectContaining({ headers: { 'retry-after': '1' } }))
  })

  it('turns no administrator away, who counts all the same', () => {
    const gate = new Inflight({ reads: 1, writes: 1 })
    gate.enter(arrival('get', 'system:masters'))
    gate.enter(arrival('get', 'system:masters'))
    expect(() => gate.enter(arrival('get'))).toThrow()
  })

  it('has no limit where it is 0', () => {
    const gate = new Inflight({ reads: 0, writes: 1 })
    for (let request = 0; request < 1000; request++) gate.enter(arrival('get'))
    gate.enter(arrival('create'))
    expect(() => gate.enter(arrival('create'))).toThrow()
  })
})
