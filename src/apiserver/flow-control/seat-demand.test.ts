import { describe, expect, it } from 'vitest'
import { SeatDemand } from './seat-demand.ts'

describe('the demand for seats', () => {
  it('is what was needed over time, with how much that swings, and the most at any moment', () => {
    const demand = new SeatDemand(0)
    demand.add(10, 0)
    demand.add(-10, 5000)
    expect(demand.take(10_000)).toEqual({ high: 10, smooth: 10 }) // average 5, deviation 5
  })

  it('is forgotten slowly', () => {
    const demand = new SeatDemand(0)
    demand.add(100, 0)
    demand.add(-100, 10_000)
    expect(demand.take(10_000)).toEqual({ high: 100, smooth: 100 })
    const { high, smooth } = demand.take(20_000)
    expect(high).toBe(0)
    expect(smooth).toBeCloseTo(97.7)
  })
})
