import type { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Toleration } from '#kinds/core/v1/toleration.ts'
import { REVISION_LABEL } from './runtime/controller-revisions.ts'
import { type PodDraft, podFrom } from './runtime/pod-template.ts'

const TEMPLATE_GENERATION = 'pod-template-generation'

/** A pod of the set for one node: the scheduler can put it nowhere else. */
export function daemonPodFrom(set: DaemonSet, node: string, hash: string): PodDraft {
  const pod = podFrom(set.spec.template, set)
  const generation = set.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '1'
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_LABEL]: hash, [TEMPLATE_GENERATION]: generation }
  const tolerations = pod.spec.tolerations ?? []
  const isThere = (one: Toleration) =>
    tolerations.some(({ key, effect, operator }) => key === one.key && effect === one.effect && operator === one.operator)
  pod.spec.tolerations = [...tolerations, ...daemonTolerations(pod.spec.hostNetwork ?? false).filter(one => !isThere(one))]
  const pinned = { matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [node] }] }
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const nodeSelectorTerms = terms.length > 0 ? terms.map(term => ({ ...term, matchFields: pinned.matchFields })) : [pinned]
  pod.spec.affinity = {
    ...pod.spec.affinity,
    nodeAffinity: { ...pod.spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  }
  return pod
}

/** The node that a daemon pod is on or is meant for. */
export function nodeNameOf({ spec }: Pod): string {
  if (spec.nodeName) return spec.nodeName
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const field = terms
    .flatMap(({ matchFields = [] }) => matchFields)
    .find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
  return field?.values?.[0] ?? ''
}

/** Daemons run where other pods may not: on nodes that are not ready or short of something. */
export function daemonTolerations(usesHostNetwork: boolean): Toleration[] {
  const tolerate = (name: string, effect: 'NoExecute' | 'NoSchedule'): Toleration => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists',
    effect,
  })
  return [
    tolerate('not-ready', 'NoExecute'),
    tolerate('unreachable', 'NoExecute'),
    tolerate('disk-pressure', 'NoSchedule'),
    tolerate('memory-pressure', 'NoSchedule'),
    tolerate('pid-pressure', 'NoSchedule'),
    tolerate('unschedulable', 'NoSchedule'),
    ...(usesHostNetwork ? [tolerate('network-unavailable', 'NoSchedule')] : []),
  ]
}
