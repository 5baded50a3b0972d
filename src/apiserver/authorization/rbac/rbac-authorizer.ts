import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Informers } from '#client/informers/informer.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { Role } from '#kinds/rbac/v1/role.ts'
import { RoleBinding } from '#kinds/rbac/v1/role-binding.ts'
import type { Attributes, Authorizer, Decision, ResolvedRules } from '../authorizer.ts'
import type { PolicyRule } from './policy-rule.ts'
import { covers, ruleAllows } from './rule-match.ts'

/** Decides by roles and bindings, and tells which rules somebody has. */
export interface RbacAuthorizer extends Authorizer {
  rulesFor(user: UserInfo, namespace: string): ResolvedRules
  /** Those of `rules` that `user` does not hold in `namespace` ('' for the whole cluster): who grants them would grant more than they have. */
  notHeld(user: UserInfo, namespace: string, rules: readonly PolicyRule[]): readonly PolicyRule[]
  /** The rules that a role reference in a binding of `namespace` means; undefined if there is no such role. */
  rulesOf(namespace: string, roleRef: RoleRef): readonly PolicyRule[] | undefined
}

/** The one of `authorizers` that decides by roles, if there is one. */
export function rbacAmong(authorizers: readonly Authorizer[]): RbacAuthorizer | undefined {
  return authorizers.find((one): one is RbacAuthorizer => 'notHeld' in one)
}

interface RoleRef {
  readonly kind: string
  readonly name: string
}

/** A role that a user has by a binding, and how to say so. */
interface Grant {
  readonly rules: readonly PolicyRule[] | undefined
  readonly describe: () => string
  readonly missing: () => string
}

/** What somebody holds in a namespace. */
interface Held {
  /** Of whom and where, as part of a decision's key. */
  readonly key: string
  readonly grants: readonly Grant[]
  /** Resources of which some rule allows only objects with certain names; `*` stands for all. Of others one decision serves every object. */
  readonly named: ReadonlySet<string>
}

const CACHED_DECISIONS = 10_000
/** Of as many pairs of a user and a namespace it is kept what they hold. */
const KEPT_GRANTS = 1000

/**
 * RBAC as upstream evaluates it: nothing is allowed but by a rule of a role that a binding gives to the user or one of the groups.
 *
 * Bindings are indexed by subject, and decisions are kept until any role or binding changes.
 */
export function rbacAuthorizer(informers: Informers): RbacAuthorizer {
  const clusterRoles = informers.of(ClusterRole)
  const roles = informers.of(Role)
  const clusterBindings = informers.of(ClusterRoleBinding)
  const bindings = informers.of(RoleBinding)
  clusterBindings.addIndex('subject', binding => (binding.subjects ?? []).map(subject => keyOfSubject(subject, '')))
  bindings.addIndex('subject', binding =>
    (binding.subjects ?? []).map(subject => `${binding.metadata.namespace}|${keyOfSubject(subject, binding.metadata.namespace ?? '')}`),
  )
  const decisions = new Map<string, Decision>()
  const kept = new Map<string, Held>()
  const forget = () => {
    decisions.clear()
    kept.clear()
  }
  for (const informer of [clusterRoles, roles]) informer.onChange(forget)
  for (const informer of [clusterBindings, bindings]) informer.onChange(forget)

  const rulesOf = (namespace: string, roleRef: RoleRef): readonly PolicyRule[] | undefined => {
    const role = roleRef.kind === 'Role' ? roles.get(namespace, roleRef.name) : clusterRoles.get('', roleRef.name)
    return role && (role.rules ?? [])
  }

  function* grantsOf(user: UserInfo, namespace: string): Generator<Grant> {
    const subjects = [`User:${user.name}`, ...user.groups.map(group => `Group:${group}`)]
    for (const subject of subjects) {
      for (const binding of clusterBindings.byIndex('subject', subject)) {
        yield grant(rulesOf('', binding.roleRef), 'ClusterRoleBinding', binding.metadata.name ?? '', binding.roleRef, subject)
      }
    }
    if (namespace === '') return
    for (const subject of subjects) {
      for (const binding of bindings.byIndex('subject', `${namespace}|${subject}`)) {
        const name = `${binding.metadata.name}/${namespace}`
        yield grant(rulesOf(namespace, binding.roleRef), 'RoleBinding', name, binding.roleRef, subject)
      }
    }
  }

  /** Of one user in one namespace many things are asked. */
  const heldBy = (user: UserInfo, namespace: string): Held => {
    const key = `${namespace}\n${user.name}\n${user.groups.join('\r')}`
    let known = kept.get(key)
    if (!known) {
      const grants = [...grantsOf(user, namespace)]
      known = { key, grants, named: namedResources(grants) }
      if (kept.size >= KEPT_GRANTS) kept.clear()
      kept.set(key, known)
    }
    return known
  }

  const decide = (attributes: Attributes, grants: readonly Grant[]): Decision => {
    const missing: string[] = []
    for (const held of grants) {
      if (!held.rules) missing.push(held.missing())
      else if (held.rules.some(rule => ruleAllows(rule, attributes))) return { verdict: 'allow', reason: `RBAC: ${held.describe()}` }
    }
    return { verdict: 'no opinion', reason: missing.length > 0 ? `RBAC: ${inBrackets([...new Set(missing)].sort())}` : '' }
  }

  const heldRules = (user: UserInfo, namespace: string) => [...grantsOf(user, namespace)].flatMap(held => held.rules ?? [])

  return {
    name: 'RBAC',
    rulesOf,
    authorize(attributes) {
      const held = heldBy(attributes.user, 'namespace' in attributes ? attributes.namespace : '')
      const key = keyOfDecision(attributes, held)
      let decision = decisions.get(key)
      if (!decision) {
        decision = decide(attributes, held.grants)
        if (decisions.size >= CACHED_DECISIONS) decisions.clear()
        decisions.set(key, decision)
      }
      return decision
    },
    rulesFor(user, namespace) {
      const held = [...grantsOf(user, namespace)]
      const rules = held.flatMap(one => one.rules ?? [])
      return {
        resourceRules: rules.filter(rule => rule.resources?.length).map(resourceRule),
        nonResourceRules: rules
          .filter(rule => rule.nonResourceURLs?.length)
          .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs: nonResourceURLs! })),
        ...unresolved(held),
      }
    },
    notHeld(user, namespace, rules) {
      if (user.groups.includes('system:masters')) return []
      const held = heldRules(user, namespace)
      return rules.filter(rule => !covers(held, rule))
    },
  }
}

/** Of bindings to roles that are not there it is not known what they would allow. */
function unresolved(grants: readonly Grant[]): Pick<ResolvedRules, 'incomplete' | 'problem'> {
  const missing = [...new Set(grants.filter(held => !held.rules).map(held => held.missing()))].sort()
  return missing.length > 0 ? { incomplete: true, problem: inBrackets(missing) } : { incomplete: false }
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule) {
  return { verbs, apiGroups: apiGroups ?? [], resources: resources ?? [], resourceNames: resourceNames ?? [] }
}

function grant(rules: readonly PolicyRule[] | undefined, binding: string, bindingName: string, roleRef: RoleRef, subject: string): Grant {
  return {
    rules,
    describe: () => `allowed by ${binding} "${bindingName}" of ${roleRef.kind} "${roleRef.name}" to ${describeSubject(subject)}`,
    missing: () => `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io "${roleRef.name}" not found`,
  }
}

const SERVICE_ACCOUNT = /^User:system:serviceaccount:([^:]+):([^:]+)$/

function describeSubject(subject: string): string {
  const account = SERVICE_ACCOUNT.exec(subject)
  if (account) return `ServiceAccount "${account[2]}/${account[1]}"`
  const colon = subject.indexOf(':')
  return `${subject.slice(0, colon)} "${subject.slice(colon + 1)}"`
}

function keyOfSubject(
  subject: { readonly kind: string; readonly name: string; readonly namespace?: string | undefined },
  bindingNamespace: string,
): string {
  if (subject.kind === 'ServiceAccount') return `User:system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`
  return `${subject.kind}:${subject.name}`
}

function namedResources(grants: readonly Grant[]): ReadonlySet<string> {
  const named = new Set<string>()
  for (const { rules = [] } of grants) {
    for (const { resourceNames, resources = [] } of rules) {
      if (resourceNames?.length) for (const resource of resources) named.add(resource.split('/')[0]!)
    }
  }
  return named
}

/** Every input of a decision that counts; fields are set apart by a character that none of them may hold. */
function keyOfDecision(attributes: Attributes, { key, named }: Held): string {
  if ('path' in attributes) return `${key}\n${attributes.verb}\n${attributes.path}`
  const { verb, group, resource, subresource, name } = attributes
  const what = `${key}\n${verb}\n${group}\n${resource}\n${subresource}`
  return named.has(resource) || named.has('*') ? `${what}\n${name}` : what
}

function inBrackets(texts: readonly string[]): string {
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}
