import { describe, expect, it } from 'vitest'
import { featureMetrics, gateProblem, isGateOn } from './feature-gates.ts'

describe('a feature gate', () => {
  it.each([
    ['GenericWorkload', {}, false],
    ['GenericWorkload', { AllAlpha: true }, true],
    ['GenericWorkload', { AllAlpha: true, GenericWorkload: false }, false],
    ['GenericWorkload', { AllBeta: true }, false],
    ['ClusterTrustBundle', { AllBeta: true }, true],
    ['EnvFiles', { AllBeta: false }, false],
    ['SidecarContainers', { AllBeta: false, AllAlpha: false }, true],
  ])('%s with %j is on: %s', (name, asked, isOn) => {
    expect(isGateOn(name, asked)).toBe(isOn)
  })

  it('of an unknown name is a mistake', () => {
    expect(() => isGateOn('Nonsense', {})).toThrow('no feature gate of the name Nonsense')
    expect(gateProblem('Nonsense', true)).toBe('unrecognized feature gate: Nonsense')
    expect(gateProblem('EnvFiles', false)).toBeUndefined()
  })

  it('is told in /metrics with its stage', () => {
    const text = featureMetrics({ GenericWorkload: true }).text()
    expect(text).toContain('# TYPE kubernetes_feature_enabled gauge\n')
    expect(text).toContain('kubernetes_feature_enabled{name="GenericWorkload",stage="ALPHA"} 1\n')
    expect(text).toContain('kubernetes_feature_enabled{name="ClusterTrustBundle",stage="BETA"} 0\n')
    expect(text).toContain('kubernetes_feature_enabled{name="SidecarContainers",stage=""} 1\n')
  })
})
