import { describe, expect, it } from 'vitest'
import { isPercentage, scaledValue } from './int-or-string.ts'

describe('scaledValue', () => {
  it('takes a number as it is and scales a share', () => {
    expect(scaledValue(3, 10, 'up')).toBe(3)
    expect(scaledValue('25%', 10, 'up')).toBe(3)
    expect(scaledValue('25%', 10, 'down')).toBe(2)
    expect(scaledValue('0%', 10, 'up')).toBe(0)
    expect(scaledValue('29%', 100, 'up')).toBe(29)
  })

  it('refuses what is no share', () => {
    expect(() => scaledValue('http', 1, 'up')).toThrow('invalid type: string is not a percentage')
    expect(() => scaledValue('x%', 1, 'up')).toThrow('strconv.Atoi: parsing "x": invalid syntax')
    expect([isPercentage('5%'), isPercentage('5'), isPercentage(5)]).toEqual([true, false, false])
  })
})
