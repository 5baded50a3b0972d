import type { Random } from '#base/random/random.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { prefilter, refusalOf, trialOn } from './filter.ts'
import type { Refusal } from './plugin.ts'
import type { PluginWith, Profile } from './profile.ts'
import { Refusals } from './refusals.ts'
import type { SchedulingCycle } from './scheduling-cycle.ts'

/** Which pods have a node nominated for them and are not there yet. */
export interface Nominations {
  readonly isEmpty: boolean
  /** Those of a node: another array each time that they change. */
  on(node: string): readonly PodInfo[]
  /** The node nominated for a pod. */
  nodeOf(uid: string): string | undefined
}

export interface Selected {
  readonly node: NodeInfo
  /** How many nodes were looked at. */
  readonly seen: number
}

export interface Refused {
  readonly node: undefined
  readonly refusals: Refusals
  /** Set if the pod was refused before any node was looked at. */
  readonly refusal?: Refusal
  readonly seen: number
}

/** Those nodes of a pod that pass the filters, and why the others do not. */
export interface Feasible {
  readonly nodes: readonly NodeInfo[]
  readonly refusals: Refusals
  readonly refusal?: Refusal
  readonly seen: number
}

/** Someone who is told what every plugin gave: normalised scores, node by node, which are valid only during the call. */
export interface Witness {
  scored(plugin: string, scores: Float64Array, weight: number): void
}

/** Small clusters are looked at whole; of large ones between 5 and 50 percent, fewer the larger they are (upstream's rule). */
const MIN_NODES = 100
const MIN_PERCENT = 5

/**
 * Looks for a node, starting with the one at `start` and going round, so that all get their turn. Stops once enough are found to choose
 * among; among equal scores chance decides.
 *
 * Hot: bench/scheduler.
 */
export function selectNode(
  cycle: SchedulingCycle,
  profile: Profile,
  nominations: Nominations,
  start: number,
  random: Random,
  note?: Note,
): Selected | Refused {
  const { nodes, refusals, refusal, seen } = feasibleNodes(cycle, profile, nominations, start)
  if (nodes.length === 0) return { node: undefined, refusals, seen, ...(refusal ? { refusal } : {}) }
  const totals = nodes.length === 1 ? new Float64Array(1) : totalScores(cycle, profile, nodes, note?.witness)
  const node = nodes.length === 1 ? nodes[0]! : best(totals, nodes, random)
  note?.selected(node, nodes, totals, refusals)
  return { node, seen }
}

/** What of a selection is to be noted. */
export interface Note {
  readonly witness: Witness
  selected(node: NodeInfo, among: readonly NodeInfo[], totals: Float64Array, refusals: Refusals): void
}

/** The place of the highest; the first of equals. */
export function bestOf(totals: Float64Array): number {
  let chosen = 0
  for (let index = 1; index < totals.length; index++) if (totals[index]! > totals[chosen]!) chosen = index
  return chosen
}

/** The best of `nodes` that still fit, with what `more` adds to their scores; undefined if none does. */
export function chooseAmong(
  cycle: SchedulingCycle,
  profile: Profile,
  nominations: Nominations,
  nodes: readonly NodeInfo[],
  random: Random,
  more: (node: NodeInfo) => number,
): NodeInfo | undefined {
  const wanted = new Set(nodes.map(node => node.name))
  const { nodes: fitting } = feasibleNodes(cycle, profile, nominations, 0, wanted)
  if (fitting.length <= 1) return fitting[0]
  const totals = totalScores(cycle, profile, fitting)
  fitting.forEach((node, index) => {
    totals[index]! += more(node)
  })
  return best(totals, fitting, random)
}

/** Looks for nodes that can take the pod, among those of these names if any are given. */
export function feasibleNodes(
  cycle: SchedulingCycle,
  profile: Profile,
  nominations: Nominations,
  start: number,
  among?: ReadonlySet<string>,
): Feasible {
  const { refusal, only: named, filters } = prefilter(cycle, profile)
  if (refusal) return { nodes: [], refusals: new Refusals(), refusal, seen: 0 }
  const { nodes } = cycle.nodeSet
  const only = among ? { nodeNames: among, refusal: ELSEWHERE } : named
  const wanted = among ? among.size : nodesToFind(only ? only.nodeNames.size : nodes.length, profile.percentageOfNodesToScore)
  const fitting: NodeInfo[] = []
  const refusals = new Refusals()
  const { known } = cycle
  const answered = known?.begin(filters) ?? 0
  const look = (node: NodeInfo) => {
    const why =
      known?.refusalOf(cycle, node) ??
      refusalOf(cycle, filters, node, answered) ??
      (nominations.isEmpty ? undefined : refusalByNominated(cycle, profile, filters, nominations, node, answered))
    if (why === undefined) fitting.push(node)
    else refusals.add(node, why)
  }
  const nominated = nominations.isEmpty ? undefined : cycle.nodeSet.get(nominations.nodeOf(cycle.info.uid) ?? '')
  if (nominated && (!only || only.nodeNames.has(nominated.name))) {
    look(nominated)
    if (fitting.length > 0) {
      cycle.timer?.filtered(filters, 1, refusals)
      cycle.timer?.ran('Filter')
      return { nodes: fitting, refusals, seen: 0 }
    }
    refusals.clear()
  }
  let seen = 0
  if (only) {
    for (const name of only.nodeNames) {
      const node = cycle.nodeSet.get(name)
      if (node && fitting.length < wanted) look(node)
    }
  } else {
    for (; seen < nodes.length && fitting.length < wanted; seen++) look(nodes[(start + seen) % nodes.length]!)
  }
  cycle.timer?.filtered(filters, fitting.length, refusals)
  cycle.timer?.ran('Filter')
  if (only) for (const node of nodes) if (!only.nodeNames.has(node.name)) refusals.add(node, only.refusal)
  return { nodes: fitting, refusals, seen }
}

const ELSEWHERE: Refusal = { plugin: 'NodeName', code: 'unresolvable', reasons: ['node(s) were not asked for'] }

/**
 * Pods of the same or higher priority that are on their way to a node have its room already. The first `answered` of `filters` look at nothing
 * but the node.
 */
function refusalByNominated(
  cycle: SchedulingCycle,
  profile: Profile,
  filters: readonly PluginWith<'filter'>[],
  nominations: Nominations,
  node: NodeInfo,
  answered: number,
): Refusal | undefined {
  const coming = nominations.on(node.name)
  if (coming.length === 0) return undefined
  const { uid, priority } = cycle.info
  const shared = answered === filters.length && nominations.nodeOf(uid) !== node.name ? cycle.known : undefined
  const known = shared?.beside(node, coming, priority)
  if (known) return known.refusal
  const counting = coming.filter(other => other.priority >= priority && other.uid !== uid)
  const refusal = counting.length > 0 ? refusalWith(counting, cycle, profile, filters, node) : undefined
  shared?.rememberBeside(node, coming, priority, refusal)
  return refusal
}

/** Whether the pod would fit if these others were there, too. */
function refusalWith(
  others: readonly PodInfo[],
  cycle: SchedulingCycle,
  profile: Profile,
  filters: readonly PluginWith<'filter'>[],
  node: NodeInfo,
): Refusal | undefined {
  const trial = trialOn(node, cycle, profile, filters)
  for (const other of others) trial.add(other)
  return trial.refusal()
}

function nodesToFind(all: number, percentage: number): number {
  if (all <= MIN_NODES || percentage >= 100) return all
  const percent = percentage > 0 ? percentage : Math.max(MIN_PERCENT, 50 - Math.floor(all / 125))
  return Math.max(MIN_NODES, Math.floor((all * percent) / 100))
}

/** One of the highest. In an empty cluster most nodes are equal: chance is asked once, not for each of them. */
function best(totals: Float64Array, nodes: readonly NodeInfo[], random: Random): NodeInfo {
  let highest = totals[0]!
  let equals = 1
  for (let index = 1; index < nodes.length; index++) {
    const total = totals[index]!
    if (total === highest) equals++
    else if (total > highest) {
      highest = total
      equals = 1
    }
  }
  let before = equals === 1 ? 0 : random.below(equals)
  let index = 0
  while (totals[index] !== highest || before-- > 0) index++
  return nodes[index]!
}

/** The weighted sum of every plugin's score, node by node. */
export function totalScores(
  cycle: SchedulingCycle,
  { points, weights }: Profile,
  nodes: readonly NodeInfo[],
  witness?: Witness,
): Float64Array {
  const totals = new Float64Array(nodes.length)
  const scores = new Float64Array(nodes.length)
  const skipped = new Set<string>()
  const { timer } = cycle
  timer?.start()
  for (const plugin of points.preScore) {
    if (plugin.preScore(cycle, nodes)) timer?.evaluated('PreScore', plugin.name)
    else skipped.add(plugin.name)
  }
  timer?.ran('PreScore')
  for (const plugin of points.score) {
    if (skipped.has(plugin.name)) continue
    timer?.evaluated('Score', plugin.name, nodes.length)
    if (cycle.known && plugin.sign) cycle.known.score(plugin, cycle, nodes, scores)
    else for (let index = 0; index < nodes.length; index++) scores[index] = plugin.score(cycle, nodes[index]!)
    plugin.normalize?.(cycle, scores)
    const weight = weights[plugin.name] ?? 1
    for (let index = 0; index < nodes.length; index++) totals[index]! += weight * scores[index]!
    witness?.scored(plugin.name, scores, weight)
  }
  timer?.ran('Score')
  return totals
}
