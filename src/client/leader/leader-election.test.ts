import { describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { FakeApi, type FakeFaults } from '../fake/fake-api.ts'
import { leadWhenElected } from './leader-election.ts'

const lease = { namespace: 'kube-system', name: 'controller' }

function candidate(api: FakeApi, clock: VirtualClock, identity: string, seed: number, faults?: FakeFaults, client = api.client(faults)) {
  const stop = new AbortController()
  const state = { leads: 0, isLeading: false, result: '' }
  const done = leadWhenElected(
    { client, clock, random: seededRandom(seed), log: silentLogger, lease, identity },
    async signal => {
      state.leads++
      state.isLeading = true
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      state.isLeading = false
    },
    stop.signal,
  ).then(result => {
    state.result = result
  })
  return { state, stop: () => stop.abort(), done }
}

describe('leader election', () => {
  it('lets one of several lead and keeps the lease renewed', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const all = [candidate(api, clock, 'a', 1), candidate(api, clock, 'b', 2)]
    await clock.advance(60_000)
    expect(all.filter(({ state }) => state.isLeading)).toHaveLength(1)
    expect(api.find(Lease, 'controller', 'kube-system')!.spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 0 })
    for (const one of all) one.stop()
    await clock.advance(60_000)
    await Promise.all(all.map(({ done }) => done))
    expect(clock.pending()).toBe(0)
  })

  it('takes over when the lease of a crashed leader has just expired', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    let hasCrashed = false
    const crash = () => {
      if (hasCrashed) throw new Error('unreachable')
    }
    const first = candidate(api, clock, 'a', 1, { before: crash })
    await clock.advance(1_000)
    const others = [2, 3, 4].map(seed => candidate(api, clock, `b${seed}`, seed))
    await clock.advance(30_000)
    hasCrashed = true
    await clock.advance(12_900) // renewed at most 2 s ago
    expect(others.some(({ state }) => state.isLeading)).toBe(false)
    await clock.advance(3_600)
    expect(others.filter(({ state }) => state.isLeading)).toHaveLength(1)
    for (const one of [first, ...others]) one.stop()
    await clock.advance(30_000)
  })

  it('says who leads, once each time that changes', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const first = candidate(api, clock, 'a', 1)
    await clock.advance(1_000)
    const told: string[] = []
    const stop = new AbortController()
    const options = { client: api.client(), clock, random: seededRandom(2), log: silentLogger, lease, identity: 'b' }
    const waiting = leadWhenElected({ ...options, newLeader: name => void told.push(name) }, async () => undefined, stop.signal)
    await clock.advance(30_000)
    expect(told).toEqual(['a'])
    first.stop()
    await clock.advance(1_000)
    await waiting
    expect(told).toEqual(['a', 'b'])
  })

  it('watches the winner from the moment it lost the race for a new lease', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    let hasCrashed = false
    const crash = () => {
      if (hasCrashed) throw new Error('unreachable')
    }
    const [first, second] = [candidate(api, clock, 'a', 1, { before: crash }), candidate(api, clock, 'b', 2)]
    await clock.advance(100)
    expect([first, second].map(({ state }) => state.isLeading)).toEqual([true, false])
    hasCrashed = true
    await clock.advance(15_600)
    expect(second.state.isLeading).toBe(true)
    for (const one of [first, second]) one.stop()
    await clock.advance(30_000)
  })

  it('takes over within a second after a clean stop, and asks for nothing while it waits', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const first = candidate(api, clock, 'a', 1)
    await clock.advance(1_000)
    const client = api.client()
    const get = vi.spyOn(client, 'get')
    const second = candidate(api, clock, 'b', 2, {}, client)
    await clock.advance(1_000)
    get.mockClear()
    await clock.advance(60_000)
    expect(get).not.toHaveBeenCalled()
    first.stop()
    await clock.advance(1_000)
    expect(second.state.isLeading).toBe(true)
    second.stop()
    await clock.advance(1_000)
    expect(api.watchCount).toBe(0)
  })

  it('tries again and again where the lease cannot be watched', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const first = candidate(api, clock, 'a', 1)
    await clock.advance(1_000)
    const second = candidate(api, clock, 'b', 2)
    for (let step = 0; step < 20; step++) {
      await clock.advance(1_000)
      api.closeWatches(new Error('not for you'))
    }
    first.stop()
    await clock.advance(5_000)
    expect(second.state.isLeading).toBe(true)
    second.stop()
    await clock.advance(5_000)
  })

  it('hands over within seconds when the leader stops cleanly', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const first = candidate(api, clock, 'a', 1)
    await clock.advance(1_000)
    const second = candidate(api, clock, 'b', 2)
    await clock.advance(20_000)
    first.stop()
    await clock.advance(0)
    expect(first.state).toMatchObject({ isLeading: false, result: 'stopped' })
    expect(second.state.isLeading).toBe(false)
    await clock.advance(5_000)
    expect(second.state.isLeading).toBe(true)
    expect(api.find(Lease, 'controller', 'kube-system')!.spec.leaseTransitions).toBe(1)
    second.stop()
    await clock.advance(10_000)
  })

  it('never has two leaders: one that is cut off steps down before the other takes over', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    let isCut = false
    const cut = () => {
      if (isCut) throw new Error('unreachable')
    }
    const first = candidate(api, clock, 'a', 1, { before: cut })
    await clock.advance(1_000)
    const second = candidate(api, clock, 'b', 2)
    await clock.advance(10_000)
    isCut = true
    for (let step = 0; step < 250; step++) {
      await clock.advance(100)
      expect(first.state.isLeading && second.state.isLeading).toBe(false)
    }
    expect(first.state.result).toBe('lost')
    expect(second.state.isLeading).toBe(true)
    second.stop()
    await clock.advance(10_000)
  })

  it('stops waiting when it is told to', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const first = candidate(api, clock, 'a', 1)
    await clock.advance(100)
    const second = candidate(api, clock, 'b', 2)
    await clock.advance(100)
    second.stop()
    await clock.advance(0)
    expect(second.state).toMatchObject({ leads: 0, result: 'stopped' })
    first.stop()
    await clock.advance(10_000)
  })
})
