import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { informers } from '#client/informers/informers.ts'
import { leadWhenElected } from '#client/leader/leader-election.ts'
import { standAsCandidate } from '#client/leader/lease-candidate.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { LeaseCandidate } from '#kinds/coordination/v1beta1/lease-candidate.ts'
import { microTimeOf, timeOf } from '#machinery/time/time.ts'
import { electLeaders } from './elect-leaders.ts'
import { planElection } from './election.plan.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const at = (secondsAgo: number) => microTimeOf(NOW - secondsAgo * 1000)

/** A candidate that was heard of so many seconds ago, and asked so many seconds ago. */
const candidate = (
  name: string,
  renewed: number,
  more: { asked?: number; is?: string; as?: string; strategy?: string; age?: number } = {},
) =>
  ({
    metadata: { name, namespace: 'kube-system', creationTimestamp: timeOf(NOW - (more.age ?? 100) * 1000) },
    spec: {
      leaseName: 'l',
      binaryVersion: more.is ?? '1.36.0',
      emulationVersion: more.as ?? '1.36.0',
      strategy: more.strategy ?? 'OldestEmulationVersion',
      renewTime: at(renewed),
      ...(more.asked === undefined ? {} : { pingTime: at(more.asked) }),
    },
  }) as LeaseCandidate
const heldBy = (holderIdentity: string, renewed: number, more: object = {}) =>
  ({
    metadata: { name: 'l', namespace: 'kube-system' },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: at(renewed), strategy: 'OldestEmulationVersion', ...more },
  }) as Lease

/** Whom the plan asks, elects, prefers and forgets. */
function planned(lease: Lease | undefined, ...candidates: LeaseCandidate[]) {
  const { ask, gone, lease: next, problem } = planElection(lease, candidates, NOW)
  const names = (list: readonly LeaseCandidate[]) => list.map(({ metadata }) => metadata.name)
  return {
    ...(ask.length > 0 ? { ask: names(ask) } : {}),
    ...(gone.length > 0 ? { gone: names(gone) } : {}),
    ...(next?.preferredHolder ? { prefers: next.preferredHolder } : next ? { elects: next.holderIdentity } : {}),
    ...(problem ? { problem } : {}),
  }
}

describe('the next step of an election', () => {
  const [old, young] = [candidate('old', 1, { as: '1.35.0' }), candidate('young', 1)]
  it.each([
    ['elects the oldest version where nobody holds the Lease', undefined, [young, old], { elects: 'old' }],
    ['elects who came first among equals', undefined, [young, candidate('elder', 1, { age: 200 })], { elects: 'elder' }],
    ['prefers the older program if both behave alike', undefined, [candidate('new', 1, { is: '1.37.0' }), young], { elects: 'young' }],
    ['takes an expired Lease from its holder', heldBy('dead', 20), [young], { elects: 'young' }],
    ['takes a Lease that was given back', heldBy('', 1), [young], { elects: 'young' }],
    ['asks a holder that lives to leave', heldBy('young', 1), [young, old], { prefers: 'old' }],
    ['leaves a holder alone who is the best', heldBy('old', 1), [young, old], {}],
    ['does not ask the holder twice', heldBy('young', 1, { preferredHolder: 'old' }), [young, old], {}],
    ['asks candidates that were silent first', undefined, [candidate('a', 60), young], { ask: ['a'] }],
    ['waits for the answers', undefined, [candidate('a', 60, { asked: 2 }), young], {}],
    ['goes on without who did not answer', undefined, [candidate('a', 60, { asked: 6, as: '1.30.0' }), young], { elects: 'young' }],
    ['says so if nobody answers', undefined, [candidate('a', 60, { asked: 6 })], { problem: 'no candidate answers' }],
    ['asks again after a quarter of an hour', heldBy('a', 1), [candidate('a', 901, { asked: 2000 })], { ask: ['a'] }],
    ['forgets who was silent for half an hour', heldBy('a', 1), [candidate('a', 1), candidate('b', 1801)], { gone: ['b'] }],
    ['does nothing without candidates', heldBy('a', 20), [], {}],
    ['leaves strategies of others to others', undefined, [candidate('a', 1, { strategy: 'example.com/mine' })], { elects: undefined }],
    [
      'goes by the strategy of the latest version',
      undefined,
      [candidate('a', 1, { strategy: 'example.com/mine' }), candidate('b', 1, { is: '1.37.0' })],
      { elects: 'a' },
    ],
    [
      'says so if strategies differ',
      undefined,
      [young, candidate('a', 1, { strategy: 'example.com/mine' })],
      { problem: 'candidates of the same version ask for different strategies' },
    ],
  ] as const)('%s', (_what, lease, candidates, expected) => {
    expect(planned(lease, ...candidates)).toEqual(expected)
  })
})

const lease = { namespace: 'kube-system', name: 'kube-scheduler' }

/** A process that leads when it is elected; again and again, as processes are started anew. */
function process(api: FakeApi, clock: VirtualClock, identity: string, emulationVersion: string, seed: number) {
  const state = { isLeading: false, isCut: false }
  const stop = new AbortController()
  const client = api.client({
    before() {
      if (state.isCut) throw new Error('unreachable')
    },
  })
  const options = { client, clock, log: silentLogger, lease, identity }
  const done = (async () => {
    await using _ = standAsCandidate({ ...options, binaryVersion: '1.36.2', emulationVersion })
    while (!stop.signal.aborted) {
      await leadWhenElected(
        { ...options, random: seededRandom(seed), isCoordinated: true },
        async until => {
          state.isLeading = true
          await new Promise<void>(resolve => (until.aborted ? resolve() : until.addEventListener('abort', () => resolve(), { once: true })))
          state.isLeading = false
        },
        stop.signal,
      )
    }
  })()
  return {
    state,
    async end() {
      stop.abort(new Error('the end'))
      await clock.advance(30_000)
      await done
    },
  }
}

describe('API servers that elect', () => {
  it('give the lead to the oldest version, hand it over as versions come and go, and never to two', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    const servers = [1, 2].map(seed => {
      const client = api.client()
      const own = informers({ client, clock, log: silentLogger })
      return { own, elections: electLeaders({ client, informers: own, clock, random: seededRandom(seed), log: silentLogger }) }
    })
    const all = [process(api, clock, 'young', '1.36.0', 3)]
    const leaders = () => all.flatMap(({ state }, index) => (state.isLeading ? [index] : []))
    const pass = async (seconds: number) => {
      for (let step = 0; step < seconds * 10; step++) {
        await clock.advance(100)
        expect(leaders().length).toBeLessThanOrEqual(1)
      }
    }
    await pass(15)
    expect(leaders()).toEqual([0])
    all.push(process(api, clock, 'old', '1.35.0', 4))
    await pass(30)
    expect(leaders()).toEqual([1])
    expect(api.find(Lease, lease.name, lease.namespace)!.spec).toMatchObject({ holderIdentity: 'old', leaseTransitions: 0 })
    // It dies: the other one is asked and takes over once the Lease has expired.
    all[1]!.state.isCut = true
    await pass(35)
    expect(leaders()).toEqual([0])
    // The server that elects ends: the other one goes on.
    await Promise.all([servers[0]!.elections[Symbol.asyncDispose](), pass(1)])
    all[1]!.state.isCut = false
    await pass(400)
    expect(leaders()).toEqual([1])
    // Hours later both are still known, having been asked.
    await clock.advance(3 * 3_600_000)
    expect(leaders()).toEqual([1])
    const known = () => ['old', 'young'].filter(name => api.find(LeaseCandidate, name, lease.namespace))
    expect(known()).toEqual(['old', 'young'])
    for (const one of all) await one.end()
    await clock.advance(2 * 3_600_000)
    expect(known()).toEqual([])
    const ending = Promise.all(
      servers.map(async ({ own, elections }) => {
        await elections[Symbol.asyncDispose]()
        await own[Symbol.asyncDispose]()
      }),
    )
    await clock.advance(30_000)
    await ending
    expect([clock.pending(), api.watchCount]).toEqual([0, 0])
  })
})
