import type { PodInfo } from '../cache/pod-info.ts'
import type { ClusterChange, ClusterEvent, SchedulerPlugin } from '../framework/plugin.ts'

interface Helper {
  readonly plugin: string
  helps(pod: PodInfo, change: ClusterChange): boolean
}

/** Takes the time of a plugin that says whether an event helps. */
export type HintTimer = (event: ClusterEvent, plugin: string, ask: () => boolean) => boolean

/** For each event the plugins whose refusals it may undo. */
export type Waking = ReadonlyMap<ClusterEvent, readonly Helper[]>

/** What `plugins` say of the events that they wake pods on. */
export function wakingOf(plugins: readonly SchedulerPlugin[]): Waking {
  const byEvent = new Map<ClusterEvent, Helper[]>()
  for (const plugin of plugins) {
    for (const wake of plugin.wakesOn ?? []) {
      const { event, helps } = typeof wake === 'string' ? { event: wake, helps: () => true } : wake
      byEvent.set(event, [...(byEvent.get(event) ?? []), { plugin: plugin.name, helps }])
    }
  }
  return byEvent
}

/**
 * Whether a change may undo what `refusedBy` refused the pod for; undefined: any plugin may yet refuse it. A pod that no plugin refused, as
 * there were no nodes, is helped by whatever happens.
 */
export function mayHelp(
  waking: Waking,
  pod: PodInfo,
  change: ClusterChange,
  refusedBy: ReadonlySet<string> | undefined,
  timed?: HintTimer,
): boolean {
  if (refusedBy?.size === 0) return true
  const helpers = waking.get(change.event)
  if (!helpers) return false
  // Hot: bench/loops (preemption) — each victim that goes is told to each pod that waits. So nothing is made here: a function in this loop
  // would have every turn of it allocate its surroundings.
  for (let index = 0; index < helpers.length; index++) {
    const helper = helpers[index]!
    if (refusedBy && !refusedBy.has(helper.plugin)) continue
    if (timed ? askedBy(timed, helper, pod, change) : helper.helps(pod, change)) return true
  }
  return false
}

function askedBy(timed: HintTimer, { plugin, helps }: Helper, pod: PodInfo, change: ClusterChange): boolean {
  return timed(change.event, plugin, () => helps(pod, change))
}
