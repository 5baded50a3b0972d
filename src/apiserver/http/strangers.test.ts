import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { Strangers } from './strangers.ts'

it('a stranger is cut off once it has been silent for too long, not while it is answered, and never once it is known', async () => {
  const clock = virtualClock()
  const strangers = new Strangers(clock, 10_000)
  const cut: string[] = []
  const meet = (name: string) => strangers.meet(() => cut.push(name))
  meet('silent')
  const asking = meet('asking')
  const known = meet('known')
  await clock.advance(5000)
  asking.begin()
  known.leave()
  await clock.advance(6000)
  expect(cut).toEqual(['silent'])
  await clock.advance(60_000)
  asking.end()
  await clock.advance(9000)
  expect(cut).toEqual(['silent'])
  await clock.advance(2000)
  expect(cut).toEqual(['silent', 'asking'])
  expect([strangers.count, clock.pending()]).toEqual([0, 0])
})
