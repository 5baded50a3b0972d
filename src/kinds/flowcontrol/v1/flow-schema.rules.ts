import { equal } from '#machinery/kind/draft.ts'
import { isDNS1123Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { internal } from '../../meta/v1/rules.ts'
import type { FlowSchema, NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from './flow-schema.ts'

export function validateFlowSchema({ metadata, spec }: FlowSchema, errors: FieldErrors): void {
  const at = errors.at('spec')
  const { matchingPrecedence, distinguisherMethod, priorityLevelConfiguration: level } = spec
  const precedence = at.at('matchingPrecedence')
  if (matchingPrecedence <= 0) precedence.invalid(matchingPrecedence, 'must be a positive value')
  if (matchingPrecedence > 10_000) precedence.invalid(matchingPrecedence, 'must not be greater than 10000')
  if (matchingPrecedence === 1 && metadata.name !== 'exempt') {
    precedence.invalid(matchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1")
  }
  if (distinguisherMethod && !METHODS.includes(distinguisherMethod.type)) {
    at.at('distinguisherMethod').at('type').notSupported({ Type: distinguisherMethod.type }, METHODS)
  }
  const name = at.at('priorityLevelConfiguration').at('name')
  if (level.name === '') name.required('must reference a priority level')
  else name.invalidEach(level.name, isDNS1123Subdomain(level.name))
  spec.rules?.forEach((rule, index) => {
    validateRule(rule, at.at('rules').index(index))
  })
  const fixed = MANDATORY.get(metadata.name ?? '')
  if (fixed && !equal(spec, fixed)) at.invalid(internal(spec), `spec of '${metadata.name}' must equal the fixed value`)
}

const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}

/** The first and the last resort: nobody may change them. */
const MANDATORY: ReadonlyMap<string, FlowSchema['spec']> = new Map<string, FlowSchema['spec']>([
  [
    'exempt',
    {
      priorityLevelConfiguration: { name: 'exempt' },
      matchingPrecedence: 1,
      rules: [{ subjects: [{ kind: 'Group', group: { name: 'system:masters' } }], ...EVERYTHING }],
    },
  ],
  [
    'catch-all',
    {
      priorityLevelConfiguration: { name: 'catch-all' },
      matchingPrecedence: 10_000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [
            { kind: 'Group', group: { name: 'system:unauthenticated' } },
            { kind: 'Group', group: { name: 'system:authenticated' } },
          ],
          ...EVERYTHING,
        },
      ],
    },
  ],
])

const METHODS = ['ByNamespace', 'ByUser']

function validateRule({ subjects, resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects, errors: FieldErrors): void {
  if (subjects.length === 0) errors.at('subjects').required('subjects must contain at least one value')
  subjects.forEach((subject, index) => {
    validateSubject(subject, errors.at('subjects').index(index))
  })
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.required('at least one of resourceRules and nonResourceRules has to be non-empty')
  }
  resourceRules.forEach((rule, index) => {
    validateResourceRule(rule, errors.at('resourceRules').index(index))
  })
  nonResourceRules.forEach((rule, index) => {
    validateNonResourceRule(rule, errors.at('nonResourceRules').index(index))
  })
}

const SUBJECTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function validateSubject(subject: Subject, errors: FieldErrors): void {
  const own: (typeof SUBJECTS)[keyof typeof SUBJECTS] | undefined = SUBJECTS[subject.kind]
  if (own === undefined) {
    errors.at('kind').notSupported(subject.kind, ['Group', 'ServiceAccount', 'User'])
    return
  }
  for (const [kind, field] of Object.entries(SUBJECTS)) {
    if (field !== own && subject[field]) errors.at(field).forbidden(`${field} is forbidden when subject kind is not '${kind}'`)
  }
  const at = errors.at(own)
  const part = subject[own]
  if (!part) {
    at.required(`${own} is required when subject kind is '${subject.kind}'`)
    return
  }
  if (part.name === '') at.at('name').required()
  const { serviceAccount } = subject
  if (own !== 'serviceAccount' || !serviceAccount) return
  if (serviceAccount.name !== '' && serviceAccount.name !== '*') {
    at.at('name').invalidEach(serviceAccount.name, isDNS1123Subdomain(serviceAccount.name))
  }
  if (serviceAccount.namespace === '') at.at('namespace').required('must specify namespace for service account')
  else at.at('namespace').invalidEach(serviceAccount.namespace, isDNS1123Label(serviceAccount.namespace))
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

function validateVerbs(verbs: readonly string[], errors: FieldErrors): void {
  if (verbs.length === 0) errors.required('verbs must contain at least one value')
  else if (verbs.includes('*')) {
    if (verbs.length > 1) errors.invalid(verbs, "if '*' is present, must not specify other verbs")
  } else if (verbs.some(verb => !VERBS.includes(verb))) errors.notSupported(verbs, VERBS)
}

function validateResourceRule({ verbs, apiGroups, resources, namespaces, clusterScope }: ResourcePolicyRule, errors: FieldErrors): void {
  validateVerbs(verbs, errors.at('verbs'))
  if (apiGroups.length === 0) errors.at('apiGroups').required('resource rules must supply at least one api group')
  else if (apiGroups.length > 1 && apiGroups.includes('*')) {
    errors.at('apiGroups').invalid(apiGroups, "if '*' is present, must not specify other api groups")
  }
  if (resources.length === 0) errors.at('resources').required('resource rules must supply at least one resource')
  else if (resources.length > 1 && resources.includes('*')) {
    errors.at('resources').invalid(resources, "if '*' is present, must not specify other resources")
  }
  const at = errors.at('namespaces')
  if (!namespaces || namespaces.length === 0) {
    if (!clusterScope) at.required('resource rules that are not cluster scoped must supply at least one namespace')
  } else if (namespaces.includes('*')) {
    if (namespaces.length > 1) at.invalid(namespaces, "if '*' is present, must not specify other namespaces")
  } else {
    namespaces.forEach((namespace, index) => {
      for (const wrong of isDNS1123Label(namespace)) {
        at.index(index).invalid(namespace, `each member of this list must be '*' or a DNS-1123 label; ${wrong}`)
      }
    })
  }
}

function validateNonResourceRule({ verbs, nonResourceURLs }: NonResourcePolicyRule, errors: FieldErrors): void {
  validateVerbs(verbs, errors.at('verbs'))
  const at = errors.at('nonResourceURLs')
  if (nonResourceURLs.length === 0) at.required('nonResourceURLs must contain at least one value')
  else if (nonResourceURLs.includes('*')) {
    if (nonResourceURLs.length > 1) at.invalid(nonResourceURLs, "if '*' is present, must not specify other non-resource URLs")
  } else
    nonResourceURLs.forEach((url, index) => {
      validateUrl(url, at.index(index))
    })
}

function validateUrl(url: string, errors: FieldErrors): void {
  if (url === '') {
    errors.invalid(url, 'must not be empty')
    return
  }
  if (url === '/') return
  if (!url.startsWith('/')) {
    errors.invalid(url, 'must start with slash')
    return
  }
  if (url.includes(' ')) {
    errors.invalid(url, 'must not contain white-space')
    return
  }
  if (url.includes('//')) {
    errors.invalid(url, 'must not contain double slash')
    return
  }
  if (url.includes('*') && (url.indexOf('*') !== url.length - 1 || !url.endsWith('/*'))) {
    errors.invalid(url, 'wildcard can only do suffix matching')
  }
}
