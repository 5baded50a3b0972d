import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { Deadlines } from './deadlines.ts'

it('a deadline that is missed is told once, within half a second; one that is met, never', async () => {
  const clock = virtualClock()
  const deadlines = new Deadlines(clock, 60_000)
  const missed: string[] = []
  deadlines.start(clock.monotonic(), () => missed.push('slow'))
  const quick = deadlines.start(clock.monotonic(), () => missed.push('quick'))
  await clock.advance(59_000)
  quick.met()
  expect(missed).toEqual([])
  await clock.advance(1500)
  expect(missed).toEqual(['slow'])
  await clock.advance(120_000)
  expect(missed).toEqual(['slow'])
})
