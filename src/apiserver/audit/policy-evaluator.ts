import type { Attributes, ResourceAttributes } from '../authorization/authorizer.ts'
import { type AuditPolicy, LEVELS, type Level, type PolicyRule, type Stage } from './audit-policy.ts'

/** What is recorded of a request. */
export interface AuditDecision {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** What is recorded of a request, by a policy. `user` may be nobody: the request was refused before. Hot: bench/access — asked of every request. */
export function policyEvaluator(policy: AuditPolicy): (attributes: Attributes) => AuditDecision {
  const everywhere = policy.omitStages ?? []
  const nothing: AuditDecision = { level: 'None', omitStages: new Set(), omitManagedFields: false }
  const rules = (policy.rules ?? []).map(rule => {
    const omitStages = new Set([...everywhere, ...(rule.omitStages ?? [])] as Stage[])
    const omitManagedFields = rule.omitManagedFields ?? policy.omitManagedFields ?? false
    const decision: AuditDecision = { level: rule.level as Level, omitStages, omitManagedFields }
    return { rule, decision, withoutBodies: { ...decision, level: capped(decision.level) } }
  })
  return attributes => {
    for (const { rule, decision, withoutBodies } of rules) {
      if (!isAbout(rule, attributes)) continue
      return 'resource' in attributes && isConfidential(attributes) && !names(rule, attributes) ? withoutBodies : decision
    }
    return nothing
  }
}

function capped(level: Level): Level {
  return LEVELS.indexOf(level) > LEVELS.indexOf('Metadata') ? 'Metadata' : level
}

/** What carries secrets: its bodies are recorded only by a rule that names it, never by one that says "everything". */
const CONFIDENTIAL: ReadonlySet<string> = new Set([
  '/secrets',
  '/configmaps',
  '/serviceaccounts/token',
  'authentication.k8s.io/tokenreviews',
])

function isConfidential({ group, resource, subresource }: ResourceAttributes): boolean {
  return (
    CONFIDENTIAL.has(`${group}/${subresource === '' ? resource : `${resource}/${subresource}`}`) || CONFIDENTIAL.has(`${group}/${resource}`)
  )
}

function names({ resources = [] }: PolicyRule, { group, resource, subresource }: ResourceAttributes): boolean {
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some(
    ({ group: of = '', resources: listed = [] }) => of === group && (listed.includes(full) || listed.includes(resource)),
  )
}

function isAbout(rule: PolicyRule, attributes: Attributes): boolean {
  const { users = [], userGroups = [], verbs = [], resources = [], namespaces = [], nonResourceURLs = [] } = rule
  const { user, verb } = attributes
  if (users.length > 0 && !users.includes(user.name)) return false
  if (userGroups.length > 0 && !user.groups.some(group => userGroups.includes(group))) return false
  if (verbs.length > 0 && !verbs.includes(verb)) return false
  if (namespaces.length > 0 || resources.length > 0) return 'resource' in attributes && isAboutResource(rule, attributes)
  if (nonResourceURLs.length > 0) return 'path' in attributes && nonResourceURLs.some(pattern => pathMatches(pattern, attributes.path))
  return true
}

function isAboutResource({ resources = [], namespaces = [] }: PolicyRule, attributes: ResourceAttributes): boolean {
  const { group, resource, subresource, namespace, name } = attributes
  if (namespaces.length > 0 && !namespaces.includes(namespace)) return false
  if (resources.length === 0) return true
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some(({ group: of = '', resources: listed = [], resourceNames = [] }) => {
    if (of !== group) return false
    if (listed.length === 0) return true
    if (resourceNames.length > 0 && !resourceNames.includes(name)) return false
    return listed.some(one => one === full || one === '*' || one === `${resource}/*` || (subresource !== '' && one === `*/${subresource}`))
  })
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))
}
