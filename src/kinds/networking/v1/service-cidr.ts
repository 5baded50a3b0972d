import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { list, listMap, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { Condition } from '../../meta/v1/condition.ts'

export const ServiceCIDRSpec = message('io.k8s.api.networking.v1.ServiceCIDRSpec', {
  cidrs: omitempty(1, list(string)),
})
export interface ServiceCIDRSpec extends StoredOf<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = message('io.k8s.api.networking.v1.ServiceCIDRStatus', {
  conditions: omitempty(1, listMap(Condition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' })),
})
export interface ServiceCIDRStatus extends StoredOf<typeof ServiceCIDRStatus> {}

export interface ServiceCIDR extends ObjectWith<{ spec: ServiceCIDRSpec; status: ServiceCIDRStatus }> {}

export const ServiceCIDR = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  openapi: 'io.k8s.api.networking.v1',
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  spec: ServiceCIDRSpec,
  status: ServiceCIDRStatus,
  columns: [nameColumn, { name: 'CIDRs', of: ({ spec }) => (spec.cidrs ?? []).join(',') }, ageColumn],
})
