import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Refusal, SchedulerPlugin } from './plugin.ts'
import { type NodeSet, type SchedulingCycle, schedulingCycle } from './scheduling-cycle.ts'

/** What was found out of a pod before any node was looked at. */
export interface Prefiltered {
  /** Set if no node can take the pod. */
  readonly refusal?: Refusal
  /** If set, only these nodes come into question. */
  readonly nodeNames?: ReadonlySet<string>
  /** The plugins that have to be asked about each node. */
  readonly filters: readonly SchedulerPlugin[]
}

/** Asks every plugin's preFilter. */
export function prefilter(cycle: SchedulingCycle, plugins: readonly SchedulerPlugin[]): Prefiltered {
  const filters: SchedulerPlugin[] = []
  let nodeNames: ReadonlySet<string> | undefined
  for (const plugin of plugins) {
    const result = plugin.preFilter?.(cycle)
    if (result?.refusal) return { refusal: result.refusal, filters: [] }
    if (plugin.filter && !result?.skip) filters.push(plugin)
    if (result?.nodeNames) nodeNames = intersection(nodeNames, result.nodeNames)
  }
  return nodeNames ? { filters, nodeNames } : { filters }
}

/** The first refusal of a node, undefined if it can take the pod. Hot: bench/scheduler. */
export function refusalOf(cycle: SchedulingCycle, filters: readonly SchedulerPlugin[], node: NodeInfo): Refusal | undefined {
  for (const plugin of filters) {
    const refusal = plugin.filter!(cycle, node)
    if (refusal) return refusal
  }
  return undefined
}

/**
 * Whether `pod` would fit on `node` if that node held what it holds in `nodeSet`: everything is found out anew. For preemption, what-if, and
 * nodes on which other pods are nominated.
 */
export function wouldFit(pod: PodInfo, node: NodeInfo, nodeSet: NodeSet, plugins: readonly SchedulerPlugin[]): boolean {
  const cycle = schedulingCycle(pod, nodeSet)
  const { refusal, nodeNames, filters } = prefilter(cycle, plugins)
  if (refusal || (nodeNames && !nodeNames.has(node.name))) return false
  return refusalOf(cycle, filters, node) === undefined
}

/** `nodeSet` with other nodes in the place of those of the same name. */
export function withNodes(nodeSet: NodeSet, changed: readonly NodeInfo[]): NodeSet {
  const byName = new Map(changed.map(node => [node.name, node]))
  const replace = (node: NodeInfo) => byName.get(node.name) ?? node
  return {
    nodes: nodeSet.nodes.map(replace),
    get: name => byName.get(name) ?? nodeSet.get(name),
    withAffinity: [...nodeSet.withAffinity].map(replace),
    withRequiredAntiAffinity: [...nodeSet.withRequiredAntiAffinity].map(replace),
  }
}

function intersection(left: ReadonlySet<string> | undefined, right: ReadonlySet<string>): ReadonlySet<string> {
  return left ? new Set([...left].filter(name => right.has(name))) : right
}
