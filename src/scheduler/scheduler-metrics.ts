/** The extension points as metrics name them. */
export type PointName =
  | 'PreEnqueue'
  | 'PreFilter'
  | 'Filter'
  | 'PostFilter'
  | 'PreScore'
  | 'Score'
  | 'ScoreExtensionNormalize'
  | 'Reserve'
  | 'Unreserve'
  | 'Permit'
  | 'PreBind'
  | 'Bind'
  | 'PostBind'

/** What came of asking plugins, as metrics name it. */
export type StatusName = 'Success' | 'Error' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Skip' | 'Pending'

/** The requests that the scheduler makes beside choosing nodes. */
export type ApiCall = 'pod_binding' | 'pod_status_patch'

/** A counter that whoever adds to it often keeps. */
export interface Tally {
  add(by?: number): void
}

/** What the scheduler counts. Durations are in milliseconds. */
export interface SchedulerMetrics {
  /** An attempt to place a pod is over: what came of it, by profile, and how long it took, with the binding. */
  attempted(result: 'scheduled' | 'unschedulable' | 'error', profile: string, durationMs: number): void
  /** How long it took to choose a node, or to find that there is none. */
  chose(durationMs: number): void
  /** A pod was bound, after so many attempts, so long after it could first be tried; whether it was brought back only because it had waited long. */
  scheduled(attempts: number, waitedMs: number, wasFlushed: boolean): void
  /** All plugins of an extension point were asked. */
  ranPoint(point: PointName, status: StatusName, profile: string, durationMs: number): void
  /** One plugin was asked, in one of the attempts that are looked at closely. */
  ranPlugin(plugin: string, point: PointName, status: StatusName, durationMs: number): void
  /** How often a plugin had a say. */
  evaluations(plugin: string, point: PointName, profile: string): Tally
  /** What had to wait for a plugin's permit was let go or not. */
  permitted(result: StatusName, durationMs: number): void
  /** What happened in the cluster, such as `NodeAdd`, was taken in. */
  handled(event: string, durationMs: number): void
  /** A plugin was asked whether an event may help a pod that it refused. */
  hinted(plugin: string, event: string, hint: 'Queue' | 'QueueSkip', durationMs: number): void
  /** A request to the API server is over. */
  called(type: ApiCall, result: 'success' | 'error', durationMs: number): void
  /** Room is sought for a pod by evicting others. */
  preempting(): void
  /** So many pods were chosen to be evicted for one. */
  preempted(victims: number): void
  /** The evictions for one pod have been asked for, or one was refused. */
  evicted(result: 'success' | 'error', durationMs: number): void
  /** The pods of a group were tried together: what came of it, and how long it took. */
  triedGroup(result: 'scheduled' | 'unschedulable' | 'waiting_on_preemption' | 'error', profile: string, durationMs: number): void
  /** How long it took to choose nodes for the pods of a group. */
  choseForGroup(durationMs: number): void
  /** The volumes of a pod could not be bound. */
  volumesNotBound(): void
  /** A pod came to a part of the queue, and by what event. */
  queued(part: 'active' | 'backoff' | 'unschedulable', event: string): void
}

/** Counts nothing. */
export const UNCOUNTED: SchedulerMetrics = {
  attempted() {},
  chose() {},
  scheduled() {},
  ranPoint() {},
  ranPlugin() {},
  evaluations: () => ({ add() {} }),
  permitted() {},
  handled() {},
  hinted() {},
  called() {},
  preempting() {},
  preempted() {},
  evicted() {},
  triedGroup() {},
  choseForGroup() {},
  volumesNotBound() {},
  queued() {},
}
