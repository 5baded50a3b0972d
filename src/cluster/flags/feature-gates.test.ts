import { describe, expect, it } from 'vitest'
import { decidesOverControllers, isGateOn } from '#controllers/feature-gates.ts'
import { FEATURE_GATES } from './feature-gates.ts'

describe('the gates that decide over controllers', () => {
  it('are on or off as all programs know them', () => {
    const deciding = [...FEATURE_GATES].filter(([name]) => decidesOverControllers(name) && !name.startsWith('All'))
    expect(deciding.length).toBeGreaterThan(10)
    expect(deciding.map(([name]) => [name, isGateOn(name, {})])).toEqual(deciding.map(([name, { isOn }]) => [name, isOn]))
  })
})
