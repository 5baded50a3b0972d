import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import type { PolicyRule } from '#kinds/rbac/v1/policy-rule.ts'
import { equal } from '#machinery/kind/draft.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { mapped, selectorOf } from './runtime/watches.ts'

/** Gathers the rules of the cluster roles that an aggregated one selects. */
export const clusterRoleAggregationController = defineController({
  name: 'clusterrole-aggregation-controller',
  reconciles: ClusterRole,
  watches: [
    mapped(ClusterRole, (role, { cacheOf }) =>
      cacheOf(ClusterRole)
        .list()
        .filter(other => other.aggregationRule?.clusterRoleSelectors?.some(one => selectorOf(one).matches(role.metadata.labels))),
    ),
  ],
  writes: [whole(ClusterRole)],
  async reconcile(role, { client, list }) {
    if (!role.aggregationRule) return
    const rules = aggregate(role, list(ClusterRole))
    if (equal(rules, role.rules ?? [])) return
    const { apiVersion, kind, metadata } = role
    const body = { apiVersion, kind, metadata: { name: metadata.name }, rules }
    await client.patch(ClusterRole, role, { type: 'apply', body, force: true }, { fieldManager: 'clusterrole-aggregation-controller' })
  },
})

/** The rules of all selected roles by name, each once. */
export function aggregate(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules: PolicyRule[] = []
  const byName = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const other of byName) {
      if (other.metadata.name === role.metadata.name || !selectorOf(selector).matches(other.metadata.labels)) continue
      for (const rule of other.rules ?? []) if (!rules.some(present => equal(present, rule))) rules.push(rule)
    }
  }
  return rules
}
