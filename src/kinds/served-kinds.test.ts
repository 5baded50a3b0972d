import { describe, expect, it } from 'vitest'
import { builtInKinds } from './kinds.ts'
import { optionalKinds } from './optional-kinds.ts'
import { type RuntimeConfig, servedKinds } from './served-kinds.ts'

const names = (asked: RuntimeConfig) => servedKinds(asked).kinds.map(({ apiVersion, plural }) => `${apiVersion}/${plural}`)

describe('what --runtime-config makes of the built-in kinds', () => {
  it('is the stable ones when nothing is said', () => {
    expect(servedKinds({})).toEqual({ kinds: builtInKinds, unknown: [] })
  })

  it.each<[string, RuntimeConfig, string[]]>([
    ['a version', { 'certificates.k8s.io/v1beta1': true }, ['clustertrustbundles', 'podcertificaterequests']],
    ['a resource', { 'certificates.k8s.io/v1beta1/clustertrustbundles': true }, ['clustertrustbundles']],
    [
      'a version without one of its resources',
      { 'certificates.k8s.io/v1beta1': true, 'certificates.k8s.io/v1beta1/podcertificaterequests': false },
      ['clustertrustbundles'],
    ],
    [
      'all alpha whose objects are not kept in a beta version',
      { 'api/alpha': true },
      [
        'storageversions',
        'resourcepoolstatusrequests',
        'podgroups',
        'workloads',
        'mutatingadmissionpolicies',
        'mutatingadmissionpolicybindings',
      ],
    ],
    [
      'all beta but one',
      { 'api/beta': true, 'resource.k8s.io/v1beta1': false, 'resource.k8s.io/v1beta2': false },
      [
        'clustertrustbundles',
        'podcertificaterequests',
        'leasecandidates',
        'storageversionmigrations',
        'mutatingadmissionpolicies',
        'mutatingadmissionpolicybindings',
        'ipaddresses',
        'servicecidrs',
        'volumeattributesclasses',
      ],
    ],
    ['everything', { 'api/all': true }, optionalKinds.map(({ plural }) => plural)],
  ])('adds %s', (_, asked, added) => {
    expect(
      servedKinds(asked)
        .kinds.filter(kind => !builtInKinds.includes(kind))
        .map(({ plural }) => plural),
    ).toEqual(added)
  })

  it('loses a stable version that is switched off, and no other', () => {
    expect(names({ 'batch/v1': false })).toEqual(names({}).filter(name => !name.startsWith('batch/v1')))
    expect(names({ 'apps/v1/daemonsets': false })).toEqual(names({}).filter(name => name !== 'apps/v1/daemonsets'))
    expect(names({ 'api/all': false, 'apps/v1': true })).toEqual(expect.arrayContaining(['v1/pods', 'apps/v1/deployments']))
    expect(names({ 'api/all': false })).not.toContain('apps/v1/deployments')
  })

  it('cannot be without what the server works with, and says what it does not have', () => {
    expect(() => servedKinds({ 'rbac.authorization.k8s.io/v1': false })).toThrow('the API server needs them itself')
    expect(servedKinds({ 'batch/v1beta1': true, 'apps/v1': true, 'old/v1': false }).unknown).toEqual(['batch/v1beta1'])
    // Candidates are kept in v1beta1.
    expect(servedKinds({ 'coordination.k8s.io/v1alpha2': true }).unknown).toEqual(['coordination.k8s.io/v1alpha2'])
  })
})
