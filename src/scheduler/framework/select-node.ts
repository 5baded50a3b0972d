import type { Random } from '#base/random/random.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { prefilter, refusalOf, withNodes, wouldFit } from './filter.ts'
import type { Refusal } from './plugin.ts'
import type { Profile } from './profile.ts'
import type { SchedulingCycle } from './scheduling-cycle.ts'

/** Which pods have a node nominated for them and are not there yet. */
export interface Nominations {
  on(node: string): readonly PodInfo[]
}

/** What came of looking for a node. */
export type Selection =
  | { readonly node: NodeInfo; readonly scores?: ReadonlyMap<NodeInfo, number> }
  | { readonly node: undefined; readonly refusals: ReadonlyMap<NodeInfo, Refusal>; readonly refusal?: Refusal }

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
): Selection & { readonly seen: number } {
  const { plugins } = profile
  const { refusal, nodeNames, filters } = prefilter(cycle, plugins)
  const { nodes } = cycle.nodeSet
  if (refusal) return { node: undefined, refusals: new Map(), refusal, seen: 0 }
  const wanted = nodesToFind(nodes.length, profile.percentageOfNodesToScore)
  const fitting: NodeInfo[] = []
  const refusals = new Map<NodeInfo, Refusal>()
  let seen = 0
  for (; seen < nodes.length && fitting.length < wanted; seen++) {
    const node = nodes[(start + seen) % nodes.length]!
    if (nodeNames && !nodeNames.has(node.name)) {
      refusals.set(node, NOT_NAMED)
      continue
    }
    const refused = refusalOf(cycle, filters, node) ?? refusalByNominated(cycle, profile, nominations, node)
    if (refused) refusals.set(node, refused)
    else fitting.push(node)
  }
  if (fitting.length === 0) return { node: undefined, refusals, seen }
  if (fitting.length === 1) return { node: fitting[0]!, seen }
  return { ...best(cycle, profile, fitting, random), seen }
}

const NOT_NAMED: Refusal = { plugin: 'NodeAffinity', code: 'unresolvable', reasons: ["node(s) didn't match Pod's node affinity/selector"] }
const NOMINATED: Refusal = {
  plugin: 'NodeResourcesFit',
  code: 'unschedulable',
  reasons: ['node(s) are kept for nominated pods of higher priority'],
}

/** Pods of the same or higher priority that are on their way to a node have its room already. */
function refusalByNominated(cycle: SchedulingCycle, { plugins }: Profile, nominations: Nominations, node: NodeInfo): Refusal | undefined {
  const coming = nominations.on(node.name).filter(other => other.priority >= cycle.info.priority && other.uid !== cycle.info.uid)
  if (coming.length === 0) return undefined
  const trial = node.copy()
  for (const other of coming) trial.addPod(other)
  return wouldFit(cycle.info, trial, withNodes(cycle.nodeSet, [trial]), plugins) ? undefined : NOMINATED
}

function nodesToFind(all: number, percentage: number): number {
  if (all <= MIN_NODES || percentage >= 100) return all
  const percent = percentage > 0 ? percentage : Math.max(MIN_PERCENT, 50 - Math.floor(all / 125))
  return Math.max(MIN_NODES, Math.floor((all * percent) / 100))
}

function best(
  cycle: SchedulingCycle,
  profile: Profile,
  nodes: readonly NodeInfo[],
  random: Random,
): { node: NodeInfo; scores: ReadonlyMap<NodeInfo, number> } {
  const totals = totalScores(cycle, profile, nodes)
  let chosen = 0
  let equals = 1
  for (let index = 1; index < nodes.length; index++) {
    if (totals[index]! > totals[chosen]!) {
      chosen = index
      equals = 1
    } else if (totals[index] === totals[chosen] && random.below(++equals) === 0) chosen = index
  }
  return {
    node: nodes[chosen]!,
    get scores() {
      return new Map(nodes.map((node, index) => [node, totals[index]!]))
    },
  }
}

/** The weighted sum of every plugin's score, node by node. */
export function totalScores(cycle: SchedulingCycle, { plugins, weights }: Profile, nodes: readonly NodeInfo[]): Float64Array {
  const totals = new Float64Array(nodes.length)
  const scores = new Float64Array(nodes.length)
  for (const plugin of plugins) {
    if (!plugin.score || plugin.preScore?.(cycle, nodes) === false) continue
    for (let index = 0; index < nodes.length; index++) scores[index] = plugin.score(cycle, nodes[index]!)
    plugin.normalize?.(cycle, scores)
    const weight = weights[plugin.name] ?? 1
    for (let index = 0; index < nodes.length; index++) totals[index]! += weight * scores[index]!
  }
  return totals
}
