import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { boolean, list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'

/** How much of a request is recorded: nothing, who did what, the body as well, or the answer too. */
export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

/** When an event is recorded: before a request is handled, when a long answer begins, when it is over, when handling it broke down. */
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

const GroupResources = message('io.k8s.apiserver.audit.v1.GroupResources', {
  group: omitempty(1, string, 'The API group; empty for the core group.'),
  resources: omitempty(2, list(string), 'Resources: `pods`, `pods/log`, `pods/*`, `*/scale`, `*`; none: all of the group.'),
  resourceNames: omitempty(3, list(string), 'Names of objects; none: all.'),
})

const PolicyRule = message('io.k8s.apiserver.audit.v1.PolicyRule', {
  level: omitempty(1, string, 'How much is recorded of requests that the rule is about.'),
  users: omitempty(2, list(string), 'Who asks; none: everybody.'),
  userGroups: omitempty(3, list(string), 'Groups, one of which who asks is in; none: everybody.'),
  verbs: omitempty(4, list(string), 'What is asked for; none: everything.'),
  resources: omitempty(5, list(GroupResources), 'What it is asked of.'),
  namespaces: omitempty(6, list(string), 'Where; the empty string for cluster-wide resources. None: everywhere.'),
  nonResourceURLs: omitempty(7, list(string), 'Paths that are no resources; a `*` at the end stands for whatever follows.'),
  omitStages: omitempty(8, list(string), 'Stages of which nothing is recorded.'),
  omitManagedFields: optional(9, boolean, 'Whether bodies lose their managedFields; in the place of what the policy says.'),
})

/** A policy file (`--audit-policy-file`, audit.k8s.io/v1): the first rule that a request falls under decides. */
export const AuditPolicy = message('io.k8s.apiserver.audit.v1.Policy', {
  metadata: omitempty(
    1,
    message('io.k8s.apiserver.audit.v1.PolicyMetadata', { name: omitempty(1, string, 'Its name; not used.') }),
    'Not used.',
  ),
  rules: omitempty(2, list(PolicyRule), 'The rules, in order.'),
  omitStages: omitempty(3, list(string), 'Stages of which nothing is recorded, whatever the rule.'),
  omitManagedFields: omitempty(4, boolean, 'Whether bodies lose their managedFields.'),
})
export interface AuditPolicy extends StoredOf<typeof AuditPolicy> {}
export interface PolicyRule extends StoredOf<typeof PolicyRule> {}

/** Reports what a policy cannot mean. */
export function validateAuditPolicy(policy: AuditPolicy, errors: FieldErrors): void {
  const rules = policy.rules ?? []
  if (rules.length === 0) errors.at('rules').required('a policy without rules records nothing: add a rule, such as {level: Metadata}')
  validateStages(policy.omitStages, errors.at('omitStages'))
  rules.forEach((rule, index) => {
    validateRule(rule, errors.at('rules').index(index))
  })
}

function validateRule(rule: PolicyRule, errors: FieldErrors): void {
  const { level = '', nonResourceURLs = [], resources = [], namespaces = [] } = rule
  if (level === '') errors.at('level').required()
  else if (!isOneOf(LEVELS, level)) errors.at('level').notSupported(level, LEVELS)
  nonResourceURLs.forEach((url, index) => {
    const at = errors.at('nonResourceURLs').index(index)
    if (url === '*') return
    if (!url.startsWith('/')) at.invalid(url, "non-resource URL rules must begin with a '/' character")
    if (url.slice(0, -1).includes('*')) at.invalid(url, "non-resource URL wildcards '*' must be the final character of the rule")
  })
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    errors.at('nonResourceURLs').invalid(nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs')
  }
  resources.forEach(({ group = '', resources: names = [], resourceNames = [] }, index) => {
    const at = errors.at('resources').index(index)
    if (group !== '') at.at('group').invalidEach(group, isDNS1123Subdomain(group))
    if (resourceNames.length > 0 && names.length === 0) {
      at.at('resourceNames').invalid(resourceNames, 'using resourceNames requires at least one resource')
    }
  })
  validateStages(rule.omitStages, errors.at('omitStages'))
}

function validateStages(stages: readonly string[] = [], errors: FieldErrors): void {
  stages.forEach((stage, index) => {
    if (!isOneOf(STAGES, stage)) errors.index(index).invalid(stage, `allowed stages are ${STAGES.join(',')}`)
  })
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.includes(word)
}
