import { describe, expect, it } from 'vitest'
import { isGateOn, readFeatureGates } from './feature-gates.ts'

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

  it('tell what is none of theirs, and stay on once they are stable', () => {
    expect(readFeatureGates({ StorageVersionMigrator: true, NodeSwap: false, AllAlpha: true })).toEqual({ unapplied: ['NodeSwap'] })
    expect(() => readFeatureGates({ SeparateTaintEvictionController: false })).toThrow('feature is locked to true')
    expect(() => isGateOn('NodeSwap', {})).toThrow('decides over controllers')
  })
})
