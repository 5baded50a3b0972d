import { expect, it } from 'vitest'
import { seatsOfList } from './work-estimate.ts'

it.each([
  [0, '', 1],
  [100, '', 1],
  [101, '', 2],
  [100_000, '', 10],
  [100_000, 'limit=500', 5],
  [100_000, 'watch=false&limit=10', 1],
  [100_000, 'limit=10&labelSelector=a%3Db', 10],
])('a list among %i objects by "%s" takes %i seats', (stored, query, seats) => {
  expect(seatsOfList(stored, query)).toBe(seats)
})
