import type { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { forbidden, notFound } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { PolicyRule } from '../authorization/rbac/policy-rule.ts'
import type { RbacAuthorizer } from '../authorization/rbac/rbac-authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const GROUP = 'rbac.authorization.k8s.io'
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export interface RoleEscalationOptions {
  /** Undefined where roles do not decide. */
  rbac(): RbacAuthorizer | undefined
  readonly authorizer: Authorizer
}

/**
 * Nobody grants more than they hold: what a role says, or the role that a binding names, has to be covered by what its writer may do. Who may
 * `escalate` a role or `bind` it is trusted. No plugin of admission upstream but part of its registry, and not to be switched off.
 */
export function roleEscalation({ rbac, authorizer }: RoleEscalationOptions): AdmissionPlugin {
  return {
    name: 'RoleEscalation',
    async admit(request) {
      const { operation, kind, subresource, object, old, user } = request
      if (kind.group !== GROUP || subresource !== '' || !object || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      const roles = rbac()
      if (!roles || user.groups.includes('system:masters') || (old && isOnlyReleased(object, old))) return
      const isBinding = kind.kind.endsWith('Binding')
      if (await isTrusted(authorizer, request, isBinding)) return
      const rules = isBinding ? rulesOfBinding(roles, request) : (object as unknown as ClusterRole).rules
      confirm(roles, request, rules ?? [])
      if ((object as unknown as ClusterRole).aggregationRule) {
        const why = 'must have cluster-admin privileges to use the aggregationRule'
        if (roles.notHeld(user, '', EVERYTHING).length > 0) throw refusal(request, why)
      }
    },
  }
}

/** Whether the writer has the verb that stands for trust. */
async function isTrusted(
  authorizer: Authorizer,
  { kind, namespace, object, old, user }: AdmissionRequest,
  isBinding: boolean,
): Promise<boolean> {
  const { roleRef } = object as unknown as WithRole
  const { verdict } = await authorizer.authorize({
    user,
    verb: isBinding ? 'bind' : 'escalate',
    group: GROUP,
    version: '*',
    resource: isBinding ? (roleRef.kind === 'Role' ? 'roles' : 'clusterroles') : kind.plural,
    subresource: '',
    namespace,
    name: isBinding ? roleRef.name : old ? (object?.metadata.name ?? '') : '',
  })
  return verdict === 'allow'
}

interface WithRole {
  readonly roleRef: { readonly kind: string; readonly name: string }
}

function rulesOfBinding(roles: RbacAuthorizer, { object, namespace }: AdmissionRequest): readonly PolicyRule[] {
  const { roleRef } = object as unknown as WithRole
  const rules = roles.rulesOf(namespace, roleRef)
  if (!rules) throw notFound({ group: GROUP, resource: roleRef.kind === 'Role' ? 'roles' : 'clusterroles' }, roleRef.name)
  return rules
}

function confirm(roles: RbacAuthorizer, request: AdmissionRequest, rules: readonly PolicyRule[]): void {
  const { user, namespace } = request
  const missing = roles.notHeld(user, namespace, rules.flatMap(parts))
  if (missing.length === 0) return
  const groups = user.groups.map(quote).join(' ')
  const lines = [...new Set(compact(missing).map(ruleText))].sort()
  const who = `user ${quote(user.name)} (groups=[${groups}])`
  throw refusal(request, `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`)
}

function refusal({ kind, object }: AdmissionRequest, why: string) {
  return forbidden({ group: GROUP, resource: kind.plural }, object?.metadata.name ?? '', why)
}

/** Rules of one verb and one resource or path each. */
function parts({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): PolicyRule[] {
  const names = resourceNames?.length ? resourceNames.map(name => ({ resourceNames: [name] })) : [{}]
  const ofResources = verbs.flatMap(verb =>
    (apiGroups ?? []).flatMap(group =>
      (resources ?? []).flatMap(resource => names.map(name => ({ verbs: [verb], apiGroups: [group], resources: [resource], ...name }))),
    ),
  )
  const ofPaths = verbs.flatMap(verb => (nonResourceURLs ?? []).map(path => ({ verbs: [verb], nonResourceURLs: [path] })))
  return [...ofResources, ...ofPaths]
}

/** Verbs on the same resource stand together. */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const byResource = new Map<string, PolicyRule>()
  const others: PolicyRule[] = []
  for (const rule of rules) {
    if (rule.nonResourceURLs) {
      others.push(rule)
      continue
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []])
    const known = byResource.get(key)
    byResource.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule)
  }
  return [...others, ...byResource.values()]
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}` */
function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const fields: [string, readonly string[] | undefined][] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ]
  const said = fields.filter(([, values]) => values?.length).map(([name, values]) => `${name}:[${values!.map(quote).join(' ')}]`)
  return `{${said.join(', ')}}`
}

/** Whether only owners and finalizers change: what the garbage collector does to an object on its way out. */
function isOnlyReleased(object: ApiObject, old: ApiObject): boolean {
  const bare = ({ metadata, ...rest }: ApiObject) => {
    const { ownerReferences: _, finalizers: __, managedFields: ___, resourceVersion: ____, ...others } = metadata
    return { ...rest, metadata: others }
  }
  const { ownerReferences, finalizers } = object.metadata
  const isChanged = !equal(ownerReferences, old.metadata.ownerReferences) || !equal(finalizers, old.metadata.finalizers)
  return isChanged && equal(bare(object), bare(old))
}
