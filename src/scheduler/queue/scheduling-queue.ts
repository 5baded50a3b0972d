import { PassingMap } from '#base/collections/passing-map.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { type PodInfo, podInfo } from '../cache/pod-info.ts'
import type { ClusterChange, QueuedPod, Refusal } from '../framework/plugin.ts'
import { PointTimer, statusOf } from '../framework/point-timer.ts'
import type { Profile } from '../framework/profile.ts'
import { type SchedulerMetrics, UNCOUNTED } from '../scheduler-metrics.ts'
import { type BackingOff, Backoff } from './backoff.ts'
import { EVENT_NAMES } from './event-names.ts'
import { PodHeap } from './pod-heap.ts'
import { type HintTimer, mayHelp, type Waking, wakingOf } from './waking.ts'

/**
 * Pods that wait for a node. A pod is *active* (to be tried), in *backoff* (tried lately), *unschedulable* (waiting for an event that one of
 * the plugins that refused it named) or *gated*. A pod that cannot be placed costs nothing until something changes that could place it.
 */
export interface SchedulingQueue {
  /** Takes in a new pod, or a new version of one that waits. */
  put(pod: Pod): void
  remove(uid: string): void
  /** The pod to try next, taken out: an active one, or else one in backoff. Undefined if there is none. */
  pop(): PodInfo | undefined
  /** Takes out a certain pod, to be tried together with others, wherever it waits; undefined if a plugin keeps it out or it is not there. */
  take(uid: string): PodInfo | undefined
  /** A pod for which a node was found: nothing that happens matters to it any more, unless its binding fails. */
  placed(pod: PodInfo): void
  /** A pod that was tried and refused: it waits for what may help. */
  refused(pod: PodInfo, refusals: readonly Refusal[]): void
  /** A pod whose attempt failed for reasons that are not its own: it is tried again after its backoff. */
  failed(pod: PodInfo): void
  /** A pod is to be tried again at once, whatever it waits for. */
  activate(uid: string): void
  /** A plugin keeps a pod out no longer: it is tried again if something happened meanwhile that may help. */
  released(uid: string): void
  /** Something changed: pods that it may help are tried again. */
  happened(change: ClusterChange): void
  /** What has been tried for a pod of the queue. */
  tried(uid: string): Tried | undefined
  /** The plugins that refused each of the unschedulable pods. */
  refusals(): Iterable<{ readonly profile: string; readonly plugins: ReadonlySet<string> }>
  /** How many pods are where, for metrics. */
  sizes(): {
    readonly active: number
    readonly backoff: number
    readonly unschedulable: number
    readonly gated: number
    readonly trying: number
  }
  /** Ends its timers. */
  [Symbol.dispose](): void
}

/** How often a pod was tried, and when, in monotonic milliseconds. */
export interface Tried {
  readonly attempts: number
  /** When it could be tried for the first time. */
  readonly firstActiveAt: number | undefined
  /** When the last attempt began. */
  readonly triedAt: number
  /** Whether it was tried last only because it had waited long. */
  readonly wasFlushed: boolean
}

export interface SchedulingQueueOptions {
  readonly clock: Clock
  /** The profile of a pod: only its plugins are asked. */
  profileOf(pod: Pod): Profile
  /** All profiles; they sort alike. */
  readonly profiles: readonly Profile[]
  /** Called whenever there is a pod to be taken out. */
  ready(): void
  readonly metrics?: SchedulerMetrics
  readonly initialBackoffMs?: number
  readonly maxBackoffMs?: number
}

/** Upstream's defaults (KubeSchedulerConfiguration), and how long a pod waits for an event before it is tried regardless. */
const INITIAL_BACKOFF_MS = 1_000
const MAX_BACKOFF_MS = 10_000
const UNSCHEDULABLE_LIMIT_MS = 5 * 60_000
/** Plugins are timed on one change of so many: thousands of pods may be asked about each. */
const HINTS_EVERY = 10

interface Entry extends BackingOff, Tried {
  info: PodInfo
  attempts: number
  triedAt: number
  wasFlushed: boolean
  where: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'trying' | 'placed'
  failed: boolean
  /** The plugins that an event has to please. */
  refusedBy: ReadonlySet<string>
  firstActiveAt: number | undefined
  /** When it began to wait for an event, in monotonic milliseconds. */
  parkedAt: number
  /** Of its profile. */
  readonly waking: Waking
  /** An event that may help came while it was being tried. */
  missed: boolean
}

export function schedulingQueue(options: SchedulingQueueOptions): SchedulingQueue {
  const { clock, profiles, profileOf, ready, metrics = UNCOUNTED } = options
  const timers = new Map(profiles.map(profile => [profile, new PointTimer(profile.schedulerName, clock, metrics)]))
  const sorter = profiles[0]!.points.queueSort[0]!
  const compare = (left: QueuedPod, right: QueuedPod) => sorter.compare(left, right) || left.queuedAt - right.queuedAt
  const entries = new PassingMap<string, Entry>()
  const active = new PodHeap<Entry>(compare)
  const backoff = new Backoff<Entry>(compare)
  const wakings = new Map(profiles.map(profile => [profile, wakingOf(profile.plugins)]))
  const events = new Set([...wakings.values()].flatMap(waking => [...waking.keys()]))
  const parts: Readonly<Record<Entry['where'], PassingMap<string, Entry>>> = {
    active: new PassingMap(),
    backoff: new PassingMap(),
    unschedulable: new PassingMap(),
    gated: new PassingMap(),
    trying: new PassingMap(),
    placed: new PassingMap(),
  }
  let timer: { readonly at: number; readonly timer: Timer } | undefined
  let ended = false
  let changes = 0
  const timedHints: HintTimer = (event, plugin, ask) => {
    const since = clock.monotonic()
    const helps = ask()
    metrics.hinted(plugin, EVENT_NAMES[event], helps ? 'Queue' : 'QueueSkip', clock.monotonic() - since)
    return helps
  }

  const takeOut = (entry: Entry) => {
    parts[entry.where].delete(entry.info.uid)
    if (entry.where === 'active') active.remove(entry)
    else if (entry.where === 'backoff') backoff.remove(entry)
  }

  const move = (entry: Entry, where: Entry['where']) => {
    takeOut(entry)
    entry.where = where
    parts[where].set(entry.info.uid, entry)
    if (where === 'active') active.push(entry)
    else if (where === 'backoff') backoff.add(entry)
  }

  /** Where it waits for an event: for good, or until it has waited long enough. */
  const park = (entry: Entry, event: string) => {
    entry.parkedAt = clock.monotonic()
    metrics.queued('unschedulable', event)
    move(entry, entry.attempts > 0 ? 'unschedulable' : 'gated')
    if (entry.attempts > 0) wakeAt(entry.parkedAt + UNSCHEDULABLE_LIMIT_MS)
  }

  /** Whether a plugin keeps the pod out; then it waits for what may change that plugin's mind, too. */
  const isKeptOut = (entry: Entry, event: string) => {
    const profile = profileOf(entry.info.pod)
    const timer = timers.get(profile)!
    timer.start()
    for (const plugin of profile.points.preEnqueue) {
      const refusal = plugin.preEnqueue(entry.info.pod)
      if (!refusal) continue
      timer.ran('PreEnqueue', statusOf(refusal))
      entry.missed = true
      if (!entry.refusedBy.has(refusal.plugin)) entry.refusedBy = new Set([...entry.refusedBy, refusal.plugin])
      if (entry.where !== 'unschedulable' && entry.where !== 'gated') park(entry, event)
      return true
    }
    timer.ran('PreEnqueue')
    return false
  }

  const activate = (entry: Entry, event: string) => {
    if (isKeptOut(entry, event)) return
    entry.firstActiveAt ??= clock.monotonic()
    move(entry, 'active')
    metrics.queued('active', event)
    ready()
  }

  /** To the active part, by way of the backoff if that is not over. */
  const requeue = (entry: Entry, event: string) => {
    if (entry.backoffUntil <= clock.monotonic()) return activate(entry, event)
    if (isKeptOut(entry, event)) return
    move(entry, 'backoff')
    metrics.queued('backoff', event)
    wakeAt(entry.backoffUntil)
    if (!entry.failed) ready()
  }

  const wakeAt = (at: number) => {
    if (ended || (timer && timer.at <= at)) return
    timer?.timer.cancel()
    timer = { at, timer: clock.after(Math.max(0, at - clock.monotonic()), flush) }
  }

  /** Brings back what has waited long enough, and sets the timer for the next. */
  const flush = () => {
    timer = undefined
    const now = clock.monotonic()
    for (let entry = backoff.over(now); entry; entry = backoff.over(now)) activate(entry, 'BackoffComplete')
    // They were parked one after the other.
    for (const entry of parts.unschedulable.values()) {
      if (entry.parkedAt + UNSCHEDULABLE_LIMIT_MS > now) break
      entry.wasFlushed = true
      activate(entry, 'UnschedulableTimeout')
      if (entry.where === 'unschedulable') park(entry, 'UnschedulableTimeout')
    }
    const [parked] = parts.unschedulable.values()
    const next = Math.min(backoff.nextOverAt, parked ? parked.parkedAt + UNSCHEDULABLE_LIMIT_MS : Number.POSITIVE_INFINITY)
    if (next < Number.POSITIVE_INFINITY) wakeAt(next)
  }

  const tryNow = (entry: Entry): PodInfo => {
    move(entry, 'trying')
    entry.attempts++
    entry.triedAt = clock.monotonic()
    entry.missed = false
    return entry.info
  }

  const backOff = (entry: Entry) => {
    const initial = options.initialBackoffMs ?? INITIAL_BACKOFF_MS
    const duration = Math.min(initial * 2 ** Math.max(0, entry.attempts - 1), options.maxBackoffMs ?? MAX_BACKOFF_MS)
    entry.backoffUntil = clock.monotonic() + duration
  }

  const add = (info: PodInfo) => {
    const entry: Entry = {
      info,
      queuedAt: clock.monotonic(),
      attempts: 0,
      where: 'gated',
      backoffUntil: 0,
      failed: false,
      refusedBy: NONE,
      triedAt: 0,
      wasFlushed: false,
      firstActiveAt: undefined,
      parkedAt: 0,
      missed: false,
      waking: wakings.get(profileOf(info.pod))!,
    }
    entries.set(info.uid, entry)
    parts.gated.set(info.uid, entry)
    activate(entry, 'UnschedulablePodAdd')
    if (entry.where === 'gated') metrics.queued('unschedulable', 'UnschedulablePodAdd')
  }

  return {
    put(pod) {
      const info = podInfo(pod)
      const entry = entries.get(info.uid)
      if (!entry) return add(info)
      const old = entry.info.pod
      const isSorted = entry.where === 'active' || entry.where === 'backoff'
      if (isSorted) takeOut(entry)
      entry.info = info
      if (isSorted) move(entry, entry.where)
      if (entry.where === 'gated') activate(entry, 'UnschedulablePodUpdate')
      else if (specChanged(old, pod)) {
        if (entry.where === 'unschedulable') requeue(entry, 'UnschedulablePodUpdate')
        else entry.missed = true
      }
    },
    remove(uid) {
      const entry = entries.get(uid)
      if (!entry) return
      takeOut(entry)
      entries.delete(uid)
    },
    pop() {
      const entry = active.peek() ?? backoff.next
      if (!entry) return undefined
      if (entry.where === 'backoff') metrics.queued('active', 'PopFromBackoffQ')
      return tryNow(entry)
    },
    take(uid) {
      const entry = entries.get(uid)
      if (!entry || entry.where === 'trying' || entry.where === 'placed' || isKeptOut(entry, 'ForceActivate')) return undefined
      entry.firstActiveAt ??= clock.monotonic()
      return tryNow(entry)
    },
    placed(pod) {
      const entry = entries.get(pod.uid)
      if (entry) move(entry, 'placed')
    },
    tried: uid => entries.get(uid),
    refused(pod, refusals) {
      const entry = entries.get(pod.uid)
      if (!entry) return
      backOff(entry)
      entry.failed = false
      entry.wasFlushed = false
      entry.refusedBy = new Set(refusals.map(refusal => refusal.plugin))
      if (entry.missed) requeue(entry, 'ScheduleAttemptFailure')
      else park(entry, 'ScheduleAttemptFailure')
    },
    failed(pod) {
      const entry = entries.get(pod.uid)
      if (!entry) return
      backOff(entry)
      entry.failed = true
      requeue(entry, 'ScheduleAttemptFailure')
    },
    activate(uid) {
      const entry = entries.get(uid)
      if (!entry) return
      if (entry.where === 'trying') entry.missed = true
      else if (entry.where !== 'active' && entry.where !== 'placed') activate(entry, 'ForceActivate')
    },
    released(uid) {
      const entry = entries.get(uid)
      if (entry?.where === 'unschedulable' && entry.missed) requeue(entry, 'ForceActivate')
    },
    happened(change) {
      if (!events.has(change.event)) return
      const name = EVENT_NAMES[change.event]
      const hints = changes++ % HINTS_EVERY === 0 ? timedHints : undefined
      parts.trying.visit(entry => {
        if (!entry.missed && mayHelp(entry.waking, entry.info, change, undefined, hints)) entry.missed = true
      })
      parts.unschedulable.visit(entry => {
        if (mayHelp(entry.waking, entry.info, change, entry.refusedBy, hints)) requeue(entry, name)
      })
      parts.gated.visit(entry => {
        if (mayHelp(entry.waking, entry.info, change, entry.refusedBy, hints)) activate(entry, name)
      })
    },
    *refusals() {
      for (const { refusedBy, info } of parts.unschedulable.values())
        yield { profile: info.pod.spec.schedulerName ?? '', plugins: refusedBy }
    },
    sizes: () => ({
      active: parts.active.size,
      backoff: parts.backoff.size,
      unschedulable: parts.unschedulable.size,
      gated: parts.gated.size,
      trying: parts.trying.size,
    }),
    [Symbol.dispose]() {
      ended = true
      timer?.timer.cancel()
    },
  }
}

const NONE: ReadonlySet<string> = new Set()

/** Status written by schedulers does not make a pod fit; labels and the spec may. */
function specChanged(old: Pod, pod: Pod): boolean {
  return old.spec !== pod.spec && (old.metadata.generation !== pod.metadata.generation || old.metadata.labels !== pod.metadata.labels)
}
