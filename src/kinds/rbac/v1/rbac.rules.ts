import { isDNS1123Label, isDNS1123Subdomain, isPathSegmentName } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { compile } from '../../apps/v1/workload.rules.ts'
import { internal, isEmptySelector, validateLabelSelector } from '../../meta/v1/rules.ts'
import type { AggregationRule } from './cluster-role.ts'
import type { PolicyRule } from './policy-rule.ts'
import type { RoleRef } from './role-ref.ts'
import type { Subject } from './subject.ts'

const GROUP = 'rbac.authorization.k8s.io'

/** What a role allows: verbs on resources, or on paths in roles of the whole cluster. */
export function validatePolicyRules(rules: readonly PolicyRule[] | null, isNamespaced: boolean, errors: FieldErrors): void {
  rules?.forEach(({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }, index) => {
    const at = errors.index(index)
    if (verbs.length === 0) at.at('verbs').required('verbs must contain at least one value')
    if (nonResourceURLs.length > 0) {
      if (isNamespaced) at.at('nonResourceURLs').invalid(nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs')
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
        at.at('nonResourceURLs').invalid(nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs')
      }
      return
    }
    if (apiGroups.length === 0) at.at('apiGroups').required('resource rules must supply at least one api group')
    if (resources.length === 0) at.at('resources').required('resource rules must supply at least one resource')
  })
}

/** Which other roles a role is made of. */
export function validateAggregation(rule: AggregationRule | undefined, errors: FieldErrors): void {
  if (!rule) return
  const selectors = rule.clusterRoleSelectors ?? []
  const at = errors.at('clusterRoleSelectors')
  if (selectors.length === 0) at.required('at least one clusterRoleSelector required if aggregationRule is non-nil')
  selectors.forEach((selector, index) => {
    validateLabelSelector(selector, at.index(index))
    if (!isEmptySelector(selector) && !compile(selector)) at.index(index).invalid(null, 'invalid label selector.')
  })
}

/** Who gets which role. */
export function validateBinding(
  { roleRef, subjects = [] }: { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] | undefined },
  isNamespaced: boolean,
  errors: FieldErrors,
): void {
  const at = errors.at('roleRef')
  if (roleRef.apiGroup !== GROUP) at.at('apiGroup').notSupported(roleRef.apiGroup, [GROUP])
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (!kinds.includes(roleRef.kind)) at.at('kind').notSupported(roleRef.kind, kinds)
  if (roleRef.name === '') at.at('name').required()
  else at.at('name').invalidEach(roleRef.name, isPathSegmentName(roleRef.name))
  subjects.forEach((subject, index) => {
    validateSubject(subject, isNamespaced, errors.at('subjects').index(index))
  })
}

function validateSubject({ kind, name, apiGroup = '', namespace = '' }: Subject, isNamespaced: boolean, errors: FieldErrors): void {
  if (name === '') errors.at('name').required()
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') errors.at('name').invalidEach(name, isDNS1123Subdomain(name))
      if (apiGroup !== '') errors.at('apiGroup').notSupported(apiGroup, [''])
      if (!isNamespaced && namespace === '') errors.at('namespace').required()
      if (namespace !== '') errors.at('namespace').invalidEach(namespace, isDNS1123Label(namespace))
      return
    case 'User':
    case 'Group':
      if (apiGroup !== GROUP) errors.at('apiGroup').notSupported(apiGroup, [GROUP])
      return
    default:
      errors.at('kind').notSupported(kind, ['ServiceAccount', 'User', 'Group'])
  }
}

/** The role of a binding never changes: who can bind it was checked when it was made. */
export function validateSameRole(roleRef: RoleRef, old: RoleRef, errors: FieldErrors): void {
  if (roleRef.apiGroup !== old.apiGroup || roleRef.kind !== old.kind || roleRef.name !== old.name) {
    errors.at('roleRef').invalid(internal(roleRef), 'cannot change roleRef')
  }
}
