import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import { PriorityAndFairness } from './priority-and-fairness.ts'
import { type Admitted, type Arrival, TooManyRequests } from './request-gate.ts'

/** Objects of one kind, which a test may replace. */
class Objects {
  objects: { values(): object[] }

  constructor(all: readonly object[]) {
    this.objects = { values: () => [...all] }
  }

  replace(...all: readonly object[]): void {
    this.objects = { values: () => [...all] }
  }

  snapshot = () => ({ objects: this.objects })
}

const exempt = { metadata: { name: 'exempt', uid: 'u-exempt' }, spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0 } } }
const limited = (name: string, shares: number, more: object = {}, queuing?: object) => ({
  metadata: { name, uid: `u-${name}` },
  spec: {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse: queuing ? { type: 'Queue', queuing } : { type: 'Reject' },
      ...more,
    },
  },
})
const schema = (name: string, level: string, matchingPrecedence: number, group: string, distinguisher?: string) => ({
  metadata: { name, uid: `u-${name}` },
  spec: {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence,
    ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
    rules: [
      {
        subjects: [{ kind: 'Group', group: { name: group } }],
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      },
    ],
  },
})

const QUEUES = { queues: 4, handSize: 2, queueLengthLimit: 3 }

/** Ten seats: one for everybody else, nine for workers. */
function start(levels: readonly object[] = [exempt, limited('catch-all', 10), limited('work', 90, {}, QUEUES)], totalSeats = 10) {
  const clock = virtualClock()
  const schemas = new Objects([schema('masters', 'exempt', 1, 'system:masters'), schema('workers', 'work', 100, 'workers', 'ByUser')])
  const configurations = new Objects(levels)
  const loop = {
    afterThis: (callback: () => void) => queueMicrotask(callback),
    afterOthers: (callback: () => void) => queueMicrotask(callback),
  }
  const gate = new PriorityAndFairness({
    clock,
    loop,
    schemas: schemas as unknown as WatchCache,
    levels: configurations as unknown as WatchCache,
    totalSeats,
  })
  const enter = (group: string, user = 'ann', seats = 1) => {
    let abort: () => void = () => undefined
    const arrival: Arrival = {
      user: { name: user, groups: [group] },
      verb: 'get',
      info: { isResource: true, group: '', resource: 'pods', subresource: '', namespace: 'default' } as never,
      seats: () => seats,
      onAbort(callback) {
        abort = callback
      },
    }
    const entered = gate.enter(arrival)
    const state = { admitted: undefined as Admitted | undefined, error: undefined as unknown, abort: () => abort() }
    void Promise.resolve(entered).then(
      admitted => {
        state.admitted = admitted
      },
      (error: unknown) => {
        state.error = error
      },
    )
    return state
  }
  const level = (name: string) => [...gate.levels()].find(one => one.name === name)!
  return { clock, gate, enter, level, schemas, configurations }
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

describe('priority and fairness', () => {
  it('lets a level have its seats, and queues who comes then', async () => {
    const { enter } = start()
    const all = Array.from({ length: 11 }, () => enter('workers'))
    await settle()
    expect(all.filter(({ admitted }) => admitted)).toHaveLength(9)
    all[0]!.admitted!.leave()
    await settle()
    expect(all.filter(({ admitted }) => admitted)).toHaveLength(10)
    expect(all.every(({ error }) => error === undefined)).toBe(true)
  })

  it('says by which schema and level a request went', async () => {
    const { enter } = start()
    const one = enter('workers')
    await settle()
    expect(one.admitted!.headers).toEqual({
      'x-kubernetes-pf-flowschema-uid': 'u-workers',
      'x-kubernetes-pf-prioritylevel-uid': 'u-work',
    })
  })

  it('turns away who finds the queues full, with the same headers and when to come back', async () => {
    const { enter, level } = start()
    for (let request = 0; request < 9; request++) enter('workers')
    for (let request = 0; request < 6; request++) enter('workers')
    expect(() => enter('workers')).toThrow(
      expect.objectContaining({ headers: expect.objectContaining({ 'retry-after': '1', 'x-kubernetes-pf-prioritylevel-uid': 'u-work' }) }),
    )
    expect(level('work').counts.rejected.get('queue-full')).toBe(1)
  })

  it('turns away at once where a level has no queues', () => {
    const { enter, level } = start()
    enter('others')
    expect(() => enter('others')).toThrow(TooManyRequests)
    expect(level('catch-all').counts.rejected.get('concurrency-limit')).toBe(1)
  })

  it('lets the exempt in whatever goes on, and counts them', async () => {
    const { enter, level } = start()
    for (let request = 0; request < 15; request++) enter('workers')
    const masters = Array.from({ length: 100 }, () => enter('system:masters'))
    await settle()
    expect(masters.every(({ admitted }) => admitted)).toBe(true)
    expect(level('exempt').counts.exempt).toBe(100)
    for (const { admitted } of masters) admitted!.leave()
    expect(level('exempt').counts.exempt).toBe(0)
  })

  it('shares a level between users: who asks much does not keep out who asks little', async () => {
    const { enter } = start([exempt, limited('catch-all', 10), limited('work', 90, {}, { queues: 64, handSize: 6, queueLengthLimit: 50 })])
    const running = Array.from({ length: 9 }, () => enter('workers', 'elephant'))
    const waiting = Array.from({ length: 40 }, () => enter('workers', 'elephant'))
    const mouse = enter('workers', 'mouse')
    await settle()
    expect(mouse.admitted).toBeUndefined()
    for (const { admitted } of running.slice(0, 4)) admitted!.leave()
    await settle()
    expect(mouse.admitted).toBeDefined()
    expect(waiting.filter(({ admitted }) => admitted)).toHaveLength(3)
  })

  it('has a request that needs more seats than there are take all of them', async () => {
    const { enter } = start()
    const wide = enter('workers', 'ann', 100)
    await settle()
    expect(wide.admitted).toBeDefined()
    const next = enter('workers')
    await settle()
    expect(next.admitted).toBeUndefined()
    wide.admitted!.leave()
    await settle()
    expect(next.admitted).toBeDefined()
  })

  it('gives up for who has waited a quarter of a minute, and for who has gone', async () => {
    const { enter, clock, level } = start()
    const running = Array.from({ length: 9 }, () => enter('workers'))
    const [late, gone, third] = [enter('workers'), enter('workers'), enter('workers')]
    gone.abort()
    await settle()
    expect(gone.error).toBeInstanceOf(TooManyRequests)
    await clock.advance(14_999)
    expect(late.error).toBeUndefined()
    running[0]!.admitted!.leave()
    await clock.advance(2)
    await settle()
    expect([late, third].filter(({ admitted }) => admitted)).toHaveLength(1)
    expect([late, third].filter(({ error }) => error instanceof TooManyRequests)).toHaveLength(1)
    expect([...level('work').counts.rejected]).toEqual([
      ['cancelled', 1],
      ['time-out', 1],
    ])
    expect(clock.pending()).toBe(0)
  })

  it('leaves no seat taken by who was turned away', async () => {
    const { enter, clock } = start()
    const running = Array.from({ length: 9 }, () => enter('workers'))
    for (let request = 0; request < 6; request++) enter('workers')
    await clock.advance(15_000)
    await settle()
    for (const { admitted } of running) admitted!.leave()
    const again = Array.from({ length: 9 }, () => enter('workers'))
    await settle()
    expect(again.every(({ admitted }) => admitted)).toBe(true)
  })

  it('lends seats that a level does not use to one that wants more, and takes them back', async () => {
    const { enter, clock, level } = start([
      exempt,
      limited('catch-all', 50, { lendablePercent: 80 }),
      limited('work', 50, { lendablePercent: 0 }, { queues: 8, handSize: 4, queueLengthLimit: 50 }),
    ])
    const all = Array.from({ length: 20 }, () => enter('workers'))
    await settle()
    expect(all.filter(({ admitted }) => admitted)).toHaveLength(5)
    await clock.advance(10_000)
    expect(level('work').queues.limit).toBeGreaterThan(5)
    await settle()
    expect(all.filter(({ admitted }) => admitted).length).toBe(level('work').queues.limit)
    expect(level('catch-all').queues.limit).toBeGreaterThanOrEqual(1)
    const others = Array.from({ length: 1 }, () => enter('others'))
    await settle()
    expect(others.every(({ admitted }) => admitted)).toBe(true)
  })

  it('takes up a changed configuration at once, and lets what is under way go on', async () => {
    const { enter, configurations, level } = start()
    const all = Array.from({ length: 12 }, () => enter('workers'))
    await settle()
    configurations.replace(exempt, limited('catch-all', 10), limited('work', 90, {}, QUEUES), limited('more', 100))
    expect(level('work').queues.limit).toBe(5)
    for (const { admitted } of all.slice(0, 4)) admitted!.leave()
    await settle()
    expect(all.filter(({ admitted }) => admitted)).toHaveLength(9)
    all[4]!.admitted!.leave()
    await settle()
    expect(all.filter(({ admitted }) => admitted)).toHaveLength(10)
  })

  it('puts a request under another schema when schemas change, and under catch-all when none is for it', async () => {
    const { enter, schemas } = start()
    schemas.replace(schema('workers', 'exempt', 100, 'workers'))
    const now = enter('workers')
    const lost = enter('nobody')
    await settle()
    expect(now.admitted!.headers['x-kubernetes-pf-prioritylevel-uid']).toBe('u-exempt')
    expect(lost.admitted!.headers).toEqual({})
  })

  it('lets everybody in while there are no levels yet', async () => {
    const { enter } = start([])
    const all = Array.from({ length: 100 }, () => enter('workers'))
    await settle()
    expect(all.every(({ admitted }) => admitted)).toBe(true)
  })
})
