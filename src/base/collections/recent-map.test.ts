import { expect, test } from 'vitest'
import { RecentMap } from './recent-map.ts'

test('a map of recent entries forgets what was neither set nor asked for the longest', () => {
  const map = new RecentMap<string, number>(3)
  for (const [index, key] of ['a', 'b', 'c'].entries()) map.set(key, index)
  expect(map.get('a')).toBe(0)
  map.set('d', 3)
  expect([map.get('a'), map.get('b'), map.get('c'), map.get('d')]).toEqual([0, undefined, 2, 3])
  expect(map.size).toBe(3)
})
