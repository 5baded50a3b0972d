import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { defineController } from './runtime/define-controller.ts'
import { consulted } from './runtime/watches.ts'

/** Says of claims that ask for more than they have that somebody else enlarges them: every driver has a resizer of its own. */
export const persistentVolumeExpanderController = defineController({
  name: 'persistentvolume-expander-controller',
  component: 'volume_expand',
  reconciles: PersistentVolumeClaim,
  watches: [consulted(PersistentVolume)],
  async reconcile(claim, { get, events }) {
    const volume = get(PersistentVolume, '', claim.spec.volumeName ?? '')
    if (volume && isToGrow(claim, volume))
      events.record(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
  },
})

/** Whether a bound claim asks for more than it has. */
export function isToGrow({ metadata, spec, status }: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  const [asked, has] = [spec.resources?.requests?.['storage'], status.capacity?.['storage']]
  if (status.phase !== 'Bound' || metadata.deletionTimestamp || volume.spec.claimRef?.uid !== metadata.uid) return false
  return asked !== undefined && has !== undefined && Quantity.parse(asked).compare(Quantity.parse(has)) > 0
}
