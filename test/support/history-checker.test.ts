import { describe, expect, it } from 'vitest'
import { type Answer, type Call, type Change, checkHistory, type History, type Operation, type Told } from './history-checker.ts'

const operation = (call: Call, startMs: number, endMs: number, answer?: Answer, client = 0): Operation => ({
  client,
  call,
  startMs,
  endMs,
  ...(answer ? { answer } : {}),
})
const put = (value: string, expected?: number): Call => ({ type: 'put', key: 'k', value, ...(expected === undefined ? {} : { expected }) })
const get: Call = { type: 'get', key: 'k' }
const remove: Call = { type: 'delete', key: 'k' }
const change = (value: string | undefined, revision: number, key = 'k'): Change => ({
  key,
  revision,
  ...(value === undefined ? {} : { value }),
})
const wrong = (history: Partial<History>) => checkHistory({ operations: [], changes: [], watches: [], ...history })

describe('a history of operations', () => {
  const changes = [change('a', 2), change('b', 3)]
  const first = operation(put('a'), 0, 10, { revision: 2, succeeded: true })
  const second = operation(put('b'), 20, 30, { revision: 3, succeeded: true })

  it('is accepted when one after the other explains it', () => {
    const reads = [
      operation(get, 11, 12, { revision: 2, kv: { value: 'a', modRevision: 2 } }),
      operation(get, 21, 29, { revision: 2, kv: { value: 'a', modRevision: 2 } }),
      operation(get, 22, 28, { revision: 3, kv: { value: 'b', modRevision: 3 } }, 1),
    ]
    expect(wrong({ operations: [first, second, ...reads], changes })).toEqual([])
  })

  it('is refused when an acknowledged write is lost', () => {
    expect(wrong({ operations: [first, second], changes: [change('a', 2)] })).toEqual([
      'the put of k that was acknowledged with revision 3 is not there',
    ])
  })

  it('is refused when a read is stale, even at an old revision', () => {
    const stale = operation(get, 31, 32, { revision: 2, kv: { value: 'a', modRevision: 2 } })
    expect(wrong({ operations: [first, second, stale], changes })).toContain(
      'a get of k was answered with revision 2 after revision 3 had been told',
    )
    const lying = operation(get, 31, 32, { revision: 3, kv: { value: 'a', modRevision: 2 } })
    expect(wrong({ operations: [first, second, lying], changes })).toEqual([
      'the operations on k have no order in which all answers are right',
    ])
  })

  it('is refused when two comparisons with the same revision hold', () => {
    const operations = [
      first,
      operation(put('b', 2), 20, 40, { revision: 3, succeeded: true }),
      operation(put('c', 2), 20, 40, { revision: 4, succeeded: true }, 1),
    ]
    expect(wrong({ operations, changes: [...changes, change('c', 4)] })).toEqual([
      'the operations on k have no order in which all answers are right',
    ])
  })

  it('is refused when a comparison that must hold does not', () => {
    const refused = operation(put('c', 3), 31, 32, { revision: 3, succeeded: false })
    expect(wrong({ operations: [first, second, refused], changes })).toHaveLength(1)
  })

  it('is refused when a revision comes twice, or goes back', () => {
    const back = operation({ type: 'put', key: 'other', value: 'x' }, 40, 50, { revision: 3, succeeded: true })
    expect(wrong({ operations: [first, second, back], changes })).toContain(
      'a put of other was answered with revision 3 after revision 3 had been told',
    )
  })

  it('is refused when something happened that nobody asked for, or twice', () => {
    expect(wrong({ operations: [first], changes: [change('a', 2), change('z', 3)] })).toContain('nobody put what k became at revision 3')
    expect(wrong({ operations: [first], changes: [change('a', 2), change('a', 3)] })).toContain(
      'a put of k happened twice, the second time at revision 3',
    )
  })

  it('may have writes without an answer happen at any time since, or never', () => {
    const unknown = operation(put('b'), 20, 25)
    const seen = operation(get, 40, 41, { revision: 3, kv: { value: 'b', modRevision: 3 } })
    const unseen = operation(get, 40, 41, { revision: 2, kv: { value: 'a', modRevision: 2 } })
    expect(wrong({ operations: [first, unknown, seen], changes })).toEqual([])
    expect(wrong({ operations: [first, unknown, unseen], changes: [change('a', 2)] })).toEqual([])
    expect(
      wrong({ operations: [first, unknown, unseen, operation(get, 50, 51, { revision: 3, kv: { value: 'b', modRevision: 3 } })], changes }),
    ).toEqual([])
    // Once seen it stays.
    expect(
      wrong({ operations: [first, unknown, seen, operation(get, 50, 51, { revision: 3, kv: { value: 'a', modRevision: 2 } })], changes }),
    ).toHaveLength(1)
  })

  it('may not have it happen before it was asked for', () => {
    const early = operation(get, 5, 6, { revision: 3, kv: { value: 'b', modRevision: 3 } })
    expect(wrong({ operations: [first, second, early], changes }).length).toBeGreaterThan(0)
  })

  it('knows deletes', () => {
    const deleted = operation(remove, 20, 30, { revision: 3, succeeded: true })
    const gone = [change('a', 2), change(undefined, 3)]
    expect(wrong({ operations: [first, deleted, operation(get, 40, 41, { revision: 3 })], changes: gone })).toEqual([])
    const resurrected = operation(get, 40, 41, { revision: 3, kv: { value: 'a', modRevision: 2 } })
    expect(wrong({ operations: [first, deleted, resurrected], changes: gone })).toHaveLength(1)
  })
})

describe('what a watch was told', () => {
  const changes = [change('a', 2), change('b', 3), change('x', 4, 'l'), change('y', 4), change('c', 5)]
  const events = (...some: Change[]): Told => ({ type: 'events', changes: some })
  const told = (...each: Told[]) =>
    wrong({ operations: [], changes, watches: [{ from: 3, told: each }] }).filter(text => text.startsWith('watch'))
  const [, b, x, y, c] = changes as [Change, Change, Change, Change, Change]

  it('is accepted when it is everything from where it began, once and in order', () => {
    expect(told(events(b), events(x, y), { type: 'progress', revision: 4 }, events(c))).toEqual([])
    expect(told(events(b))).toEqual([])
  })

  it.each([
    ['an event is missing', [events(b), events(c)]],
    ['one comes twice', [events(b), events(b)]],
    ['the order is another', [events(b), events(c), events(x, y)]],
    ['one is of before it began', [events(changes[0]!), events(b)]],
    ['one is another', [events(b), events(x, change('z', 4))]],
    ['a revision comes in two parts', [events(b), events(x), events(y)]],
    ['progress comes too early', [events(b), { type: 'progress', revision: 4 }, events(x, y)]],
    ['progress hides that something is missing', [events(b), { type: 'progress', revision: 5 }]],
  ] as [string, Told[]][])('is refused when %s', (_, each) => {
    expect(told(...each).length).toBeGreaterThan(0)
  })
})
