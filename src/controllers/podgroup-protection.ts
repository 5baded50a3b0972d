import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

const FINALIZER = 'scheduling.k8s.io/podgroup-protection'
const BY_GROUP = 'livingPodOfGroup'

/** Lets go of a group that is deleted once no pod of it is at work any more. Admission has put the finalizer there. */
export const podGroupProtectionController = defineController({
  name: 'podgroup-protection-controller',
  featureGates: ['GenericWorkload'],
  reconciles: PodGroup,
  watches: [mapped(Pod, groupOf, { [BY_GROUP]: pod => (isTerminal(pod) ? [] : groupOf(pod)) })],
  writes: [whole(PodGroup)],
  async reconcile(group, { client, list }) {
    const { namespace, name, deletionTimestamp, finalizers = [] } = group.metadata
    if (!deletionTimestamp || !finalizers.includes(FINALIZER)) return
    if (list(Pod, { index: [BY_GROUP, `${namespace}/${name}`] }).length > 0) return
    // A pod may have come that the cache does not show yet: the server has the last word.
    const { items } = await client.list(Pod, { namespace })
    if (items.some(pod => !isTerminal(pod) && groupOf(pod).includes(`${namespace}/${name}`))) return
    const metadata = { ...group.metadata, finalizers: finalizers.filter(one => one !== FINALIZER) }
    await client.update(PodGroup, { ...group, metadata }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  },
})

function groupOf({ metadata, spec }: Pod): string[] {
  const name = spec.schedulingGroup?.podGroupName
  return name ? [`${metadata.namespace}/${name}`] : []
}
