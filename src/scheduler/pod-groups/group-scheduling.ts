import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { SchedulerCache } from '../cache/scheduler-cache.ts'
import type { Attempt } from '../framework/attempt.ts'
import type { nominations } from '../framework/nominations.ts'
import type { PostFilterResult, Refusal } from '../framework/plugin.ts'
import type { Profile } from '../framework/profile.ts'
import { Refusals } from '../framework/refusals.ts'
import type { SchedulingQueue } from '../queue/scheduling-queue.ts'
import type { SchedulerMetrics } from '../scheduler-metrics.ts'
import { conditionOfGroup, type GroupOutcome, UNSCHEDULABLE } from './group-outcome.ts'
import type { PodGroups } from './pod-groups.ts'

/** What the scheduler does with single pods: groups are made of it. */
export interface GroupSchedulingOptions {
  readonly client: Client
  readonly groups: PodGroups
  readonly queue: SchedulingQueue
  readonly cache: SchedulerCache
  readonly nominated: ReturnType<typeof nominations>
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventRecorder
  readonly metrics: SchedulerMetrics
  profileOf(pod: Pod): Profile
  /** Chooses a node; undefined if that failed and the pod is back in the queue. */
  attemptOf(info: PodInfo): Attempt | Promise<Attempt | undefined>
  /** Takes the room that was found. */
  place(attempt: Attempt): Attempt
  bind(attempt: Attempt): void
  /** Gives the room back. */
  release(attempt: Attempt): void
  nominate(info: PodInfo, nodeName: string): void
  giveUpNomination(pod: Pod): void
  /** Sends a pod back that fits nowhere, after looking for room to be made. */
  refuse(attempt: Attempt): void
  /** Has others evicted for a pod. */
  makeRoom(attempt: Attempt): PostFilterResult | undefined
  /** Sends a pod back, with words of its own if there are any. */
  report(attempt: Attempt, room: PostFilterResult | undefined, words?: string): void
  scheduleOne(info: PodInfo): void
  /** The attempt came to nothing for reasons that are not the pod's. */
  failed(info: PodInfo): void
  untilEnded<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

const NOWHERE: ReadonlySet<string> = new Set()
const PREEMPTING = 'pod group is waiting for preemption to complete'

/**
 * Tries the pods of a group that wait as one, the most important first (KEP-4671). Either those that found a node are bound, or they are not
 * enough: then none is, and all go back. What comes out is asked for a group, as `<namespace>/<name>`, and the pod that was taken out of the queue.
 */
export function groupScheduling(options: GroupSchedulingOptions): (key: string, first: PodInfo) => Promise<void> {
  const { client, groups, queue, cache, clock, log, metrics, failed } = options

  const conclude = (group: PodGroup, attempts: readonly Attempt[], before: number): GroupOutcome => {
    const placed = attempts.filter(({ node }) => node)
    const others = attempts.filter(({ node }) => !node)
    const refusal = missing(attempts, group, before + placed.length)
    if (!refusal) {
      for (const attempt of placed) options.bind(attempt)
      for (const attempt of others) options.refuse(attempt)
      return { is: placed.length > 0 ? 'scheduled' : 'unschedulable' }
    }
    // Nobody is evicted for a group that would not run even so.
    const tentative = new Set<Attempt>()
    const coming = others.filter(attempt => findRoom(attempt, tentative))
    const isWaiting = !missing(attempts, group, before + placed.length + coming.length)
    const rooms = new Map(isWaiting ? coming.map(attempt => [attempt, options.makeRoom(attempt)]) : [])
    const why: Refusal = { ...refusal, reasons: [`${UNSCHEDULABLE}, ${isWaiting ? PREEMPTING : refusal.reasons.join(', ')}`] }
    for (const attempt of placed) {
      options.release(attempt)
      if (isWaiting) options.nominate(attempt.cycle.info, attempt.node!.name)
      options.report({ ...attempt, node: undefined, refusals: new Refusals(), refusal: why }, undefined, why.reasons[0])
    }
    for (const attempt of others) {
      // Of what was only tried nobody has heard.
      if (tentative.has(attempt) && !isWaiting) options.nominated.remove(attempt.cycle.info.uid)
      else if (!isWaiting) options.giveUpNomination(attempt.cycle.pod)
      options.report(attempt, rooms.get(attempt))
    }
    return { is: isWaiting ? 'waiting_on_preemption' : 'unschedulable' }
  }

  /** Looks whether evictions could make room for the pod; if so, the room counts as taken. */
  const findRoom = (attempt: Attempt, tentative: Set<Attempt>): boolean => {
    const { profile, cycle, refusals, refusal } = attempt
    if (refusal || !refusals) return false
    for (const plugin of profile.points.postFilter) {
      const name = plugin.roomFor?.(cycle, refusals)
      if (name === undefined) continue
      if (options.nominated.nodeOf(cycle.info.uid) === undefined) tentative.add(attempt)
      options.nominated.add(cycle.info, name)
      return true
    }
    return false
  }

  /** Looks for a node for each pod, beside those before it. */
  const attemptAll = async (infos: readonly PodInfo[]): Promise<Attempt[]> => {
    const attempts: Attempt[] = []
    for (const info of infos) {
      const found = options.attemptOf(info)
      const attempt = found instanceof Promise ? await found : found
      if (attempt) attempts.push(options.place(attempt))
    }
    return attempts
  }

  /** Of the placements that a plugin names the best in which enough pods find a node, or else most; undefined: anywhere. */
  const bestPlacement = async (profile: Profile, group: PodGroup, infos: readonly PodInfo[], scheduled: readonly Pod[]) => {
    const on = scheduled.flatMap(({ metadata }) => cache.placeOf(metadata.uid ?? '') ?? [])
    const placements = profile.points.placementGenerate.map(plugin => plugin.placementGenerate(group, cache.nodes, on)).find(all => all)
    if (!placements) return undefined
    let best: { readonly placement: ReadonlySet<string>; readonly isEnough: boolean; readonly score: number } | undefined
    for (const placement of placements) {
      confine(profile, infos, placement)
      const attempts = await attemptAll(infos)
      const placed = attempts.filter(({ node }) => node)
      for (const attempt of placed) options.release(attempt)
      const count = scheduled.length + placed.length
      const isEnough = !missing(attempts, group, count)
      const score = profile.points.placementScore.reduce(
        (sum, plugin) => sum + (profile.weights[plugin.name] ?? 1) * plugin.placementScore(group, count),
        0,
      )
      const isBetter = !best || (isEnough === best.isEnough ? score > best.score : isEnough)
      if (isBetter) best = { placement, isEnough, score }
    }
    return best?.placement ?? NOWHERE
  }

  const confine = (profile: Profile, infos: readonly PodInfo[], placement?: ReadonlySet<string>) => {
    for (const plugin of profile.plugins) for (const { uid } of infos) plugin.confine?.(uid, placement)
  }

  /** Pods of a group are placed by one profile, or not at all. */
  const refuseMixed = (infos: readonly PodInfo[], names: readonly (string | undefined)[]): GroupOutcome => {
    const [one, other] = names.map(name => JSON.stringify(name))
    const message = `all pods in a single pod group should have the same .spec.schedulerName set, got: ${one} and ${other}`
    for (const info of infos) {
      options.events.record(info.pod, 'Warning', 'FailedScheduling', message)
      failed(info)
    }
    return { is: 'error', message }
  }

  const report = async (group: PodGroup, outcome: GroupOutcome) => {
    const now = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
    const condition = conditionOfGroup(group, outcome, now)
    if (!condition) return
    const patch = { type: 'strategic', body: { status: { conditions: [condition] } } } as const
    await options.untilEnded(async signal => {
      try {
        await client.patch(PodGroup, group, patch, { subresource: 'status', signal })
      } catch (error) {
        if (!signal.aborted && (error as { code?: unknown }).code !== 404)
          log.warn('the status of a pod group could not be written', { group: group.metadata.name, error })
      }
    })
  }

  const byImportance = (left: PodInfo, right: PodInfo) =>
    right.priority - left.priority || (queue.tried(left.uid)?.firstActiveAt ?? 0) - (queue.tried(right.uid)?.firstActiveAt ?? 0)

  return async (key, first) => {
    const since = clock.monotonic()
    const over = (group: PodGroup, outcome: GroupOutcome) => {
      metrics.triedGroup(outcome.is, first.pod.spec.schedulerName ?? '', clock.monotonic() - since)
      return report(group, outcome)
    }
    const members = groups.members(key)
    const infos = [first, ...members.flatMap(({ metadata, spec }) => (spec.nodeName ? [] : (queue.take(metadata.uid ?? '') ?? [])))]
    const group = groups.get(key)
    const profile = options.profileOf(first.pod)
    try {
      if (!group) return infos.forEach(options.scheduleOne)
      const names = [...new Set(infos.map(({ pod }) => pod.spec.schedulerName))]
      if (names.length > 1) return await over(group, refuseMixed(infos, names))
      infos.sort(byImportance)
      const uids = new Set(infos.map(({ uid }) => uid))
      const scheduled = members.filter(({ metadata: { uid = '' }, spec }) => !uids.has(uid) && (spec.nodeName || cache.isAssumed(uid)))
      confine(profile, infos, await bestPlacement(profile, group, infos, scheduled))
      const attempts = await attemptAll(infos)
      metrics.choseForGroup(clock.monotonic() - since)
      await over(group, conclude(group, attempts, scheduled.length))
    } catch (error) {
      log.error('a group of pods could not be scheduled: a plugin failed', { group: key, error })
      for (const info of infos) {
        cache.forget(info.uid)
        failed(info)
      }
      if (group) await over(group, { is: 'error', message: error instanceof Error ? error.message : String(error) })
    } finally {
      confine(profile, infos)
    }
  }
}

/** What plugins miss if `placed` of the group's pods have nodes. All its pods are of one profile. */
function missing(attempts: readonly Attempt[], group: PodGroup, placed: number): Refusal | undefined {
  for (const plugin of attempts[0]?.profile.plugins ?? []) {
    const refusal = plugin.groupFeasible?.(group, placed)
    if (refusal) return refusal
  }
  return undefined
}
