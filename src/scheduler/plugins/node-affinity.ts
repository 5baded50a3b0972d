import type { NodeAffinity } from '#kinds/core/v1/affinity.ts'
import { matchesNodeSelector, matchesRequiredAffinity, matchesTerm } from '#kinds/core/v1/node-selector.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import { normalizeUp } from './normalize.ts'

const REFUSAL: Refusal = { plugin: 'NodeAffinity', code: 'unresolvable', reasons: ["node(s) didn't match Pod's node affinity/selector"] }

const ENFORCED: Refusal = {
  plugin: 'NodeAffinity',
  code: 'unresolvable',
  reasons: ["node(s) didn't match scheduler-enforced node affinity"],
}

/**
 * Keeps a pod to the nodes that its node selector and required node affinity name, and prefers those of its preferred terms. `added` counts
 * for every pod of the profile besides its own.
 */
export function nodeAffinity(added?: NodeAffinity): SchedulerPlugin {
  const enforced = added?.requiredDuringSchedulingIgnoredDuringExecution
  const addedPreferences = added?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const preferencesOf = (pod: Pod) => {
    const own = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return addedPreferences.length === 0 ? own : [...own, ...addedPreferences]
  }
  return {
    name: 'NodeAffinity',
    sign: ({ pod }) => [pod.spec.nodeSelector, pod.spec.affinity?.nodeAffinity],
    wakesOn: ['node added', 'node labels changed'],
    preFilter({ pod }) {
      const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      if (!required && !pod.spec.nodeSelector && !enforced) return { skip: true }
      const nodeNames = namedNodes(pod)
      return nodeNames ? { nodeNames } : undefined
    },
    filter({ pod }, { node }) {
      if (enforced && !matchesNodeSelector(enforced, node!)) return ENFORCED
      return matchesRequiredAffinity(pod.spec, node!) ? undefined : REFUSAL
    },
    preScore: ({ pod }) => preferencesOf(pod).length > 0,
    score: ({ pod }, { node }) =>
      preferencesOf(pod).reduce((sum, { weight, preference }) => (weight > 0 && matchesTerm(preference, node!) ? sum + weight : sum), 0),
    normalize: (_cycle, scores) => normalizeUp(scores),
  }
}

/** The nodes that every required term names by `metadata.name`, if each does: as daemon pods are written. */
function namedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const names = new Set<string>()
  for (const term of terms) {
    const named = (term.matchFields ?? []).filter(field => field.key === 'metadata.name' && field.operator === 'In')
    if (named.length === 0) return undefined
    for (const field of named) for (const name of field.values ?? []) names.add(name)
  }
  return terms.length > 0 ? names : undefined
}
