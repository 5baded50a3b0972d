import type { Clock, Timer } from '#base/time/clock.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { type PodInfo, podInfo } from '../cache/pod-info.ts'
import type { ClusterChange, ClusterEvent, QueuedPod, Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { Profile } from '../framework/profile.ts'
import { PodHeap } from './pod-heap.ts'

/**
 * Pods that wait for a node. A pod is *active* (to be tried), in *backoff* (tried lately), *unschedulable* (waiting for an event that one of
 * the plugins that refused it named) or *gated*. A pod that cannot be placed costs nothing until something changes that could place it.
 */
export interface SchedulingQueue {
  /** Takes in a new pod, or a new version of one that waits. */
  put(pod: Pod): void
  remove(uid: string): void
  /** The pod to try next, taken out; undefined if none is active. */
  pop(): PodInfo | undefined
  /** A pod that was tried and refused: it waits for what may help. */
  refused(pod: PodInfo, refusals: readonly Refusal[]): void
  /** A pod whose attempt failed for reasons that are not its own: it is tried again after its backoff. */
  failed(pod: PodInfo): void
  /** Something changed: pods that it may help are tried again. */
  happened(change: ClusterChange): void
  /** How many pods are where, for metrics. */
  sizes(): { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number }
  /** Ends its timers. */
  [Symbol.dispose](): void
}

export interface SchedulingQueueOptions {
  readonly clock: Clock
  /** The profile of a pod: only its plugins are asked. */
  profileOf(pod: Pod): Profile
  /** All profiles; they sort alike. */
  readonly profiles: readonly Profile[]
  /** Called whenever a pod becomes active. */
  ready(): void
  readonly initialBackoffMs?: number
  readonly maxBackoffMs?: number
}

/** Upstream's defaults (KubeSchedulerConfiguration), and how long a pod waits for an event before it is tried regardless. */
const INITIAL_BACKOFF_MS = 1_000
const MAX_BACKOFF_MS = 10_000
const UNSCHEDULABLE_LIMIT_MS = 5 * 60_000

interface Entry extends QueuedPod {
  info: PodInfo
  attempts: number
  where: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'trying'
  /** Until when it is in backoff, in monotonic milliseconds. */
  backoffUntil: number
  refusedBy: ReadonlySet<string>
  triedAt: number
  /** Of its profile: by event. */
  readonly waking: Waking
  /** An event that may help came while it was being tried. */
  missed: boolean
}

export function schedulingQueue(options: SchedulingQueueOptions): SchedulingQueue {
  const { clock, profiles, profileOf, ready } = options
  const sorter = profiles[0]!.points.queueSort[0]!
  const compare = (left: QueuedPod, right: QueuedPod) => sorter.compare(left, right) || left.queuedAt - right.queuedAt
  const entries = new Map<string, Entry>()
  const active = new PodHeap<Entry>(compare)
  const wakings = new Map(profiles.map(profile => [profile, wakingPlugins(profile.plugins)]))
  const events = new Set([...wakings.values()].flatMap(waking => [...waking.keys()]))
  const parts: Readonly<Record<Entry['where'], Set<Entry>>> = {
    active: new Set(),
    backoff: new Set(),
    unschedulable: new Set(),
    gated: new Set(),
    trying: new Set(),
  }
  let timer: { readonly at: number; readonly timer: Timer } | undefined
  let ended = false

  const move = (entry: Entry, where: Entry['where']) => {
    parts[entry.where].delete(entry)
    parts[where].add(entry)
    if (entry.where === 'active') active.remove(entry)
    entry.where = where
    if (where === 'active') {
      active.push(entry)
      ready()
    }
  }

  const gateOf = (pod: Pod) => {
    for (const plugin of profileOf(pod).points.preEnqueue) {
      const refusal = plugin.preEnqueue(pod)
      if (refusal) return refusal
    }
    return undefined
  }

  /** To the active part if no plugin keeps it out; then it waits for what may change that plugin's mind. */
  const activate = (entry: Entry) => {
    const gate = gateOf(entry.info.pod)
    if (!gate) return move(entry, 'active')
    entry.refusedBy = new Set([gate.plugin])
    if (entry.where !== 'gated') move(entry, 'gated')
  }

  /** To the active part, by way of the backoff if that is not over. */
  const requeue = (entry: Entry) => {
    if (entry.backoffUntil <= clock.monotonic()) return activate(entry)
    move(entry, 'backoff')
    wakeAt(entry.backoffUntil)
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
    let next = Number.POSITIVE_INFINITY
    const bring = (entry: Entry, due: number) => {
      if (due <= now) activate(entry)
      else next = Math.min(next, due)
    }
    for (const entry of parts.backoff) bring(entry, entry.backoffUntil)
    for (const entry of parts.unschedulable) bring(entry, entry.triedAt + UNSCHEDULABLE_LIMIT_MS)
    if (next < Number.POSITIVE_INFINITY) wakeAt(next)
  }

  const backOff = (entry: Entry) => {
    const initial = options.initialBackoffMs ?? INITIAL_BACKOFF_MS
    entry.triedAt = clock.monotonic()
    entry.backoffUntil = entry.triedAt + Math.min(initial * 2 ** Math.max(0, entry.attempts - 1), options.maxBackoffMs ?? MAX_BACKOFF_MS)
  }

  const add = (info: PodInfo) => {
    const entry: Entry = {
      info,
      queuedAt: clock.monotonic(),
      attempts: 0,
      where: 'gated',
      backoffUntil: 0,
      refusedBy: new Set(),
      triedAt: 0,
      missed: false,
      waking: wakings.get(profileOf(info.pod))!,
    }
    entries.set(info.uid, entry)
    parts.gated.add(entry)
    activate(entry)
  }

  return {
    put(pod) {
      const info = podInfo(pod)
      const entry = entries.get(info.uid)
      if (!entry) return add(info)
      const old = entry.info.pod
      if (entry.where === 'active') active.remove(entry)
      entry.info = info
      if (entry.where === 'active') active.push(entry)
      else if (entry.where === 'gated') activate(entry)
      else if (specChanged(old, pod)) {
        if (entry.where === 'unschedulable') requeue(entry)
        else entry.missed = true
      }
    },
    remove(uid) {
      const entry = entries.get(uid)
      if (!entry) return
      if (entry.where === 'active') active.remove(entry)
      parts[entry.where].delete(entry)
      entries.delete(uid)
    },
    pop() {
      const entry = active.pop()
      if (!entry) return undefined
      parts.active.delete(entry)
      parts.trying.add(entry)
      entry.where = 'trying'
      entry.attempts++
      entry.missed = false
      return entry.info
    },
    refused(pod, refusals) {
      const entry = entries.get(pod.uid)
      if (!entry) return
      backOff(entry)
      entry.refusedBy = new Set(refusals.map(refusal => refusal.plugin))
      if (entry.missed) return requeue(entry)
      move(entry, 'unschedulable')
      wakeAt(entry.triedAt + UNSCHEDULABLE_LIMIT_MS)
    },
    failed(pod) {
      const entry = entries.get(pod.uid)
      if (!entry) return
      backOff(entry)
      requeue(entry)
    },
    happened(change) {
      if (!events.has(change.event)) return
      for (const entry of parts.trying) if (mayHelp(entry, change)) entry.missed = true
      for (const entry of parts.unschedulable) if (mayHelp(entry, change)) requeue(entry)
      for (const entry of parts.gated) if (mayHelp(entry, change)) activate(entry)
    },
    sizes: () => ({
      active: parts.active.size,
      backoff: parts.backoff.size,
      unschedulable: parts.unschedulable.size,
      gated: parts.gated.size,
    }),
    [Symbol.dispose]() {
      ended = true
      timer?.timer.cancel()
    },
  }
}

/** Whether what happened may undo what refused the pod; while it is being tried that is not known yet. */
function mayHelp(entry: Entry, change: ClusterChange): boolean {
  const helpers = entry.waking.get(change.event)
  if (!helpers) return false
  for (const { plugin, helps } of helpers) {
    if ((entry.where === 'trying' || entry.refusedBy.has(plugin)) && helps(entry.info, change)) return true
  }
  return false
}

/** For each event the plugins whose refusals it may undo. */
type Waking = ReadonlyMap<ClusterEvent, readonly { readonly plugin: string; helps(pod: PodInfo, change: ClusterChange): boolean }[]>

function wakingPlugins(plugins: readonly SchedulerPlugin[]): Waking {
  const byEvent = new Map<ClusterEvent, { readonly plugin: string; helps(pod: PodInfo, change: ClusterChange): boolean }[]>()
  for (const plugin of plugins) {
    for (const wake of plugin.wakesOn ?? []) {
      const { event, helps } = typeof wake === 'string' ? { event: wake, helps: () => true } : wake
      byEvent.set(event, [...(byEvent.get(event) ?? []), { plugin: plugin.name, helps }])
    }
  }
  return byEvent
}

/** Status written by schedulers does not make a pod fit; labels and the spec may. */
function specChanged(old: Pod, pod: Pod): boolean {
  return old.spec !== pod.spec && (old.metadata.generation !== pod.metadata.generation || old.metadata.labels !== pod.metadata.labels)
}
