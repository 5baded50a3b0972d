/** What the scheduler counts. Durations are in milliseconds. */
export interface SchedulerMetrics {
  /** An attempt to place a pod is over: what came of it, by profile, and how long it took, with the binding. */
  attempted(result: 'scheduled' | 'unschedulable' | 'error', profile: string, durationMs: number): void
  /** How long it took to choose a node, or to find that there is none. */
  chose(durationMs: number): void
  /** A pod was bound, after so many attempts, so long after it could first be tried. */
  scheduled(attempts: number, waitedMs: number): void
  /** Room is sought for a pod by evicting others. */
  preempting(): void
  /** So many pods were chosen to be evicted for one. */
  preempted(victims: number): void
  /** A pod came to a part of the queue, and by what event. */
  queued(part: 'active' | 'backoff' | 'unschedulable', event: string): void
}

/** Counts nothing. */
export const UNCOUNTED: SchedulerMetrics = {
  attempted() {},
  chose() {},
  scheduled() {},
  preempting() {},
  preempted() {},
  queued() {},
}
