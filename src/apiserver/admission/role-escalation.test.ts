import { describe, expect, it } from 'vitest'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { Role } from '#kinds/rbac/v1/role.ts'
import { RoleBinding } from '#kinds/rbac/v1/role-binding.ts'
import type { AnyKind, Mutable } from '#machinery/kind/kind.ts'
import type { PolicyRule } from '../authorization/rbac/policy-rule.ts'
import type { RbacAuthorizer } from '../authorization/rbac/rbac-authorizer.ts'
import { covers } from '../authorization/rbac/rule-match.ts'
import { decodeObject } from '../registry/body.ts'
import type { AdmissionRequest } from './admission.ts'
import { roleEscalation } from './role-escalation.ts'

const alice = { name: 'alice', groups: ['devs'] }
const held: PolicyRule[] = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] }]

function plugin(trusted: string[] = []) {
  const rbac: RbacAuthorizer = {
    name: 'RBAC',
    authorize: attributes => ({
      verdict:
        'resource' in attributes && trusted.includes(`${attributes.verb} ${attributes.resource}/${attributes.name}`)
          ? 'allow'
          : 'no opinion',
      reason: '',
    }),
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
    notHeld: (_user, _namespace, rules) => rules.filter(rule => !covers(held, rule)),
    rulesOf: (_namespace, { name }) => (name === 'view' ? [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] : undefined),
  }
  return roleEscalation({ rbac: () => rbac, authorizer: rbac })
}

const request = (kind: AnyKind, body: object, user = alice): AdmissionRequest => ({
  operation: 'CREATE',
  kind,
  subresource: '',
  namespace: kind.scope === 'Cluster' ? '' : 'default',
  name: 'r',
  object: decodeObject(kind, { metadata: { name: 'r' }, ...body }) as Mutable<ReturnType<typeof decodeObject>>,
  old: undefined,
  user,
  dryRun: false,
  warn: () => undefined,
})
const secrets = { rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }] }
const bindView = { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } }

describe('roles and bindings', () => {
  it('grant what their writer holds', async () => {
    await plugin().admit!(request(Role, { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] }))
  })

  it('do not grant more', async () => {
    await expect(plugin().admit!(request(Role, secrets))).rejects.toThrow(
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "alice" (groups=["devs"]) is attempting to grant RBAC permissions ' +
        'not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    )
    await expect(plugin().admit!(request(RoleBinding, bindView))).rejects.toThrow('{APIGroups:[""], Resources:["pods"], Verbs:["get"]}')
  })

  it('grant anything if their writer is trusted with that', async () => {
    await plugin(['escalate roles/']).admit!(request(Role, secrets))
    await plugin(['bind clusterroles/view']).admit!(request(RoleBinding, bindView))
    await plugin().admit!(request(Role, secrets, { name: 'root', groups: ['system:masters'] }))
  })

  it('bind only roles that are there', async () => {
    const ghost = { roleRef: { ...bindView.roleRef, name: 'ghost' } }
    await expect(plugin().admit!(request(RoleBinding, ghost))).rejects.toThrow('clusterroles.rbac.authorization.k8s.io "ghost" not found')
  })

  it('are gathered from others only by who holds everything', async () => {
    const gathered = { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }, rules: [] }
    await expect(plugin().admit!(request(ClusterRole, gathered))).rejects.toThrow('must have cluster-admin privileges')
  })
})
