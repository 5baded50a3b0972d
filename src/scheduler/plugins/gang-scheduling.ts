import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import { groupOf, type PodGroups } from '../pod-groups/pod-groups.ts'

const NAME = 'GangScheduling'

const TOO_FEW: Refusal = {
  plugin: NAME,
  code: 'unresolvable',
  reasons: ['waiting for minCount pods from a gang to appear in scheduling queue'],
}
const NOT_ENOUGH: Refusal = { plugin: NAME, code: 'pending', reasons: ['waiting for minCount pods from a gang to be scheduled'] }

/** Holds pods of a gang back until there are as many as it needs, and until so many have found nodes (KEP-4671). */
export function gangScheduling(groups: PodGroups): SchedulerPlugin {
  return {
    name: NAME,
    wakesOn: [
      { event: 'pod of a group added', helps: ({ pod }, change) => change.group === groupOf(pod) },
      { event: 'pod group changed', helps: ({ pod }, change) => change.group === groupOf(pod) },
    ],
    preEnqueue(pod) {
      const key = groupOf(pod)
      if (key === undefined) return undefined
      const group = groups.get(key)
      if (!group) return unknownGroup(pod.spec.schedulingGroup!.podGroupName!)
      const { gang } = group.spec.schedulingPolicy
      return gang && groups.members(key).length < gang.minCount ? TOO_FEW : undefined
    },
    groupFeasible: ({ spec }, placed) => (placed < (spec.schedulingPolicy.gang?.minCount ?? 0) ? NOT_ENOUGH : undefined),
  }
}

function unknownGroup(name: string): Refusal {
  const reasons = [`waiting for pods's pod group ${JSON.stringify(name)} to appear in scheduling queue`]
  return { plugin: NAME, code: 'unresolvable', reasons }
}
