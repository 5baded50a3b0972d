import type { Client } from '#client/client.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { Role } from '#kinds/rbac/v1/role.ts'
import { RoleBinding } from '#kinds/rbac/v1/role-binding.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { bootstrapPolicy, type ServedBeside } from './bootstrap-policy.ts'
import type { PolicyRule } from './policy-rule.ts'
import { covers } from './rule-match.ts'

const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

/**
 * Makes sure that the shipped roles and bindings are there, as upstream does at every start: what is missing is created, rules and subjects
 * that were taken away come back, what people added stays. An object annotated `autoupdate: "false"` is left alone.
 */
export async function reconcilePolicy(client: Client, beside: ServedBeside = {}): Promise<void> {
  const policy = bootstrapPolicy(beside)
  await Promise.all([
    reconcileAll(client, ClusterRole, policy.clusterRoles, addRules),
    reconcileAll(client, ClusterRoleBinding, policy.clusterRoleBindings, addSubjects),
    reconcileAll(client, Role, policy.roles, addRules),
    reconcileAll(client, RoleBinding, policy.roleBindings, addSubjects),
  ])
}

type Wanted = {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Labels; readonly annotations: Labels }
}
type Labels = Readonly<Record<string, string>>

async function reconcileAll<W extends Wanted>(
  client: Client,
  kind: AnyKind,
  wanted: readonly W[],
  merge: (present: ApiObject, wanted: W) => object,
): Promise<void> {
  const { items } = await client.list(kind)
  const present = new Map((items as readonly ApiObject[]).map(object => [keyOf(object.metadata), object]))
  const write = async (one: W): Promise<void> => {
    const object = present.get(keyOf(one.metadata))
    if (!object) {
      await client.create(kind, one, { fieldManager: MANAGER })
      return
    }
    if (object.metadata.annotations?.[AUTO_UPDATE] === 'false') return
    const merged = { ...object, ...merge(object, one), metadata: mergeMetadata(object, one) }
    if (!equal(merged, object)) await client.update(kind, merged, { fieldManager: MANAGER })
  }
  await Promise.all(wanted.map(write))
}

const MANAGER = 'kube-apiserver'

const keyOf = ({ namespace = '', name = '' }: { readonly namespace?: string | undefined; readonly name?: string | undefined }) =>
  `${namespace}/${name}`

function mergeMetadata({ metadata }: ApiObject, wanted: Wanted): ApiObject['metadata'] {
  return {
    ...metadata,
    labels: { ...metadata.labels, ...wanted.metadata.labels },
    annotations: { ...wanted.metadata.annotations, ...metadata.annotations },
  }
}

/** Aggregated roles get their rules from a controller; all others get back what they lack. */
function addRules(
  present: ApiObject,
  wanted: { readonly rules: readonly PolicyRule[] | null; readonly aggregationRule?: unknown },
): object {
  if (wanted.aggregationRule) return { aggregationRule: wanted.aggregationRule }
  const rules = (present as ClusterRole).rules ?? []
  return { rules: [...rules, ...(wanted.rules ?? []).filter(rule => !covers(rules, rule))] }
}

function addSubjects(present: ApiObject, wanted: { readonly subjects?: readonly object[]; readonly roleRef: object }): object {
  const subjects = (present as ClusterRoleBinding).subjects ?? []
  const missing = (wanted.subjects ?? []).filter(subject => !subjects.some(other => equal(other, subject)))
  return missing.length > 0 ? { subjects: [...subjects, ...missing] } : {}
}
