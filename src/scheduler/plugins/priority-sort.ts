import type { SchedulerPlugin } from '../framework/plugin.ts'

/** Higher priority first; among equals, who waits longer. */
export function prioritySort(): SchedulerPlugin {
  return {
    name: 'PrioritySort',
    compare: (left, right) => right.info.priority - left.info.priority || left.queuedAt - right.queuedAt,
  }
}
