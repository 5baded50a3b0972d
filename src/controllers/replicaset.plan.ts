import { isActive, isAvailable, isReady, isTerminating, phaseOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { byDeletionOrder, type RankedPod } from './runtime/deletion-order.ts'

/** What a set of like pods asks for: the common part of ReplicaSet and ReplicationController. */
export interface ReplicasWanted {
  readonly replicas: number
  readonly minReadySeconds: number
  readonly templateLabels: Readonly<Record<string, string>>
}

/** The steps that bring the pods to the wanted number. */
export interface ReplicasPlan {
  /** How many pods to create. */
  readonly create: number
  readonly delete: readonly Pod[]
}

/** How many pods are created or deleted in one go. */
const BURST = 500

/**
 * Which pods to create or delete. Pods that end for themselves or are being deleted don't count. `related` are the pods of all sets
 * of the same owner: where many of them share a node, the first to go is there.
 */
export function planReplicas(wanted: number, pods: readonly Pod[], related: readonly Pod[], now: number): ReplicasPlan {
  const active = pods.filter(isActive)
  if (active.length < wanted) return { create: Math.min(wanted - active.length, BURST), delete: [] }
  const excess = Math.min(active.length - wanted, BURST)
  if (excess === 0) return { create: 0, delete: [] }
  if (excess === active.length) return { create: 0, delete: active }
  const perNode = new Map<string, number>()
  for (const pod of related) {
    if (!isActive(pod)) continue
    const node = pod.spec.nodeName ?? ''
    perNode.set(node, (perNode.get(node) ?? 0) + 1)
  }
  const ranked: RankedPod[] = active.map(pod => ({ pod, rank: perNode.get(pod.spec.nodeName ?? '') ?? 0 }))
  ranked.sort((left, right) => byDeletionOrder(left, right, now))
  return { create: 0, delete: ranked.slice(0, excess).map(({ pod }) => pod) }
}

/** The counts of a set's status. */
export interface ReplicaCounts {
  readonly replicas: number
  readonly fullyLabeledReplicas: number
  readonly readyReplicas: number
  readonly availableReplicas: number
  readonly terminatingReplicas: number
}

export function countReplicas(wanted: ReplicasWanted, pods: readonly Pod[], now: number): ReplicaCounts {
  const active = pods.filter(isActive)
  const template = LabelSelector.ofLabels(wanted.templateLabels)
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(pod => template.matches(pod.metadata.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter(pod => isAvailable(pod, wanted.minReadySeconds, now)).length,
    terminatingReplicas: pods.filter(pod => isTerminating(pod) && phaseOf(pod) !== 'Succeeded' && phaseOf(pod) !== 'Failed').length,
  }
}

/** When the next ready pod becomes available, in milliseconds from now; undefined if none will. */
export function nextAvailableInMs(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  if (minReadySeconds === 0) return undefined
  let next: number | undefined
  for (const pod of pods) {
    if (!isActive(pod) || !isReady(pod) || isAvailable(pod, minReadySeconds, now)) continue
    const since = pod.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
    if (!since) continue
    const inMs = Date.parse(since) + minReadySeconds * 1000 - now
    next = next === undefined ? inMs : Math.min(next, inMs)
  }
  return next
}
