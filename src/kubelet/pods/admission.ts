import { allocatableOf } from '#kinds/core/v1/node.facts.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { matchesRequiredAffinity } from '#kinds/core/v1/node-selector.facts.ts'
import { isStatic, requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { addAmounts, isExtendedResource } from '#kinds/core/v1/resources.facts.ts'

export interface Refusal {
  readonly reason: string
  readonly message: string
}

/** Why a node cannot take a pod beside those it has; the scheduler may have decided on what was no longer so. */
export function refusalOf(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  if (pod.spec.os && pod.spec.os.name !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  }
  if (!isStatic(pod) && !matchesRequiredAffinity(pod.spec, node)) {
    return {
      reason: 'NodeAffinity',
      message: "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    }
  }
  const allocatable = allocatableOf(node)
  if (allocatable['pods'] !== undefined && others.length + 1 > allocatable['pods'])
    return lacking('pods', 1, others.length, allocatable['pods'])
  const requested = requestsOf(pod)
  const used = others.map(requestsOf).reduce(addAmounts, {})
  for (const [name, amount] of Object.entries(requested)) {
    const capacity = allocatable[name]
    if (capacity === undefined && isExtendedResource(name)) continue // Whoever counts it may not have told yet.
    if (amount > 0 && (used[name] ?? 0) + amount > (capacity ?? 0)) return lacking(name, amount, used[name] ?? 0, capacity ?? 0)
  }
  return undefined
}

function lacking(name: string, requested: number, used: number, capacity: number): Refusal {
  return {
    reason: `OutOf${name}`,
    message: `Pod was rejected: Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  }
}
