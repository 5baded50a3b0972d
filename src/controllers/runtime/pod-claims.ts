import type { Pod } from '#kinds/core/v1/pod.ts'

/** The claims (`namespace/name`) that a pod names, those of its generic ephemeral volumes included. */
export function claimKeysOf({ metadata, spec }: Pod): readonly string[] {
  // Hot: bench/loops — asked about every pod at every change, and most have no claims.
  if (!spec.volumes?.some(volume => volume.persistentVolumeClaim ?? volume.ephemeral)) return NONE
  return spec.volumes.flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name}-${name}` : undefined)
    return claim === undefined ? [] : [`${metadata.namespace}/${claim}`]
  })
}

const NONE: readonly string[] = []
