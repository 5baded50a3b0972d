import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isQualifiedName } from '#machinery/meta/names.ts'
import { int32, message, microTime, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

export const LeaseSpec = message('io.k8s.api.coordination.v1.LeaseSpec', {
  holderIdentity: optional(1, string, 'Who has the lease.'),
  leaseDurationSeconds: optional(2, int32, 'For how long it is valid.'),
  acquireTime: optional(3, microTime, 'Since when it is held.'),
  renewTime: optional(4, microTime, 'When it was last renewed.'),
  leaseTransitions: optional(5, int32, 'How often it changed hands.'),
  strategy: optional(6, string, 'How the holder is chosen.'),
  preferredHolder: optional(7, string, 'Who should have it.'),
})
export interface LeaseSpec extends StoredOf<typeof LeaseSpec> {}

export interface Lease extends ObjectWith<{ spec: LeaseSpec }> {}

export const Lease = defineKind({
  documentation: 'A claim that somebody renews while it is alive.',
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.coordination.v1',
  createOnUpdate: true,
  unconditionalUpdate: false,
  spec: LeaseSpec,
  columns: [
    nameColumn,
    {
      name: 'Holder',
      description:
        'holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.',
      of: ({ spec }) => spec.holderIdentity ?? '',
    },
    ageColumn,
  ],
  validate({ spec }, errors) {
    const at = errors.at('spec')
    if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
      at.at('leaseDurationSeconds').invalid(spec.leaseDurationSeconds, 'must be greater than 0')
    }
    if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
      at.at('leaseTransitions').invalid(spec.leaseTransitions, 'must be greater than or equal to 0')
    }
    if (spec.strategy !== undefined) validateLeaseStrategy(spec.strategy, at.at('strategy'))
    if (spec.preferredHolder && !spec.strategy) at.at('preferredHolder').forbidden('may only be specified if `strategy` is defined')
  },
})

/** The strategies of Kubernetes have no prefix, others' do. (Upstream names the field twice.) */
export function validateLeaseStrategy(strategy: string, errors: FieldErrors): void {
  const at = errors.at('strategy')
  if (strategy.includes('/')) at.invalidEach(strategy, isQualifiedName(strategy))
  else if (!STRATEGIES.includes(strategy)) at.notSupported(strategy, STRATEGIES)
}

const STRATEGIES = ['OldestEmulationVersion']
