import { expect, it } from 'vitest'
import { humanDuration } from './human-duration.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const cases: [number, string][] = [
  [-3 * second, '<invalid>'],
  [-second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [9 * minute + 5 * second, '9m5s'],
  [10 * minute + 5 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [7 * hour + 30 * minute, '7h30m'],
  [47 * hour, '47h'],
  [48 * hour, '2d'],
  [7 * day + 3 * hour, '7d3h'],
  [8 * day + 3 * hour, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [3 * 365 * day + day, '3y1d'],
  [9 * 365 * day + day, '9y'],
]

for (const [ms, text] of cases) it(`says ${text} of ${ms} ms`, () => expect(humanDuration(ms)).toBe(text))
