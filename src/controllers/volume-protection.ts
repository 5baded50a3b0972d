import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { VolumeAttributesClass } from '#kinds/storage/v1/volume-attributes-class.ts'
import type { AnyKind, ApiObject, DraftObjectOf } from '#machinery/kind/kind.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { defineController, type Tools, whole } from './runtime/define-controller.ts'
import { claimKeysOf } from './runtime/pod-claims.ts'
import { mapped } from './runtime/watches.ts'

const BY_CLAIM = 'podUsingClaim'

/** Keeps a claim that is deleted until no pod uses it any more. */
export const persistentVolumeClaimProtectionController = defineController({
  name: 'persistentvolumeclaim-protection-controller',
  reconciles: PersistentVolumeClaim,
  watches: [mapped(Pod, pod => claimKeysOf(pod), { [BY_CLAIM]: pod => claimKeysOf(pod) })],
  writes: [whole(PersistentVolumeClaim)],
  async reconcile(claim, tools) {
    const { namespace = '', name = '' } = claim.metadata
    await protect(PersistentVolumeClaim, claim, 'kubernetes.io/pvc-protection', tools, async () => {
      if (tools.list(Pod, { index: [BY_CLAIM, `${namespace}/${name}`] }).some(pod => usesVolumes(pod))) return true
      // A pod may have come that the cache does not show yet: the server has the last word.
      const { items } = await tools.client.list(Pod, { namespace })
      return items.some(pod => usesVolumes(pod) && claimKeysOf(pod).includes(`${namespace}/${name}`))
    })
  },
})

/** Keeps a volume that is deleted as long as it is bound. */
export const persistentVolumeProtectionController = defineController({
  name: 'persistentvolume-protection-controller',
  reconciles: PersistentVolume,
  writes: [whole(PersistentVolume)],
  async reconcile(volume, tools) {
    await protect(PersistentVolume, volume, 'kubernetes.io/pv-protection', tools, async () => volume.status.phase === 'Bound')
  },
})

/** Keeps a class of volume attributes that is deleted as long as a volume or claim names it. */
export const volumeAttributesClassProtectionController = defineController({
  name: 'volumeattributesclass-protection-controller',
  reconciles: VolumeAttributesClass,
  watches: [
    mapped(PersistentVolumeClaim, claim => classesOfClaim(claim).map(name => `/${name}`)),
    mapped(PersistentVolume, ({ spec }) => (spec.volumeAttributesClassName ? [`/${spec.volumeAttributesClassName}`] : [])),
  ],
  writes: [whole(VolumeAttributesClass)],
  async reconcile(vac, tools) {
    const name = vac.metadata.name ?? ''
    await protect(VolumeAttributesClass, vac, 'kubernetes.io/vac-protection', tools, async () => {
      const isNamed = (claims: readonly PersistentVolumeClaim[], volumes: readonly PersistentVolume[]) =>
        claims.some(claim => classesOfClaim(claim).includes(name)) || volumes.some(({ spec }) => spec.volumeAttributesClassName === name)
      if (isNamed(tools.list(PersistentVolumeClaim), tools.list(PersistentVolume))) return true
      const [claims, volumes] = [await tools.client.list(PersistentVolumeClaim), await tools.client.list(PersistentVolume)]
      return isNamed(claims.items, volumes.items)
    })
  },
})

/** Adds the finalizer to an object that lives; takes it from one that is to go once nobody uses it. */
async function protect<K extends AnyKind>(
  kind: K,
  object: ApiObject,
  finalizer: string,
  { client }: Tools,
  isUsed: () => Promise<boolean>,
): Promise<void> {
  const { finalizers = [], deletionTimestamp } = object.metadata
  const has = finalizers.includes(finalizer)
  let next: readonly string[] | undefined
  if (!deletionTimestamp && !has) next = [...finalizers, finalizer]
  else if (deletionTimestamp && has && !(await isUsed())) next = finalizers.filter(other => other !== finalizer)
  if (!next) return
  await client.update(kind, { ...object, metadata: { ...object.metadata, finalizers: next } } as DraftObjectOf<K>).catch(error => {
    if (!isNotFound(error)) throw error
  })
}

/** A pod that has a node holds its claims until it has ended. */
function usesVolumes(pod: Pod): boolean {
  return (pod.spec.nodeName ?? '') !== '' && !isTerminal(pod)
}

function classesOfClaim({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec.volumeAttributesClassName,
    status.currentVolumeAttributesClassName,
    status.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return names.filter((name): name is string => name !== undefined && name !== '')
}
