import type { SchedulerPlugin } from '../framework/plugin.ts'

/** Keeps a pod out of the queue while `spec.schedulingGates` has entries (KEP-3521). */
export function schedulingGates(): SchedulerPlugin {
  return {
    name: 'SchedulingGates',
    preEnqueue(pod) {
      const gates = pod.spec.schedulingGates ?? []
      if (gates.length === 0) return undefined
      return {
        plugin: 'SchedulingGates',
        code: 'unresolvable',
        reasons: [`waiting for scheduling gates: [${gates.map(gate => gate.name).join(' ')}]`],
      }
    },
  }
}
