import { PassingMap } from '#base/collections/passing-map.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { type FeatureGates, isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import type { NodeInfo } from './cache/node-info.ts'
import { type PodInfo, podInfo } from './cache/pod-info.ts'
import { schedulerCache } from './cache/scheduler-cache.ts'
import type { KubeSchedulerConfiguration } from './configuration/scheduler-configuration.ts'
import { type Findings, ScoreRecord, type Verdict, verdictOf } from './explain/verdict.ts'
import { Verdicts } from './explain/verdicts.ts'
import { type Supposition, whatIf } from './explain/what-if.ts'
import { type CallExtender, type Extender, extender } from './extenders/extender.ts'
import { followCluster } from './follow-cluster.ts'
import type { Attempt } from './framework/attempt.ts'
import { LocalVerdicts } from './framework/local-verdicts.ts'
import { measuredProfile } from './framework/measured-profile.ts'
import { nominations } from './framework/nominations.ts'
import type { PostFilterResult, Refusal } from './framework/plugin.ts'
import { PointTimer, statusOf } from './framework/point-timer.ts'
import type { PluginWith, Profile } from './framework/profile.ts'
import { Refusals } from './framework/refusals.ts'
import { type SchedulingCycle, schedulingCycle } from './framework/scheduling-cycle.ts'
import { chooseAmong, feasibleNodes, selectNode } from './framework/select-node.ts'
import { groupScheduling } from './pod-groups/group-scheduling.ts'
import { groupOf, podGroups } from './pod-groups/pod-groups.ts'
import { type ProfileSettings, profilesOf } from './profiles.ts'
import { type SchedulingQueue, schedulingQueue, type Tried } from './queue/scheduling-queue.ts'
import { refusalMessage } from './refusal-message.ts'
import { type ApiCall, type SchedulerMetrics, UNCOUNTED } from './scheduler-metrics.ts'

export interface SchedulerOptions {
  readonly client: Client
  /** Shared with other components of the process, if there are any. */
  readonly informers: Informers
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly events: EventRecorder
  /** Profiles and backoff of a KubeSchedulerConfiguration; absent: the default ones. Mistakes in it are thrown. */
  readonly configuration?: SchedulerSettings
  /** Which of upstream's gates are on, as `--feature-gates` says it. */
  readonly featureGates?: FeatureGates
  /** Reaches the extenders of the configuration. */
  readonly callExtender?: CallExtender
  readonly metrics?: SchedulerMetrics | undefined
  /** How many bindings may be under way at once. */
  readonly parallelBindings?: number
}

/** What of a KubeSchedulerConfiguration the scheduler itself goes by. */
export type SchedulerSettings = ProfileSettings &
  Partial<Pick<KubeSchedulerConfiguration, 'podInitialBackoffSeconds' | 'podMaxBackoffSeconds' | 'extenders'>>

/** A scheduler that runs. */
export interface Scheduler {
  /** Why a pod went where it went, or why it waits: of the last attempt, if that is still known. */
  verdict(namespace: string, name: string): Verdict | undefined
  /** All verdicts that are known. */
  verdicts(): Verdict[]
  /** What would become of a pod now, if something were different: nothing is changed by asking. */
  whatIf(pod: Pod, supposition: Supposition): Verdict
  /** Whether one of its profiles is the pod's. */
  isFor(pod: Pod): boolean
  /** How many pods wait, and for what. */
  pending(): ReturnType<SchedulingQueue['sizes']>
  /** The plugins that refused each of the pods that wait for an event, by profile. */
  refusals(): ReturnType<SchedulingQueue['refusals']>
  /** How many pods are being tried, how many bound, and how many requests to the API server are under way. */
  underWay(): { readonly attempts: number; readonly bindings: number; readonly calls: Readonly<Record<ApiCall, number>> }
  /** How much of the cluster it keeps in mind. */
  cached(): { readonly nodes: number; readonly pods: number; readonly assumedPods: number }
  /** Ends the loop and waits for the bindings under way. */
  stop(): Promise<void>
}

/** Bindings are requests that wait for the disk: many share a commit. */
const PARALLEL_BINDINGS = 64
/** How much of each verdict is kept. */
const KEPT = { names: 20, scores: 5 }

/**
 * Chooses a node for each pod that has none: filter, score, assume, bind. Choosing is one synchronous step on the cache; binding goes on
 * beside it.
 */
export async function startScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const { client, informers, clock, random, log, events, metrics = UNCOUNTED } = options
  const ended = new AbortController()
  const namespaces = informers.of(Namespace)
  const cache = schedulerCache(namespace => namespaces.get('', namespace)?.metadata.labels)
  const nominated = nominations()
  const binding = new PassingMap<number, Promise<void>>()
  let lastBinding = 0
  const verdicts = new Verdicts()
  const record = new ScoreRecord()
  /** Of work under way, and those that wait for some: as many as were ever needed at a time. */
  const controllers: AbortController[] = []
  const idle: AbortController[] = []
  const calls: Record<ApiCall, number> = { pod_binding: 0, pod_status_patch: 0 }
  const settings = options.configuration ?? {}
  const featureGates = options.featureGates ?? {}
  const groups = isGateOn('GenericWorkload', featureGates) ? podGroups(informers) : undefined
  const profiles = profilesOf(settings, {
    client,
    informers,
    events,
    clock,
    log,
    featureGates,
    groups,
    metrics,
    retry: pod => queue.activate(pod.uid),
    released: pod => queue.released(pod.uid),
    retryLater: pod => queue.failed(pod),
    nominations: nominated,
  })
  const known = new Map([...profiles.values()].map(profile => [profile, new LocalVerdicts(profile)]))
  const measured = new Map([...profiles.values()].map(profile => [profile, measuredProfile(profile, clock, metrics)]))
  const timers = new Map([...profiles].map(([name]) => [name, new PointTimer(name, clock, metrics)]))
  const call = options.callExtender
  const extenders = call ? (settings.extenders ?? []).map(one => extender(one, call, log)) : []
  const profileOf = (pod: Pod) => profiles.get(pod.spec.schedulerName ?? '')!
  const limit = options.parallelBindings ?? PARALLEL_BINDINGS
  let isRunning = false
  let start = 0
  let waiting = 0

  const queue = schedulingQueue({
    clock,
    profileOf,
    profiles: [...profiles.values()],
    ready: () => wake(),
    metrics,
    initialBackoffMs: (settings.podInitialBackoffSeconds ?? 1) * 1000,
    maxBackoffMs: (settings.podMaxBackoffSeconds ?? 10) * 1000,
  })

  const wake = () => {
    if (isRunning || ended.signal.aborted) return
    isRunning = true
    queueMicrotask(run)
  }

  /** Schedules until nothing is active or enough bindings are under way; then the next event or binding wakes it. */
  const run = () => {
    isRunning = false
    while (binding.size - waiting < limit && !ended.signal.aborted) {
      const info = queue.pop()
      if (!info) return
      try {
        const group = groups && groupOf(info.pod)
        if (group === undefined) scheduleOne(info)
        else track(scheduleGroup!(group, info))
      } catch (error) {
        log.error('a pod could not be scheduled: a plugin failed', { pod: nameOf(info.pod), error })
        failed(info)
      }
    }
  }

  const scheduleOne = (info: PodInfo) => {
    const attempt = attemptOf(info)
    if (!(attempt instanceof Promise)) return conclude(attempt)
    track(attempt.then(found => found && conclude(found)))
  }

  /** Chooses a node for a pod; by and by, if extenders are to be asked. Undefined if that failed and the pod is back in the queue. */
  const attemptOf = (info: PodInfo): Attempt | Promise<Attempt | undefined> => {
    const its = profileOf(info.pod)
    const profile = measured.get(its)!.next()
    const cycle = schedulingCycle(info, cache, known.get(its)!.of(info), timerOf(its))
    const interested = extenders.filter(one => one.isInterested(info.pod))
    if (interested.length > 0) return attemptWith(interested, profile, cycle)
    record.clear()
    const selection = selectNode(cycle, profile, nominated, start, random, {
      witness: record,
      selected(node, among, totals, refusals) {
        const scores = record.best(among, totals, KEPT.scores)
        keep(cycle, profile, { refusals, seen: among.length + refusals.size, feasible: among.length, scores, node: node.name })
      },
    })
    if (cache.nodes.length > 0) start = (start + selection.seen) % cache.nodes.length
    metrics.chose(sinceTried(info))
    return { ...selection, profile, cycle }
  }

  const conclude = (attempt: Attempt) => {
    const placed = place(attempt)
    if (placed.node) track(bind(placed.profile, placed.cycle, placed.node, placed.binder))
    else refuse(placed)
  }

  /** Takes the room that was found, if there is any and no plugin objects. */
  const place = (attempt: Attempt): Attempt => {
    const { profile, cycle, node } = attempt
    const refusal = node && reserve(profile, cycle, node)
    return refusal ? { profile, cycle, node: undefined, refusals: refusalsOf(node, refusal) } : attempt
  }

  const timerOf = ({ schedulerName }: Profile) => timers.get(schedulerName)!

  const sinceTried = ({ uid }: PodInfo) => clock.monotonic() - (queue.tried(uid)?.triedAt ?? clock.monotonic())

  /** The attempt came to nothing for reasons that are not the pod's. */
  const failed = (info: PodInfo) => {
    metrics.attempted('error', info.pod.spec.schedulerName ?? '', sinceTried(info))
    queue.failed(info)
  }

  const keep = (cycle: SchedulingCycle, profile: Profile, found: Omit<Findings, 'pod' | 'profile' | 'now' | 'all'>) => {
    verdicts.keep(verdictOf({ pod: cycle.pod, profile, now: clock.now(), all: cache.nodes.length, ...found }, KEPT))
  }

  const track = (work: Promise<void>) => {
    const number = ++lastBinding
    const tracked = work.finally(() => {
      binding.delete(number)
      wake()
    })
    binding.set(number, tracked)
  }

  /** As above, with a word from extenders. The cluster may change while they are asked: what they leave is filtered once more. */
  const attemptWith = async (asked: readonly Extender[], profile: Profile, cycle: SchedulingCycle): Promise<Attempt | undefined> => {
    try {
      const { nodes, refusals, refusal } = feasibleNodes(cycle, profile, nominated, start)
      let left = nodes
      for (const one of asked) {
        if (left.length === 0) break
        const result = await one.filter(cycle.pod, left)
        for (const [node, why] of result.refusals) refusals.add(node, why)
        left = result.nodes
      }
      const wishes = left.length > 1 ? await Promise.all(asked.map(one => one.prioritize(cycle.pod, left))) : []
      if (ended.signal.aborted) return undefined
      const now = schedulingCycle(cycle.info, cache)
      const node = chooseAmong(now, profile, nominated, left, random, node => sumOf(wishes.map(wish => wish.get(node.name) ?? 0)))
      if (node) return { profile, cycle: now, node, binder: asked.find(one => one.bind) }
      if (left.length === 0) return { profile, cycle: now, node: undefined, refusals, refusal }
      failed(cycle.info)
    } catch (error) {
      log.warn('a pod could not be scheduled with its extenders', { pod: nameOf(cycle.pod), error })
      failed(cycle.info)
    }
    return undefined
  }

  const reserve = (profile: Profile, cycle: SchedulingCycle, node: NodeInfo): Refusal | undefined => {
    cache.assume(cycle.info, node)
    const timer = timerOf(profile)
    timer.start()
    for (const plugin of profile.points.reserve) {
      const refusal = plugin.reserve(cycle, node)
      if (!refusal) continue
      timer.ran('Reserve', statusOf(refusal))
      release(profile, cycle, node)
      return refusal
    }
    timer.ran('Reserve')
    queue.placed(cycle.info)
    // From now on the pod itself counts on its node: its nomination would count it twice.
    if (nominated.nodeOf(cycle.info.uid) === node.name) nominated.remove(cycle.info.uid)
    else giveUpNomination(cycle.pod)
    return undefined
  }

  const release = (profile: Profile, cycle: SchedulingCycle, node: NodeInfo) => {
    const timer = timerOf(profile)
    timer.start()
    for (const plugin of profile.points.reserve.slice().reverse()) plugin.unreserve?.(cycle, node)
    timer.ran('Unreserve')
    cache.forget(cycle.info.uid)
  }

  /** What a pod waits for may take minutes: meanwhile others are bound. */
  const waitFor = async (work: Promise<void> | undefined) => {
    if (!work) return
    waiting++
    wake()
    try {
      await work
    } finally {
      waiting--
    }
  }

  /** Counts how long a plugin had the pod wait, if it did. */
  const permitted = async (work: Promise<void> | undefined) => {
    if (!work) return
    const since = clock.monotonic()
    await work.then(
      () => metrics.permitted('Success', clock.monotonic() - since),
      (error: unknown) => {
        metrics.permitted('Error', clock.monotonic() - since)
        throw error
      },
    )
  }

  /** Counts a request to the API server. */
  const called = async (type: ApiCall, request: Promise<unknown>) => {
    const since = clock.monotonic()
    calls[type]++
    let result: 'success' | 'error' = 'error'
    try {
      await request
      result = 'success'
    } finally {
      calls[type]--
      metrics.called(type, result, clock.monotonic() - since)
    }
  }

  /** Gives work a signal that no other work has at the time: hundreds may be under way, and each listens. */
  const untilEnded = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    let own = idle.pop()
    if (!own) {
      own = new AbortController()
      controllers.push(own)
      if (ended.signal.aborted) own.abort(ended.signal.reason)
    }
    try {
      return await work(own.signal)
    } finally {
      idle.push(own)
    }
  }

  const bind = (profile: Profile, cycle: SchedulingCycle, node: NodeInfo, binder?: Extender) =>
    untilEnded(signal => bindUntil(signal, profile, cycle, node, binder))

  const bindUntil = async (signal: AbortSignal, profile: Profile, cycle: SchedulingCycle, node: NodeInfo, binder?: Extender) => {
    // The pod may be out of the queue before its binding is answered.
    const tried = queue.tried(cycle.info.uid)
    const timer = timerOf(profile)
    let since = clock.monotonic()
    let point: 'Permit' | 'PreBind' | 'Bind' | 'PostBind' = 'Permit'
    const over = (next: typeof point) => {
      since = timer.ranSince(since, point)
      point = next
    }
    try {
      for (const plugin of profile.points.permit) await waitFor(permitted(plugin.permit(cycle, node, signal)))
      over('PreBind')
      for (const plugin of profile.points.preBind) await waitFor(plugin.preBind(cycle, node, signal))
      over('Bind')
      await called('pod_binding', binder ? binder.bind!(cycle.pod, node.name) : profile.points.bind[0]!.bind(cycle, node, signal))
      over('PostBind')
      queue.remove(cycle.info.uid)
      if (tried) countScheduled(profile, tried)
      for (const plugin of profile.points.postBind) plugin.postBind(cycle, node)
      timer.ranSince(since, point)
      events.record(cycle.pod, 'Normal', 'Scheduled', `Successfully assigned ${nameOf(cycle.pod)} to ${node.name}`)
    } catch (error) {
      timer.ranSince(since, point, 'Error')
      release(profile, cycle, node)
      if (signal.aborted) return
      if (cycle.pod.status.nominatedNodeName === node.name) nominated.add(cycle.info, node.name)
      failed(cycle.info)
      queue.happened({ event: 'pod removed', pod: cycle.pod, node: cache.get(node.name) })
      if (!isGone(error)) log.warn('a pod could not be bound', { pod: nameOf(cycle.pod), node: node.name, error })
    }
  }

  const countScheduled = ({ schedulerName }: Profile, { attempts, triedAt, firstActiveAt, wasFlushed }: Tried) => {
    const now = clock.monotonic()
    metrics.attempted('scheduled', schedulerName, now - triedAt)
    metrics.scheduled(attempts, now - (firstActiveAt ?? triedAt), wasFlushed)
  }

  const refuse = (attempt: Attempt) => report(attempt, attempt.refusal ? undefined : makeRoom(attempt))

  /** Lets plugins make room for a pod that fits nowhere. */
  const makeRoom = ({ profile, cycle, refusals }: Attempt): PostFilterResult | undefined => {
    const timer = timerOf(profile)
    timer.start()
    const result = afterFilters(profile.points.postFilter, cycle, refusals!)
    const nominatedNodeName = result?.nominatedNodeName
    timer.ran('PostFilter', nominatedNodeName ? 'Success' : 'Unschedulable')
    if (nominatedNodeName) nominate(cycle.info, nominatedNodeName)
    else if (result && !result.keepsNomination) giveUpNomination(cycle.pod)
    return result
  }

  /** Sends a pod back, saying why: in upstream's words, unless there are others. */
  const report = ({ profile, cycle, refusals = new Refusals(), refusal }: Attempt, room: PostFilterResult | undefined, words?: string) => {
    metrics.attempted('unschedulable', profile.schedulerName, sinceTried(cycle.info))
    queue.refused(cycle.info, refusal ? [refusal] : [...refusals.counts.keys()])
    const message = words ?? refusalMessage(cache.nodes.length, refusals.counts, refusal, room?.message)
    keep(cycle, profile, { refusals, refusal, seen: refusals.size, feasible: 0, scores: [], message })
    events.record(cycle.pod, 'Warning', 'FailedScheduling', message)
    void reportRefusal(cycle.pod, message, nominated.nodeOf(cycle.info.uid))
  }

  /** Others of lower priority that hoped for the node have to look for another one. */
  const nominate = (info: PodInfo, nodeName: string) => {
    if (nominated.nodeOf(info.uid) !== nodeName) giveUpNomination(info.pod)
    const displaced = nominated.on(nodeName).filter(other => other.priority < info.priority)
    nominated.add(info, nodeName)
    for (const other of displaced) {
      nominated.remove(other.uid)
      queue.activate(other.uid)
      void writeStatus(other.pod, { nominatedNodeName: null })
    }
  }

  /** The room that was kept for the pod may do for others. */
  const giveUpNomination = (pod: Pod) => {
    const uid = pod.metadata.uid ?? ''
    const nodeName = nominated.nodeOf(uid)
    if (nodeName === undefined) return
    nominated.remove(uid)
    queue.happened({ event: 'pod removed', pod, node: cache.get(nodeName) })
  }

  /** Writes the PodScheduled condition, if it says something new. */
  const reportRefusal = async (pod: Pod, message: string, nominatedNodeName: string | undefined) => {
    const known = pod.status.conditions?.find(condition => condition.type === 'PodScheduled')
    const isKnown = known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message
    const isNominated = (pod.status.nominatedNodeName ?? '') === (nominatedNodeName ?? '')
    if (isKnown && isNominated) return
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : isoTime(clock.now())
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime }
    await writeStatus(pod, { conditions: [condition], ...(isNominated ? {} : { nominatedNodeName: nominatedNodeName ?? null }) })
  }

  const writeStatus = async (pod: Pod, status: object) => {
    try {
      const patch = { type: 'strategic', body: { status } } as const
      await untilEnded(signal => called('pod_status_patch', client.patch(Pod, pod, patch, { subresource: 'status', signal })))
    } catch (error) {
      if (!isGone(error) && !ended.signal.aborted) log.warn('the status of a pod could not be written', { pod: nameOf(pod), error })
    }
  }

  const scheduleGroup =
    groups &&
    groupScheduling({
      client,
      groups,
      queue,
      cache,
      nominated,
      clock,
      log,
      events,
      metrics,
      untilEnded,
      profileOf,
      attemptOf,
      place,
      bind: ({ profile, cycle, node, binder }) => track(bind(profile, cycle, node!, binder)),
      release: ({ profile, cycle, node }) => release(profile, cycle, node!),
      nominate,
      giveUpNomination,
      refuse,
      makeRoom,
      report,
      scheduleOne,
      failed,
    })

  const following = await followCluster({
    informers,
    cache,
    groups,
    signal: ended.signal,
    isOurs: pod => profiles.has(pod.spec.schedulerName ?? ''),
    waits(pod, old) {
      const node = pod.status.nominatedNodeName
      const uid = pod.metadata.uid ?? ''
      if (node && nominated.nodeOf(uid) === undefined && !cache.isAssumed(uid)) nominated.add(podInfo(pod), node)
      else if (!node && old?.status.nominatedNodeName) giveUpNomination(pod)
      queue.put(pod)
    },
    gone(pod) {
      const uid = pod.metadata.uid ?? ''
      queue.remove(uid)
      cache.forget(uid)
      if (pod.spec.nodeName === nominated.nodeOf(uid)) nominated.remove(uid)
      else giveUpNomination(pod)
    },
    happened: change => queue.happened(change),
    clock,
    handled: metrics.handled,
  })

  return {
    pending: () => queue.sizes(),
    refusals: () => queue.refusals(),
    underWay: () => ({ attempts: queue.sizes().trying, bindings: binding.size, calls }),
    cached: () => ({ nodes: cache.nodes.length, pods: cache.sizes().pods, assumedPods: cache.sizes().assumed }),
    verdict: (namespace, name) => verdicts.of(namespace, name),
    verdicts: () => verdicts.list(),
    isFor: pod => profiles.has(pod.spec.schedulerName ?? ''),
    whatIf(pod, supposition) {
      const profile = profiles.get(pod.spec.schedulerName ?? '') ?? [...profiles.values()][0]!
      return whatIf(pod, supposition, cache, profile, clock.now())
    },
    async stop() {
      const reason = new Error('the scheduler was stopped')
      ended.abort(reason)
      for (const one of controllers) one.abort(reason)
      following[Symbol.dispose]()
      queue[Symbol.dispose]()
      await Promise.allSettled(binding.values())
    },
  }
}

function refusalsOf(node: NodeInfo, refusal: Refusal): Refusals {
  const refusals = new Refusals()
  refusals.add(node, refusal)
  return refusals
}

/** The first plugin that makes room decides; else what the plugins say. */
function afterFilters(
  plugins: readonly PluginWith<'postFilter'>[],
  cycle: SchedulingCycle,
  refusals: Refusals,
): PostFilterResult | undefined {
  const results: PostFilterResult[] = []
  for (const plugin of plugins) {
    const result = plugin.postFilter(cycle, refusals)
    if (result?.nominatedNodeName) return result
    if (result) results.push(result)
  }
  if (results.length === 0) return undefined
  return { message: results.map(({ message }) => message).join(' '), keepsNomination: results.some(result => result.keepsNomination) }
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)
const nameOf = (pod: Pod) => `${pod.metadata.namespace}/${pod.metadata.name}`
const isoTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** The pod was deleted, or another scheduler was faster. */
function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  return code === 404 || code === 409
}
