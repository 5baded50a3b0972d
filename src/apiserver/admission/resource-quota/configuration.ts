import { coversObject, scopeRequirementsOf, type Usage } from '#kinds/core/v1/resource-quota.facts.ts'
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '#kinds/core/v1/resource-quota.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'

const MatchScope = message('io.k8s.apiserver.resourcequota.ScopedResourceSelectorRequirement', {
  scopeName: required(1, string, 'The scope: PriorityClass, BestEffort …'),
  operator: required(2, string, 'In, NotIn, Exists or DoesNotExist.'),
  values: omitempty(3, list(string)),
})

const LimitedResource = message('io.k8s.apiserver.resourcequota.LimitedResource', {
  apiGroup: omitempty(1, string, 'The group of the resource; absent: the core group.'),
  resource: required(2, string, 'Its name: pods.'),
  matchContains: omitempty(3, list(string), 'What is limited: names of quotas that contain one of these, such as requests.storage.'),
  matchScopes: omitempty(4, list(MatchScope), 'Which objects are limited.'),
})

/** What may be used only where a quota covers it (apiserver.config.k8s.io/v1, `ResourceQuotaConfiguration`). */
export const ResourceQuotaConfiguration = message('io.k8s.apiserver.resourcequota.ResourceQuotaConfiguration', {
  limitedResources: omitempty(1, list(LimitedResource)),
})
export interface ResourceQuotaConfiguration extends StoredOf<typeof ResourceQuotaConfiguration> {}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/** Reports what the fields' types cannot say. */
export function validateResourceQuotaConfiguration({ limitedResources = [] }: ResourceQuotaConfiguration, errors: FieldErrors): void {
  for (const [index, { resource, matchScopes = [] }] of limitedResources.entries()) {
    const at = errors.at(`limitedResources[${index}]`)
    if (resource === '') at.at('resource').required('')
    for (const [scope, { operator }] of matchScopes.entries()) {
      if (!OPERATORS.includes(operator)) at.at(`matchScopes[${scope}].operator`).notSupported(operator, OPERATORS)
    }
  }
}

/** What is limited though no quota says so: why an object may not be, or undefined. */
export function uncovered(
  { limitedResources = [] }: ResourceQuotaConfiguration,
  kind: AnyKind,
  object: ApiObject,
  facts: {
    readonly usage: Usage
    /** The quotas of the namespace, and the names that those which limit the object cover. */
    readonly quotas: readonly ResourceQuota[]
    readonly covered: ReadonlySet<string>
  },
): string | undefined {
  const limited = limitedResources.filter(({ apiGroup = '', resource }) => apiGroup === kind.group && resource === kind.plural)
  const names = [...facts.usage]
    .filter(
      ([name, amount]) => amount.sign > 0 && limited.some(({ matchContains = [] }) => matchContains.some(part => name.includes(part))),
    )
    .map(([name]) => name)
  const missing = names.filter(name => !facts.covered.has(name)).sort()
  if (missing.length > 0) return `insufficient quota to consume: ${missing.join(',')}`
  const matching = (requirements: readonly ScopedResourceSelectorRequirement[]) => requirements.filter(one => coversObject(one, object))
  const scopes = limited.flatMap(({ matchScopes = [] }) => matching(matchScopes as readonly ScopedResourceSelectorRequirement[]))
  const present = new Set(facts.quotas.flatMap(quota => matching(scopeRequirementsOf(quota))).map(({ scopeName }) => scopeName))
  const without = scopes.filter(({ scopeName }) => !present.has(scopeName))
  if (without.length === 0) return undefined
  const shown = without.map(({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`)
  return `insufficient quota to match these scopes: [${shown.join(' ')}]`
}
