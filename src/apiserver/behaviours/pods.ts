import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Behaviour } from '../registry/behaviour.ts'

/** A pod is given time to end, unless it never began to run or has ended. */
export const pods: Behaviour = {
  group: '',
  resource: 'pods',
  gracePeriodSeconds(object, requested) {
    const { spec, status } = object as Pod
    if (!spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed') return 0
    const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 30
    return seconds < 0 ? 1 : seconds
  },
}
