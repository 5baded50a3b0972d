import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { list, map, message, omitempty, oneOf, optional, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { validateResourceQuota, validateResourceQuotaUpdate } from './resource-quota.rules.ts'

export const ScopedResourceSelectorRequirement = message('io.k8s.api.core.v1.ScopedResourceSelectorRequirement', {
  scopeName: required(1, string, 'The scope.'),
  operator: required(2, oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'), '`In`, `NotIn`, `Exists` or `DoesNotExist`.'),
  values: omitempty(3, list(string), 'The values to compare with.'),
})
export interface ScopedResourceSelectorRequirement extends StoredOf<typeof ScopedResourceSelectorRequirement> {}

export const ScopeSelector = message(
  'io.k8s.api.core.v1.ScopeSelector',
  {
    matchExpressions: omitempty(1, list(ScopedResourceSelectorRequirement), 'Requirements; all of them must hold.'),
  },
  { mapType: 'atomic' },
)
export interface ScopeSelector extends StoredOf<typeof ScopeSelector> {}

export const ResourceQuotaSpec = message('io.k8s.api.core.v1.ResourceQuotaSpec', {
  hard: omitempty(1, map(quantity), 'How much there may be of each resource.'),
  scopes: omitempty(2, list(string), 'Which objects count; all of these must hold.'),
  scopeSelector: optional(3, ScopeSelector, 'The same, as expressions.'),
})
export interface ResourceQuotaSpec extends StoredOf<typeof ResourceQuotaSpec> {}

export const ResourceQuotaStatus = message('io.k8s.api.core.v1.ResourceQuotaStatus', {
  hard: omitempty(1, map(quantity), 'The limits that are enforced.'),
  used: omitempty(2, map(quantity), 'How much there is.'),
})
export interface ResourceQuotaStatus extends StoredOf<typeof ResourceQuotaStatus> {}

export interface ResourceQuota extends ObjectWith<{ spec: ResourceQuotaSpec; status: ResourceQuotaStatus }> {}

export const ResourceQuota = defineKind({
  documentation: 'How much a namespace may have.',
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['quota'],
  subresources: [statusSubresource],
  deleteReturnsObject: true,
  spec: ResourceQuotaSpec,
  status: ResourceQuotaStatus,
  columns: [
    nameColumn,
    {
      name: 'Request',
      description: 'Request represents a minimum amount of cpu/memory that a container may consume.',
      of: quota => usageText(quota, name => !isLimit(name)),
    },
    {
      name: 'Limit',
      description: 'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      of: quota => usageText(quota, isLimit),
    },
    ageColumn,
  ],
  prepareCreate(quota) {
    quota.status = {}
  },
  validate: validateResourceQuota,
  validateUpdate: validateResourceQuotaUpdate,
})

function usageText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const names = Object.keys(status.hard ?? {})
    .filter(isShown)
    .sort()
  return names.map(name => `${name}: ${status.used?.[name] ?? '0'}/${status.hard?.[name]}`).join(', ')
}

function isLimit(name: string): boolean {
  return name.startsWith('limits.')
}
