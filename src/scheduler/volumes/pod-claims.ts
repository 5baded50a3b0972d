import type { Pod } from '#kinds/core/v1/pod.ts'

/** A claim that a pod uses. */
export interface PodClaim {
  readonly namespace: string
  readonly name: string
  /** Made for the pod alone, by the controller of ephemeral volumes. */
  readonly isEphemeral: boolean
}

/** The claims of a pod's volumes. */
export function claimsOf(pod: Pod): PodClaim[] {
  const { namespace = '', name: podName = '' } = pod.metadata
  const claims: PodClaim[] = []
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim) claims.push({ namespace, name: persistentVolumeClaim.claimName, isEphemeral: false })
    else if (ephemeral) claims.push({ namespace, name: `${podName}-${name}`, isEphemeral: true })
  }
  return claims
}

export const keyOfClaim = ({ namespace, name }: { readonly namespace: string; readonly name: string }) => `${namespace}/${name}`
