import { describe, expect, it } from 'vitest'
import { errorsOf, stored, updateErrorsOf } from '../../stored.fixture.ts'
import { compareVersions, parseVersion } from './lease-candidate.facts.ts'
import { LeaseCandidate } from './lease-candidate.ts'

const good = { leaseName: 'l', binaryVersion: '1.36.0', emulationVersion: '1.35.0', strategy: 'OldestEmulationVersion' }
const candidate = (spec: object) =>
  stored(LeaseCandidate, { metadata: { name: 'c', namespace: 'ns' }, spec: { ...good, ...spec } } as never)

describe('a candidate for a Lease', () => {
  it.each([
    [{}, []],
    [{ strategy: 'example.com/random', emulationVersion: '' }, []],
    [{ leaseName: '' }, ['spec.leaseName: Required value']],
    [{ binaryVersion: '' }, ['spec.binaryVersion: Required value']],
    [{ binaryVersion: '1.36' }, ['spec.binaryVersion: Invalid value: "1.36": must be a valid semantic version']],
    [{ binaryVersion: '1.34.9' }, ['spec.binaryVersion: Invalid value: "1.34.9": must be greater than or equal to `emulationVersion`']],
    [{ strategy: '' }, ['spec.strategy: Required value']],
    [{ emulationVersion: '' }, ["spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'"]],
    [
      { strategy: 'random', emulationVersion: '' },
      ['spec.strategy.strategy: Unsupported value: "random": supported values: "OldestEmulationVersion"'],
    ],
  ])('%j: %j', (spec, errors) => {
    expect(errorsOf(LeaseCandidate, candidate(spec))).toEqual(errors)
  })

  it('stays one for the same Lease', () => {
    expect(updateErrorsOf(LeaseCandidate, candidate({ leaseName: 'other' }), candidate({}))).toEqual([
      'spec.leaseName: Invalid value: "other": field is immutable',
    ])
  })
})

describe('versions', () => {
  it('are ordered as semantic versions are', () => {
    const ascending = [
      '0.9.9',
      '1.2.0-alpha',
      '1.2.0-alpha.1',
      '1.2.0-alpha.2',
      '1.2.0-alpha.10',
      '1.2.0-alpha.beta',
      '1.2.0-rc.1',
      '1.2.0',
      '1.10.0',
    ]
    const shuffled = [...ascending].reverse()
    expect(shuffled.sort((left, right) => compareVersions(parseVersion(left)!, parseVersion(right)!))).toEqual(ascending)
    expect(['1.2', 'v1.2.3', '01.2.3', '1.2.3-', ''].map(parseVersion)).toEqual([undefined, undefined, undefined, undefined, undefined])
  })
})
