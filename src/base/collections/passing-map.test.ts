import { expect, it } from 'vitest'
import { PassingMap } from './passing-map.ts'

it('holds what a Map would, in its order, whatever comes and goes', () => {
  const expected = new Map<number, { readonly n: number }>()
  const passing = new PassingMap<number, { readonly n: number }>()
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  for (let n = 0; n < 10_000; n++) {
    const key = random(40)
    if (random(2) === 0) expect(passing.delete(key)).toBe(expected.delete(key))
    else {
      expected.set(key, { n })
      passing.set(key, { n })
    }
    expect(passing.size).toBe(expected.size)
    expect(passing.get(key)).toEqual(expected.get(key))
    expect(passing.has(key)).toBe(expected.has(key))
    if (n % 100 === 0) expect([...passing.values()]).toEqual([...expected.values()])
  }
  passing.clear()
  expect([passing.size, [...passing.values()], passing.get(1)]).toEqual([0, [], undefined])
  passing.set(1, { n: 1 })
  expect([...passing.values()]).toEqual([{ n: 1 }])
})

it('goes over all that is there while some of it goes', () => {
  const passing = new PassingMap<string, { readonly name: string }>()
  for (const name of ['a', 'b', 'c', 'd']) passing.set(name, { name })
  const seen: string[] = []
  for (const { name } of passing.values()) {
    seen.push(name)
    passing.delete(name)
    passing.delete('c')
  }
  expect(seen).toEqual(['a', 'b', 'd'])
  expect(passing.size).toBe(0)
})

it('shows all that is there, and what comes meanwhile, as a Map does', () => {
  const [passing, expected] = [new PassingMap<string, { readonly name: string }>(), new Map<string, { readonly name: string }>()]
  const seen: string[][] = [[], []]
  for (const [index, map] of [passing, expected].entries()) {
    for (const name of ['a', 'b', 'c', 'd']) map.set(name, { name })
    const see = ({ name }: { readonly name: string }) => {
      seen[index]!.push(name)
      map.delete('c')
      if (name !== 'b') return
      map.delete('b')
      map.set('e', { name: 'e' })
    }
    if (map instanceof PassingMap) map.visit(see)
    else map.forEach(see)
  }
  expect(seen).toEqual([
    ['a', 'b', 'd', 'e'],
    ['a', 'b', 'd', 'e'],
  ])
})
