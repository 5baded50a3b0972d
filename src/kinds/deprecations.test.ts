import { expect, it } from 'vitest'
import { deprecationOf } from './deprecations.ts'
import { builtInKinds } from './kinds.ts'
import { optionalKinds } from './optional-kinds.ts'

it.each([
  ['v1', 'Endpoints', 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  ['v1', 'ComponentStatus', 'v1 ComponentStatus is deprecated in v1.19+'],
  [
    'storage.k8s.io/v1beta1',
    'VolumeAttributesClass',
    'storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated in v1.34+, unavailable in v1.37+; use storage.k8s.io/v1 VolumeAttributesClass',
  ],
  ['networking.k8s.io/v1beta1', 'ServiceCIDR', 'networking.k8s.io/v1beta1 ServiceCIDR is deprecated in v1.34+, unavailable in v1.37+'],
  ['coordination.k8s.io/v1alpha2', 'LeaseCandidate', 'coordination.k8s.io/v1alpha2 LeaseCandidate is deprecated in v1.35+'],
  ['resource.k8s.io/v1beta1', 'ResourceClaim', 'resource.k8s.io/v1beta1 ResourceClaim is deprecated in v1.35+, unavailable in v1.38+'],
  ['storage.k8s.io/v1', 'VolumeAttributesClass', undefined],
  ['certificates.k8s.io/v1beta1', 'PodCertificateRequest', undefined],
  ['scheduling.k8s.io/v1alpha2', 'PodGroup', undefined],
])('of %s %s is said: %s', (apiVersion, name, text) => {
  const kind = [...builtInKinds, ...optionalKinds].find(one => one.apiVersion === apiVersion && one.kind === name)
  expect(kind && deprecationOf(kind)).toBe(text)
})

it('nothing stable is deprecated but what upstream names', () => {
  const stable = builtInKinds.filter(kind => deprecationOf(kind) !== undefined).map(({ kind }) => kind)
  expect(stable.sort()).toEqual(['ComponentStatus', 'Endpoints'])
})
