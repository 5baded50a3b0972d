import type { Informers } from '#client/informers/informer.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { equal } from '#machinery/kind/draft.ts'

/** The groups that pods name in `spec.schedulingGroup` (KEP-4671), and who is in them. */
export interface PodGroups {
  get(key: string): PodGroup | undefined
  /** The pods of a group that have not ended, with and without a node. */
  members(key: string): readonly Pod[]
  /** Calls back for each group that is new or is to be something else: what is said of it in its status changes nothing. */
  onChange(changed: (group: PodGroup) => void): Disposable
}

/** The group of a pod, as `<namespace>/<name>`. */
export function groupOf({ metadata, spec }: Pod): string | undefined {
  const name = spec.schedulingGroup?.podGroupName
  return name === undefined ? undefined : `${metadata.namespace}/${name}`
}

const BY_GROUP = 'podGroup'

export function podGroups(informers: Informers): PodGroups {
  const groups = informers.of(PodGroup)
  const pods = informers.of(Pod)
  pods.addIndex(BY_GROUP, pod => {
    const key = isTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName) ? undefined : groupOf(pod)
    return key === undefined ? [] : [key]
  })
  return {
    get(key) {
      const slash = key.indexOf('/')
      return groups.get(key.slice(0, slash), key.slice(slash + 1))
    },
    members: key => pods.byIndex(BY_GROUP, key),
    onChange: changed =>
      groups.onChange((group, old) => {
        if (group && !equal(group.spec, old?.spec)) changed(group)
      }),
  }
}
