import type { SchedulerPlugin } from '../framework/plugin.ts'

/** Prefers the placement in which more pods of a group have nodes (KEP-5732). */
export function podGroupPodsCount(): SchedulerPlugin {
  return { name: 'PodGroupPodsCount', placementScore: (_group, placed) => placed }
}
