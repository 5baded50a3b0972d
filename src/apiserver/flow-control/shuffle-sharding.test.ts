import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dealHand } from './shuffle-sharding.ts'

describe('dealing hands of queues', () => {
  it('gives as many different queues of the deck as asked for, the same ones each time', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 12 }), (name, deck, size) => {
        const hand = dealHand(name, deck, size)
        expect(new Set(hand).size).toBe(Math.min(size, deck))
        expect(hand.every(card => card >= 0 && card < deck)).toBe(true)
        expect(dealHand(name, deck, size)).toEqual(hand)
      }),
    )
  })

  it('gives each queue about as often as any other', () => {
    const counts = new Array<number>(16).fill(0)
    for (let n = 0; n < 4000; n++) for (const card of dealHand(`flow-${n}`, 16, 4)) counts[card]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('seldom gives two flows the same hand', () => {
    const elephant = new Set(dealHand('elephant', 128, 6))
    const squished = Array.from({ length: 2000 }, (_, n) => dealHand(`mouse-${n}`, 128, 6)).filter(hand =>
      hand.every(card => elephant.has(card)),
    )
    expect(squished).toEqual([])
  })
})
