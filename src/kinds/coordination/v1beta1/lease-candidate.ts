import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isConfigMapKey } from '#machinery/meta/formats.ts'
import { message, microTime, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { validateLeaseStrategy } from '../v1/lease.ts'
import { compareVersions, parseVersion } from './lease-candidate.facts.ts'

export const LeaseCandidateSpec = message('io.k8s.api.coordination.v1beta1.LeaseCandidateSpec', {
  leaseName: required(1, string, 'The Lease that it would hold.'),
  pingTime: optional(2, microTime, 'When it was last asked whether it is still there; it answers by renewing.'),
  renewTime: optional(3, microTime, 'When it last said that it is there.'),
  binaryVersion: required(4, string, 'The version of the program.'),
  emulationVersion: omitempty(5, string, 'The version as which the program behaves.'),
  strategy: required(6, string, 'How a holder is chosen among candidates.'),
})
export interface LeaseCandidateSpec extends StoredOf<typeof LeaseCandidateSpec> {}

export interface LeaseCandidate extends ObjectWith<{ spec: LeaseCandidateSpec }> {}

export const LeaseCandidate = defineKind({
  documentation: 'Somebody who would hold a Lease (KEP-4355).',
  group: 'coordination.k8s.io',
  version: 'v1beta1',
  kind: 'LeaseCandidate',
  plural: 'leasecandidates',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.coordination.v1beta1',
  createOnUpdate: true,
  unconditionalUpdate: false,
  fields: { spec: required(2, LeaseCandidateSpec, 'What the candidate is to be.') },
  columns: [
    nameColumn,
    { name: 'LeaseName', description: 'The Lease that it would hold.', of: ({ spec }) => spec.leaseName },
    { name: 'Strategy', description: 'How a holder is chosen.', of: ({ spec }) => spec.strategy },
    ageColumn,
  ],
  validateName: name => isConfigMapKey(name),
  validate: ({ spec }, errors) => validateCandidate(spec, errors.at('spec')),
  validateUpdate: ({ spec }, old, errors) => validateImmutable(spec.leaseName, old.spec.leaseName, errors.at('spec').at('leaseName')),
})

function validateCandidate(spec: LeaseCandidateSpec, errors: FieldErrors): void {
  const { leaseName, binaryVersion, emulationVersion = '', strategy } = spec
  if (leaseName === '') errors.at('leaseName').required()
  const [binary, emulated] = [parseVersion(binaryVersion), parseVersion(emulationVersion)]
  if (emulationVersion !== '' && !emulated) errors.at('emulationVersion').invalid(emulationVersion, 'must be a valid semantic version')
  if (binaryVersion === '') errors.at('binaryVersion').required()
  else if (!binary) errors.at('binaryVersion').invalid(binaryVersion, 'must be a valid semantic version')
  if (binary && emulated && compareVersions(binary, emulated) < 0) {
    errors.at('binaryVersion').invalid(binaryVersion, 'must be greater than or equal to `emulationVersion`')
  }
  if (strategy === '') errors.at('strategy').required()
  else {
    if (strategy === 'OldestEmulationVersion' && !emulated) {
      errors.at('emulationVersion').required("must be specified when `strategy` is 'OldestEmulationVersion'")
    }
    validateLeaseStrategy(strategy, errors.at('strategy'))
  }
}
