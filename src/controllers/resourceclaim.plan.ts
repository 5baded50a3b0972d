import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { ResourceClaim, ResourceClaimStatus } from '#kinds/resource/v1/resource-claim.ts'
import { controllerOf, isControlledBy } from '#machinery/meta/object-meta.ts'

/** Says for which claim of its pod a claim was made. */
export const POD_CLAIM_NAME = 'resource.kubernetes.io/pod-claim-name'
/** Keeps a claim until what it was given is given back. */
export const FINALIZER = 'resource.kubernetes.io/delete-protection'
/** A claim is of use to so many pods at once. */
export const RESERVED_FOR_MAX = 256

/** A claim that a pod's spec names, and the claim that is behind it. */
export interface PodClaim {
  /** As the pod calls it. */
  readonly name: string
  /** The template it is to be made from; absent: the pod names a claim that is there. */
  readonly template: string | undefined
  /** The claim; absent: it is still to be made. */
  readonly claim: string | undefined
}

/** The claims of a pod; those made for it are found by owner and annotation, or by what its status says. */
export function claimsOf(pod: Pod, owned: readonly ResourceClaim[]): PodClaim[] {
  return (pod.spec.resourceClaims ?? []).map(({ name, resourceClaimName, resourceClaimTemplateName: template }) => {
    if (template === undefined) return { name, template, claim: resourceClaimName }
    const noted = pod.status.resourceClaimStatuses?.find(one => one.name === name)?.resourceClaimName
    const found =
      owned.find(({ metadata }) => metadata.name === noted) ??
      owned.find(claim => isControlledBy(claim, pod.metadata.uid ?? '') && claim.metadata.annotations?.[POD_CLAIM_NAME] === name)
    return { name, template, claim: found?.metadata.name }
  })
}

/** Whether a pod will never use a device again. */
export function isDone(pod: Pod): boolean {
  return isTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && (pod.spec.nodeName ?? '') === '')
}

export interface ClaimPlan {
  /** The status that says nothing of pods that are gone; undefined: as it is. */
  readonly status: ResourceClaimStatus | undefined
  /** Nothing is given any more: nothing keeps the claim. */
  readonly release: boolean
  /** It was made for a pod that is done. */
  readonly delete: boolean
}

/** What is to become of a claim. `pod` finds a pod of the claim's namespace by name: undefined if there is none. */
export function planClaim(claim: ResourceClaim, pod: (name: string) => Pod | undefined): ClaimPlan {
  const { metadata, status } = claim
  const reserved = status.reservedFor ?? []
  const valid = reserved.filter(({ apiGroup, resource, name, uid }) => {
    // Whom this controller does not know it cannot judge.
    if ((apiGroup ?? '') !== '' || resource !== 'pods') return true
    const user = pod(name)
    return user?.metadata.uid === uid && !isDone(user)
  })
  const isFree = valid.length === 0
  const isChanged = valid.length < reserved.length || (isFree && status.allocation !== undefined && reserved.length > 0)
  const isGiven = status.allocation !== undefined && !(isFree && (reserved.length > 0 || metadata.deletionTimestamp !== undefined))
  const hasFinalizer = metadata.finalizers?.includes(FINALIZER) ?? false
  const isEnding = isFree && metadata.deletionTimestamp !== undefined && status.allocation !== undefined
  return {
    status: isChanged || isEnding ? statusWith(status, valid) : undefined,
    // The scheduler sets the finalizer before it gives anything: only what was given back, or is to go, is let go.
    release: hasFinalizer && !isGiven && (status.allocation !== undefined || metadata.deletionTimestamp !== undefined),
    delete: isFree && metadata.deletionTimestamp === undefined && isOfDonePod(claim, pod),
  }
}

function statusWith(status: ResourceClaimStatus, reservedFor: NonNullable<ResourceClaimStatus['reservedFor']>): ResourceClaimStatus {
  const { allocation: _, reservedFor: __, ...rest } = status
  if (reservedFor.length > 0) return { ...status, reservedFor }
  const { devices: ___, ...bare } = rest
  return bare
}

function isOfDonePod(claim: ResourceClaim, pod: (name: string) => Pod | undefined): boolean {
  const owner = controllerOf(claim)
  if (owner?.kind !== 'Pod') return false
  const found = pod(owner.name)
  return found?.metadata.uid === owner.uid && isDone(found)
}
