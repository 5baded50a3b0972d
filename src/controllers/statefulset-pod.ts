import type { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodTemplateSpec } from '#kinds/core/v1/pod-template-spec.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { controllerReference, type OwnerReference } from '#machinery/meta/object-meta.ts'
import { REVISION_LABEL } from './runtime/controller-revisions.ts'
import { type PodDraft, podFrom } from './runtime/pod-template.ts'

const POD_NAME = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX = 'apps.kubernetes.io/pod-index'

/** The pod's place in the set; undefined if its name is none of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const match = /^(.*)-([0-9]{1,10})$/.exec(pod.metadata.name ?? '')
  return match && match[1] === set.metadata.name ? Number(match[2]) : undefined
}

/** The pod of an ordinal, of the template of a revision. */
export function statefulPodFrom(set: StatefulSet, template: PodTemplateSpec, ordinal: number, revision: string): PodDraft {
  const name = `${set.metadata.name}-${ordinal}`
  const pod = podFrom(template, set)
  delete pod.metadata.generateName
  pod.metadata.name = name
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_LABEL]: revision }
  giveIdentity(set, pod, name, ordinal)
  pod.spec.hostname = name
  pod.spec.subdomain = set.spec.serviceName
  return pod
}

/** Whether the pod still carries what tells it from the others. */
export function hasIdentity(set: StatefulSet, pod: Pod): boolean {
  const labels = pod.metadata.labels ?? {}
  return labels[POD_NAME] === pod.metadata.name && labels[POD_INDEX] === String(ordinalOf(set, pod))
}

/** The labels by which a pod is told from the others. */
export function identityLabels(set: StatefulSet, pod: Pod): Record<string, string> {
  return { [POD_NAME]: pod.metadata.name ?? '', [POD_INDEX]: String(ordinalOf(set, pod)) }
}

function giveIdentity(set: StatefulSet, pod: PodDraft, name: string, ordinal: number): void {
  pod.metadata.labels = { ...pod.metadata.labels, [POD_NAME]: name, [POD_INDEX]: String(ordinal) }
  const claims = set.spec.volumeClaimTemplates ?? []
  const names = new Set(claims.map(({ metadata }) => metadata.name))
  const others = (pod.spec.volumes ?? []).filter(volume => !names.has(volume.name))
  const mounted = claims.map(claim => ({
    name: claim.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinal), readOnly: false },
  }))
  if (mounted.length > 0) pod.spec.volumes = [...mounted, ...others] as Mutable<NonNullable<Pod['spec']['volumes']>>
}

export function claimName(set: StatefulSet, claim: PersistentVolumeClaim, ordinal: number): string {
  return `${claim.metadata.name}-${set.metadata.name}-${ordinal}`
}

/** The claims of an ordinal. They outlive their pod unless the retention policy says otherwise. */
export function claimsFor(set: StatefulSet, ordinal: number) {
  return (set.spec.volumeClaimTemplates ?? []).map(claim => ({
    metadata: {
      ...draft(claim.metadata),
      name: claimName(set, claim, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...claim.metadata.labels, ...set.spec.selector.matchLabels },
      ownerReferences: claimOwners(set, undefined, false, []),
    },
    spec: draft(claim.spec),
  }))
}

/** Who must own a claim by the set's retention policy: the set, the pod that is scaled down, or nobody. `others` are kept. */
export function claimOwners(
  set: StatefulSet,
  pod: Pod | undefined,
  isCondemned: boolean,
  others: readonly OwnerReference[],
): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy
  const podUid = pod?.metadata.uid
  const foreign = others.filter(
    ({ uid, kind, name }) => uid !== set.metadata.uid && uid !== podUid && !(kind === 'Pod' && name === pod?.metadata.name),
  )
  const byPod = whenScaled === 'Delete' && isCondemned && pod !== undefined
  if (byPod) {
    const { apiVersion, kind, metadata } = pod
    return [...foreign, { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '' }]
  }
  return whenDeleted === 'Delete' ? [...foreign, controllerReference(set)] : foreign
}
