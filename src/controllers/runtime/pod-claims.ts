import type { Pod } from '#kinds/core/v1/pod.ts'

/** The claims (`namespace/name`) that a pod names, those of its generic ephemeral volumes included. */
export function claimKeysOf({ metadata, spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name}-${name}` : undefined)
    return claim === undefined ? [] : [`${metadata.namespace}/${claim}`]
  })
}
