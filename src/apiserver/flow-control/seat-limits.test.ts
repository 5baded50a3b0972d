import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adjustedSeats, seatBounds } from './seat-limits.ts'

const shipped = [
  { shares: 0, lendablePercent: 0 },
  { shares: 5, lendablePercent: 0 },
  { shares: 30, lendablePercent: 33 },
  { shares: 40, lendablePercent: 25 },
  { shares: 10, lendablePercent: 0 },
  { shares: 40, lendablePercent: 50 },
  { shares: 100, lendablePercent: 90 },
  { shares: 20, lendablePercent: 50 },
]

describe('sharing out seats', () => {
  it('gives the levels that upstream ships the seats that upstream gives them', () => {
    expect(seatBounds(shipped, 600).map(({ nominal }) => nominal)).toEqual([0, 13, 74, 98, 25, 98, 245, 49])
    expect(seatBounds(shipped, 600).map(({ min }) => min)).toEqual([0, 13, 50, 73, 25, 49, 24, 24])
  })

  it('lends what is not needed to who needs it, in proportion to the need', () => {
    const bounds = seatBounds(
      [
        { shares: 50, lendablePercent: 80 },
        { shares: 50, lendablePercent: 80 },
      ],
      100,
    )
    expect(
      adjustedSeats(
        [0, 90].map((demand, at) => ({ bounds: bounds[at]!, high: demand, smooth: demand })),
        100,
      ),
    ).toEqual([10, 90])
  })

  it('lends no more than the borrower may take', () => {
    const bounds = seatBounds(
      [
        { shares: 50, lendablePercent: 100 },
        { shares: 50, lendablePercent: 0, borrowingLimitPercent: 20 },
      ],
      100,
    )
    expect(
      adjustedSeats(
        [0, 500].map((demand, at) => ({ bounds: bounds[at]!, high: demand, smooth: demand })),
        100,
      )[1],
    ).toBe(60)
  })

  it('never takes from a level what it needs and owns', () => {
    const demand = fc.record({ high: fc.nat(800), smooth: fc.nat(800) })
    fc.assert(
      fc.property(fc.array(demand, { minLength: shipped.length, maxLength: shipped.length }), demands => {
        const levels = seatBounds(shipped, 600).map((bounds, index) => ({ bounds, ...demands[index]! }))
        for (const [index, seats] of adjustedSeats(levels, 600).entries()) {
          const { bounds, high } = levels[index]!
          expect(seats).toBeGreaterThanOrEqual(Math.min(bounds.nominal, high))
          expect(seats).toBeGreaterThanOrEqual(bounds.min)
          expect(seats).toBeLessThanOrEqual(bounds.max)
        }
      }),
    )
  })
})
