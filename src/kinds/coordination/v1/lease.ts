import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { int32, message, microTime, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

export const LeaseSpec = message('io.k8s.api.coordination.v1.LeaseSpec', {
  holderIdentity: optional(1, string),
  leaseDurationSeconds: optional(2, int32),
  acquireTime: optional(3, microTime),
  renewTime: optional(4, microTime),
  leaseTransitions: optional(5, int32),
  strategy: optional(6, string),
  preferredHolder: optional(7, string),
})
export interface LeaseSpec extends StoredOf<typeof LeaseSpec> {}

export interface Lease extends ObjectWith<{ spec: LeaseSpec }> {}

export const Lease = defineKind({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.coordination.v1',
  createOnUpdate: true,
  unconditionalUpdate: false,
  spec: LeaseSpec,
  columns: [nameColumn, { name: 'Holder', of: ({ spec }) => spec.holderIdentity ?? '' }, ageColumn],
})
