import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Refusal, SchedulerPlugin } from './plugin.ts'
import { statusOf } from './point-timer.ts'
import type { Profile } from './profile.ts'
import { type SchedulingCycle, trialOf } from './scheduling-cycle.ts'

type Filters = Profile['points']['filter']

/** What was found out of a pod before any node was looked at. */
export interface Prefiltered {
  /** Set if no node can take the pod. */
  readonly refusal?: Refusal
  /** If set, only these nodes come into question, and this is what the others are refused for. */
  readonly only?: { readonly nodeNames: ReadonlySet<string>; readonly refusal: Refusal }
  /** The plugins that have to be asked about each node. */
  readonly filters: Filters
}

/** Asks every plugin's preFilter. */
export function prefilter(cycle: SchedulingCycle, { points }: Profile): Prefiltered {
  let nodeNames: ReadonlySet<string> | undefined
  const skipped = new Set<string>()
  const naming: string[] = []
  const { timer } = cycle
  timer?.start()
  for (const plugin of points.preFilter) {
    const result = plugin.preFilter(cycle)
    if (result?.skip) skipped.add(plugin.name)
    else timer?.evaluated('PreFilter', plugin.name)
    if (!result) continue
    if (result.refusal) {
      timer?.ran('PreFilter', statusOf(result.refusal))
      return { refusal: result.refusal, filters: [] }
    }
    if (!result.nodeNames) continue
    nodeNames = intersection(nodeNames, result.nodeNames)
    naming.push(plugin.name)
  }
  timer?.ran('PreFilter')
  const filters = skipped.size > 0 ? points.filter.filter(plugin => !skipped.has(plugin.name)) : points.filter
  return nodeNames ? { filters, only: { nodeNames, refusal: notNamed(naming) } } : { filters }
}

/** The first refusal of a node by `filters`, from the one at `first` on; undefined if it can take the pod. Hot: bench/scheduler. */
export function refusalOf(cycle: SchedulingCycle, filters: Filters, node: NodeInfo, first = 0): Refusal | undefined {
  for (let index = first; index < filters.length; index++) {
    const refusal = filters[index]!.filter(cycle, node)
    if (refusal) return refusal
  }
  return undefined
}

/** A node on which pods can come and go, to see whether the pod of a cycle would then fit. The node and the cycle themselves stay. */
export interface Trial {
  readonly node: NodeInfo
  add(pod: PodInfo): void
  remove(pod: PodInfo): void
  /** Undefined if the pod fits now. */
  refusal(): Refusal | undefined
}

export function trialOn(node: NodeInfo, cycle: SchedulingCycle, profile: Profile, filters: Filters): Trial {
  const copy = node.copy()
  const trial = trialOf(cycle)
  const counting = countingIn(profile)
  return {
    node: copy,
    add(pod) {
      copy.addPod(pod)
      for (let index = 0; index < counting.length; index++) counting[index]!.addPod?.(trial, pod, copy)
    },
    remove(pod) {
      copy.removePod(pod.uid)
      for (let index = 0; index < counting.length; index++) counting[index]!.removePod?.(trial, pod, copy)
    },
    refusal: () => refusalOf(trial, filters, copy),
  }
}

const counting = new WeakMap<Profile, readonly SchedulerPlugin[]>()

/** The plugins that are to know of pods that come and go. Hot: bench/loops (preemption) — few are, and eleven pods come and go on each node. */
function countingIn(profile: Profile): readonly SchedulerPlugin[] {
  let plugins = counting.get(profile)
  if (!plugins) {
    plugins = profile.points.preFilter.filter(({ addPod, removePod }) => addPod ?? removePod)
    counting.set(profile, plugins)
  }
  return plugins
}

function notNamed(plugins: readonly string[]): Refusal {
  const text = `node(s) didn't satisfy plugin(s) [${[...plugins].sort().join(' ')}]`
  return { plugin: plugins[0]!, code: 'unresolvable', reasons: [text] }
}

function intersection(left: ReadonlySet<string> | undefined, right: ReadonlySet<string>): ReadonlySet<string> {
  return left ? new Set([...left].filter(name => right.has(name))) : right
}
