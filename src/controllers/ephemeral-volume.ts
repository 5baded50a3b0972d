import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { draft } from '#machinery/kind/draft.ts'
import { controllerReference, isControlledBy } from '#machinery/meta/object-meta.ts'
import { isAlreadyExists } from '#machinery/status/status-error.ts'
import { counter } from './runtime/controller-metrics.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { owned } from './runtime/watches.ts'

const HELP = 'Number of PersistentVolumeClaims creation requests'
const creations = counter('ephemeral_volume_controller_create_total', HELP)
const failures = counter('ephemeral_volume_controller_create_failures_total', HELP)

/** Makes the claims of volumes that live and end with their pod. */
export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume-controller',
  component: 'ephemeral_volume',
  reconciles: Pod,
  concerns: ({ spec }) => spec.volumes?.some(volume => volume.ephemeral) ?? false,
  watches: [owned(PersistentVolumeClaim)],
  writes: [whole(PersistentVolumeClaim)],
  async reconcile(pod, { client, get, events, metrics }) {
    if (isTerminating(pod)) return
    const { namespace = '', name, uid = '' } = pod.metadata
    for (const volume of pod.spec.volumes ?? []) {
      const template = volume.ephemeral?.volumeClaimTemplate
      if (!template) continue
      const claim = `${name}-${volume.name}`
      const present = get(PersistentVolumeClaim, namespace, claim)
      if (present && isControlledBy(present, uid)) continue
      if (present) throw new Error(`PVC "${namespace}/${claim}" was not created for pod "${namespace}/${name}" (pod is not owner)`)
      const { labels, annotations } = template.metadata
      const metadata = {
        name: claim,
        namespace,
        labels: { ...labels },
        annotations: { ...annotations },
        ownerReferences: [controllerReference(pod)],
      }
      metrics.count(creations)
      try {
        await client.create(PersistentVolumeClaim, { metadata, spec: draft(template.spec) })
      } catch (error) {
        metrics.count(failures)
        if (isAlreadyExists(error)) throw error
        const text = textOfError(error)
        events.record(pod, 'Warning', 'FailedCreate', `ephemeral volume controller failed to create PVC ${claim}: ${text}`)
        throw error
      }
    }
  },
})
