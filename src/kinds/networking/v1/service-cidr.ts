import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { list, listMap, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { Condition } from '../../meta/v1/condition.ts'
import { isDualStack, validateCIDR } from '../../meta/v1/ip.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'

export const ServiceCIDRSpec = message('io.k8s.api.networking.v1.ServiceCIDRSpec', {
  cidrs: omitempty(1, list(string), 'The ranges of addresses.'),
})
export interface ServiceCIDRSpec extends StoredOf<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = message('io.k8s.api.networking.v1.ServiceCIDRStatus', {
  conditions: omitempty(
    1,
    listMap(Condition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface ServiceCIDRStatus extends StoredOf<typeof ServiceCIDRStatus> {}

export interface ServiceCIDR extends ObjectWith<{ spec: ServiceCIDRSpec; status: ServiceCIDRStatus }> {}

export const ServiceCIDR = defineKind({
  documentation: 'A range of addresses for services.',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  openapi: 'io.k8s.api.networking.v1',
  subresources: [statusSubresource],
  spec: ServiceCIDRSpec,
  status: ServiceCIDRStatus,
  columns: [
    nameColumn,
    {
      name: 'CIDRs',
      description:
        'CIDRs defines the IP blocks in CIDR notation (e.g. "192.168.0.0/24" or "2001:db8::/64") from which to assign service cluster IPs. Max of two CIDRs is allowed, one of each IP family. This field is immutable.',
      of: ({ spec }) => (spec.cidrs ?? []).join(','),
    },
    ageColumn,
  ],
  prepareCreate(cidr) {
    cidr.status = {}
  },
  validate({ spec: { cidrs = [] } }, errors) {
    const at = errors.at('spec').at('cidrs')
    if (cidrs.length === 0) return at.required('at least one CIDR required')
    if (cidrs.length > 2) return at.invalid({ CIDRs: cidrs }, 'may only hold up to 2 values')
    const ranges = cidrs.map((range, index) => validateCIDR(range, at.index(index)))
    if (cidrs.length === 2 && !ranges.includes(undefined) && !isDualStack(ranges)) {
      at.invalid({ CIDRs: cidrs }, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64')
    }
  },
  validateUpdate({ spec }, old, errors, subresource) {
    if (subresource === '') validateImmutable(spec.cidrs, old.spec.cidrs, errors.at('spec').at('cidrs'))
  },
})
