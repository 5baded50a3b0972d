import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PersistentMap } from './persistent-map.ts'

describe('a persistent map', () => {
  it('agrees with a plain map through any sets and deletes, and keeps every version as it was', () => {
    const step = fc.record({ key: fc.nat(400).map(n => `k${n}`), remove: fc.boolean(), value: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), steps => {
        let map = PersistentMap.empty<number>()
        const model = new Map<string, number>()
        const versions: Array<[PersistentMap<number>, Array<[string, number]>]> = []
        for (const [index, { key, remove, value }] of steps.entries()) {
          map = remove ? map.delete(key) : map.set(key, value)
          if (remove) model.delete(key)
          else model.set(key, value)
          if (index % 50 === 0) versions.push([map, sorted(model)])
        }
        versions.push([map, sorted(model)])
        for (const [version, entries] of versions) {
          expect(entriesOf(version)).toEqual(entries)
          expect(version.size).toBe(entries.length)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('counts and visits any range', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(2000), { maxLength: 500 }), fc.nat(2000), fc.nat(2000), (numbers, from, end) => {
        const name = (n: number) => `k${String(n).padStart(4, '0')}`
        let map = PersistentMap.empty<number>()
        for (const n of numbers) map = map.set(name(n), n)
        const expected = numbers.filter(n => n >= from && n < end).sort((a, b) => a - b)
        expect(map.values(name(from), name(end))).toEqual(expected)
        expect(map.count(name(from), name(end))).toBe(expected.length)
        expect(map.count(name(from))).toBe(numbers.filter(n => n >= from).length)
      }),
      { numRuns: 100 },
    )
  })

  it('answers itself when there is nothing to delete', () => {
    const map = PersistentMap.empty<number>().set('a', 1)
    expect(map.delete('b')).toBe(map)
    expect(map.delete('a').size).toBe(0)
  })

  it('stops visiting when told to', () => {
    const map = PersistentMap.empty<number>().set('a', 1).set('b', 2).set('c', 3)
    const seen: string[] = []
    map.visit((_, key) => {
      seen.push(key)
      return seen.length < 2
    })
    expect(seen).toEqual(['a', 'b'])
  })

  it('shares what a change did not touch: many versions of a big map are small', () => {
    let map = PersistentMap.empty<number>()
    for (let n = 0; n < 10_000; n++) map = map.set(`k${String(n).padStart(5, '0')}`, n)
    const versions = [map]
    for (let n = 0; n < 1000; n++) versions.push(versions[n]!.set('k05000', n))
    expect(versions[1]!.get('k05000')).toBe(0)
    expect(versions[1000]!.get('k05000')).toBe(999)
    expect(map.get('k05000')).toBe(5000)
  })
})

function entriesOf(map: PersistentMap<number>): Array<[string, number]> {
  const entries: Array<[string, number]> = []
  map.visit((value, key) => void entries.push([key, value]))
  return entries
}

function sorted(model: ReadonlyMap<string, number>): Array<[string, number]> {
  return [...model].sort(([a], [b]) => (a < b ? -1 : 1))
}
