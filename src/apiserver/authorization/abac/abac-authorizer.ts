import type { Attributes, Authorizer, ResolvedRules } from '../authorizer.ts'

/** One policy of ABAC: who may do everything, or only read, of some resources or paths. `*` stands for all. */
export interface AbacPolicy {
  readonly user: string
  readonly group: string
  readonly readonly: boolean
  readonly namespace: string
  readonly resource: string
  readonly apiGroup: string
  readonly nonResourcePath: string
}

const API_VERSION = 'abac.authorization.kubernetes.io/v1beta1'
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch'])
const TEXTS = ['user', 'group', 'namespace', 'resource', 'apiGroup', 'nonResourcePath'] as const

/** Reads the policies of `--authorization-policy-file`, a JSON object a line. Throws, naming file and line, where one cannot be meant. */
export function abacPolicies(text: string, file: string): AbacPolicy[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.trim().startsWith('#')) return []
    const fail = (what: string) => new Error(`${file}:${index + 1}: ${what}`)
    let value: { apiVersion?: unknown; kind?: unknown; spec?: Record<string, unknown> }
    try {
      value = JSON.parse(line) as typeof value
    } catch (error) {
      throw fail(`a policy is one JSON object on a line: ${(error as Error).message}`)
    }
    if (value?.apiVersion !== API_VERSION || value.kind !== 'Policy' || typeof value.spec !== 'object' || value.spec === null) {
      throw fail(`a policy has apiVersion ${API_VERSION}, kind Policy and a spec`)
    }
    const { spec } = value
    const wrong = Object.keys(spec).find(name => name !== 'readonly' && !TEXTS.some(known => known === name))
    if (wrong !== undefined) throw fail(`unknown field "spec.${wrong}"`)
    const texts = TEXTS.map(name => {
      if (spec[name] !== undefined && typeof spec[name] !== 'string') throw fail(`spec.${name} must be a string`)
      return [name, spec[name] ?? '']
    })
    if (spec['readonly'] !== undefined && typeof spec['readonly'] !== 'boolean') throw fail('spec.readonly must be true or false')
    return [{ ...Object.fromEntries(texts), readonly: spec['readonly'] ?? false } as AbacPolicy]
  })
}

/** Decides by a list of policies that is read once, at the start. */
export function abacAuthorizer(policies: readonly AbacPolicy[]): Authorizer {
  return {
    name: 'ABAC',
    authorize(attributes) {
      const isAllowed = policies.some(policy => isSubject(policy, attributes.user) && allows(policy, attributes))
      return isAllowed ? { verdict: 'allow', reason: '' } : { verdict: 'no opinion', reason: 'No policy matched.' }
    },
    rulesFor: (user, namespace) =>
      rulesOf(
        policies.filter(policy => isSubject(policy, user)),
        namespace,
      ),
  }
}

function isSubject({ user, group }: AbacPolicy, { name, groups }: Attributes['user']): boolean {
  if (user !== '' && user !== '*' && user !== name) return false
  if (group !== '' && group !== '*' && !groups.includes(group)) return false
  return user !== '' || group !== ''
}

function allows(policy: AbacPolicy, attributes: Attributes): boolean {
  if (policy.readonly && !READS.has(attributes.verb)) return false
  if ('path' in attributes) return pathMatches(policy.nonResourcePath, attributes.path)
  const { namespace, resource, group } = attributes
  return matches(policy.namespace, namespace) && matches(policy.resource, resource) && matches(policy.apiGroup, group)
}

function matches(word: string, value: string): boolean {
  return word === '*' || word === value
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === '') return path === ''
  return matches(pattern, path) || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))
}

function rulesOf(policies: readonly AbacPolicy[], namespace: string): ResolvedRules {
  const verbs = ({ readonly }: AbacPolicy) => (readonly ? [...READS] : ['*'])
  return {
    resourceRules: policies
      .filter(policy => matches(policy.namespace, namespace))
      .map(policy => ({ verbs: verbs(policy), apiGroups: [policy.apiGroup], resources: [policy.resource], resourceNames: [] })),
    nonResourceRules: policies
      .filter(({ nonResourcePath }) => nonResourcePath !== '')
      .map(policy => ({ verbs: verbs(policy), nonResourceURLs: [policy.nonResourcePath] })),
    incomplete: false,
  }
}
