import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { type Lead, WaitingCalls } from './waiting-calls.ts'

describe('calls that wait for etcd', () => {
  let clock: VirtualClock
  let calls: WaitingCalls
  let leads: Lead[]
  let asked: number
  let given: string[]

  beforeEach(() => {
    clock = virtualClock()
    leads = [{ term: 5, leader: 1 }]
    asked = 0
    given = []
    calls = new WaitingCalls(clock, async member => {
      asked++
      return leads[member]!
    })
    calls.sawTerm(5)
  })
  afterEach(() => {
    calls.close()
    expect(clock.pending()).toBe(0)
  })
  const begin = (name: string, member = 0) =>
    calls.begin(member, loss => given.push(`${name} with its ${loss === 'lead' ? 'leader' : 'member'}`))

  it('ask nobody anything when they are answered soon, nor when there are none', async () => {
    for (let n = 0; n < 20; n++) {
      const call = begin('soon')
      await clock.advance(100)
      call[Symbol.dispose]()
    }
    await clock.advance(60_000)
    expect(asked).toBe(0)
    expect(clock.pending()).toBe(0)
  })

  it('wait on while the leader is the one they were sent to', async () => {
    using _ = begin('slow')
    await clock.advance(9_000)
    expect(asked).toBeGreaterThan(10)
    expect(given).toEqual([])
  })

  it('are given up soon after another was elected, and not before', async () => {
    using _ = begin('lost')
    leads = [{ term: 6, leader: 0 }]
    await clock.advance(1_500)
    expect(given).toEqual([])
    leads = [{ term: 6, leader: 2 }]
    await clock.advance(300)
    expect(given).toEqual([])
    await clock.advance(1_000)
    expect(given).toEqual(['lost with its leader'])
  })

  it('that began under the new leader are not given up, whether it is known by an answer or by asking', async () => {
    leads = [{ term: 6, leader: 2 }]
    using _ = begin('former')
    calls.sawTerm(6)
    using __ = begin('new')
    await clock.advance(5_000)
    expect(given).toEqual(['former with its leader'])
  })

  it('are given up when their member says nothing twice in a row, and not for once', async () => {
    let silences = 1
    calls = new WaitingCalls(clock, async member => {
      if (member === 0 && silences-- > 0) throw new Error('silent')
      return { term: 5, leader: 2 }
    })
    calls.sawTerm(5)
    using _ = begin('silent', 0)
    using __ = begin('heard', 1)
    await clock.advance(5_000)
    expect(given).toEqual([])
    silences = 2
    await clock.advance(1_000)
    expect(given).toEqual(['silent with its member'])
  })
})
