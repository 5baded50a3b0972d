import { describe, expect, it } from 'vitest'
import { decidesOverControllers, isGateOn } from './feature-gates.ts'

describe('the gates of controllers', () => {
  it.each([
    ['StorageVersionMigrator', {}, false],
    ['StorageVersionMigrator', { StorageVersionMigrator: true }, true],
    ['DRADeviceTaints', {}, true],
    ['DRADeviceTaints', { AllBeta: false }, false],
    ['DRADeviceTaints', { AllBeta: false, DRADeviceTaints: true }, true],
    ['GenericWorkload', { AllBeta: true }, false],
    ['GenericWorkload', { AllAlpha: true }, true],
    ['DynamicResourceAllocation', { AllBeta: false, AllAlpha: false }, true],
  ])('%s with %j is on: %s', (name, asked, isOn) => {
    expect(isGateOn(name, asked)).toBe(isOn)
  })

  it('are the ones that are asked about', () => {
    expect(['StorageVersionMigrator', 'AllBeta', 'NodeSwap', 'constructor'].filter(decidesOverControllers)).toEqual([
      'StorageVersionMigrator',
      'AllBeta',
    ])
    expect(() => isGateOn('NodeSwap', {})).toThrow('decides over controllers')
  })
})
