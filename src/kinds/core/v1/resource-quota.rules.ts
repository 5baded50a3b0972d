import { equal } from '#machinery/kind/draft.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { internal, sortedEntries } from '../../meta/v1/rules.ts'
import type { ResourceQuota, ResourceQuotaSpec } from './resource-quota.ts'
import { validateResourceAmount, validateResourceName } from './resource-requirements.rules.ts'
import { isHugePages, isNativeResource } from './resources.facts.ts'
import { COMPUTE_RESOURCES, COUNTED_RESOURCES } from './standard-resources.facts.ts'

export function validateResourceQuota({ spec, status }: ResourceQuota, errors: FieldErrors): void {
  validateAmounts(spec.hard, errors.at('spec').at('hard'))
  validateScopes(spec, errors.at('spec').at('scopes'))
  validateScopeSelector(spec, errors.at('spec').at('scopeSelector').at('matchExpressions'))
  validateAmounts(status.hard, errors.at('status').at('hard'))
  validateAmounts(status.used, errors.at('status').at('used'))
}

function validateAmounts(amounts: Readonly<Record<string, string>> | undefined, errors: FieldErrors): void {
  for (const [name, amount] of sortedEntries(amounts)) {
    const at = errors.key(name)
    validateResourceName(name, at)
    if (!name.includes('/') && !isQuotaResource(name)) at.invalid(name, 'must be a standard resource for quota')
    validateResourceAmount(name, amount, at)
  }
}

function isQuotaResource(name: string): boolean {
  return (
    COMPUTE_RESOURCES.has(name) ||
    COUNTED_RESOURCES.has(name) ||
    name === 'requests.storage' ||
    isHugePages(name) ||
    name.startsWith('requests.hugepages-')
  )
}

const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]
const PAIRS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

/** Whether a scope can tell which objects of that resource count. */
function fits(scope: string, resource: string): boolean {
  switch (scope) {
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return resource === 'pods' || COMPUTE_RESOURCES.has(resource) || isHugePages(resource) || resource.startsWith('requests.hugepages-')
    case 'BestEffort':
      return resource === 'pods'
    case 'VolumeAttributesClass':
      return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
    default:
      return true
  }
}

function validateScopes({ scopes, hard }: ResourceQuotaSpec, errors: FieldErrors): void {
  if (!scopes) return
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.invalid(scopes, 'unsupported scope')
    for (const name of Object.keys(hard ?? {})) {
      if (isNativeResource(name) && isQuotaResource(name) && !fits(scope, name))
        errors.invalid(scopes, 'unsupported scope applied to resource')
    }
  }
  for (const pair of PAIRS) if (pair.every(scope => scopes.includes(scope))) errors.invalid(scopes, 'conflicting scopes')
}

function validateScopeSelector({ scopeSelector, scopes, hard }: ResourceQuotaSpec, errors: FieldErrors): void {
  if (!scopeSelector) return
  const expressions = scopeSelector.matchExpressions ?? []
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!SCOPES.includes(scopeName)) errors.at('scopeName').invalid(scopeName, 'unsupported scope')
    for (const name of Object.keys(hard ?? {})) {
      if (isQuotaResource(name) && !fits(scopeName, name)) errors.invalid(internal(scopeSelector), 'unsupported scope applied to resource')
    }
    if (scopeName !== 'PriorityClass' && scopeName !== 'VolumeAttributesClass' && SCOPES.includes(scopeName) && operator !== 'Exists') {
      errors
        .at('operator')
        .invalid(
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        )
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.at('values').required("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.at('values').invalid(values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector")
    } else errors.at('operator').invalid(operator, 'not a valid selector operator')
  }
  for (const pair of PAIRS) {
    if (pair.every(scope => expressions.some(({ scopeName }) => scopeName === scope))) errors.invalid(scopes ?? null, 'conflicting scopes')
  }
}

export function validateResourceQuotaUpdate({ spec }: ResourceQuota, old: ResourceQuota, errors: FieldErrors, subresource: string): void {
  if (subresource === 'status') return
  const sorted = (scopes: readonly string[] | undefined) => [...(scopes ?? [])].sort()
  if (!equal(sorted(spec.scopes), sorted(old.spec.scopes)))
    errors
      .at('spec')
      .at('scopes')
      .invalid(spec.scopes ?? null, 'field is immutable')
}
