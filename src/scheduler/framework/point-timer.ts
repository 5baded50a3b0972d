import type { Clock } from '#base/time/clock.ts'
import type { PointName, SchedulerMetrics, StatusName, Tally } from '../scheduler-metrics.ts'
import type { Refusal } from './plugin.ts'
import type { PluginWith } from './profile.ts'
import type { Refusals } from './refusals.ts'

/** Takes the time of the extension points of a profile, one after the other, and counts who had a say. Hot: bench/scheduler. */
export class PointTimer {
  readonly #profile: string
  readonly #clock: Clock
  readonly #metrics: SchedulerMetrics
  readonly #tallies = new Map<PointName, Map<string, Tally>>()
  #since = 0

  constructor(profile: string, clock: Clock, metrics: SchedulerMetrics) {
    this.#profile = profile
    this.#clock = clock
    this.#metrics = metrics
  }

  /** The next extension point begins. */
  start(): void {
    this.#since = this.#clock.monotonic()
  }

  /** An extension point is over, and the next one begins. Only between steps that are taken without waiting. */
  ran(point: PointName, status: StatusName = 'Success'): void {
    this.#since = this.ranSince(this.#since, point, status)
  }

  /** As {@link ran}, for those that wait: `since` is what the one before gave. */
  ranSince(since: number, point: PointName, status: StatusName = 'Success'): number {
    const now = this.#clock.monotonic()
    this.#metrics.ranPoint(point, status, this.#profile, now - since)
    return now
  }

  evaluated(point: PointName, plugin: string, times = 1): void {
    let tallies = this.#tallies.get(point)
    if (!tallies) {
      tallies = new Map()
      this.#tallies.set(point, tallies)
    }
    let tally = tallies.get(plugin)
    if (!tally) {
      tally = this.#metrics.evaluations(plugin, point, this.#profile)
      tallies.set(plugin, tally)
    }
    tally.add(times)
  }

  /** Nodes were looked at: each filter had a say on those that it or a later one refused, and on those that passed. */
  filtered(filters: readonly PluginWith<'filter'>[], passed: number, refusals: Refusals): void {
    let looked = passed + refusals.size
    if (looked === 0) return
    const refused = refusals.size > 0 ? byPlugin(refusals) : undefined
    for (const { name } of filters) {
      this.evaluated('Filter', name, looked)
      looked -= refused?.get(name) ?? 0
      if (looked <= 0) return
    }
  }
}

/** How metrics name what a refusal says. */
export function statusOf(refusal: Pick<Refusal, 'code'> | undefined): StatusName {
  return refusal ? STATUSES[refusal.code] : 'Success'
}

const STATUSES: Readonly<Record<Refusal['code'], StatusName>> = {
  unschedulable: 'Unschedulable',
  unresolvable: 'UnschedulableAndUnresolvable',
  pending: 'Pending',
}

function byPlugin(refusals: Refusals): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [{ plugin }, count] of refusals.counts) counts.set(plugin, (counts.get(plugin) ?? 0) + count)
  return counts
}
