import { matchesRequiredAffinity } from '#kinds/core/v1/node-selector.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { firstUntolerated } from '#kinds/core/v1/toleration.facts.ts'
import type { TopologySpreadConstraint } from '#kinds/core/v1/topology-spread-constraint.ts'
import { LabelSelector, requirement } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Tally } from '../cache/tally.ts'
import type { ClusterChange, Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { SchedulingCycle } from '../framework/scheduling-cycle.ts'
import { MAX_SCORE } from './normalize.ts'
import { type DomainView, HardSpread, type Spread, SpreadState } from './spread-state.ts'

const NAME = 'PodTopologySpread'
const SOFT = `${NAME} soft`
const MISSING: Refusal = {
  plugin: NAME,
  code: 'unresolvable',
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
}
const SKEWED: Refusal = { plugin: NAME, code: 'unschedulable', reasons: ["node(s) didn't match pod topology spread constraints"] }
const HOSTNAME = 'kubernetes.io/hostname'

/** Upstream's PodTopologySpreadArgs. */
export interface PodTopologySpreadArgs {
  /** What counts for pods that have no constraints of their own. */
  readonly defaultConstraints?: readonly TopologySpreadConstraint[] | undefined
  /** `System`: softly over nodes and zones. */
  readonly defaultingType?: 'System' | 'List' | undefined
}

/** What counts as spread for pods that do not say (upstream's system defaults): softly over nodes and zones. */
const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway' },
]

/** Which pods belong together with a pod that has no constraints of its own: what its Services and controllers select. */
export type DefaultSelector = (pod: Pod) => LabelSelector | undefined

interface SoftState {
  readonly spreads: readonly SoftSpread[]
  /** Whether nodes that lack one of the keys get nothing. */
  readonly requireAll: boolean
}

interface SoftSpread {
  readonly topologyKey: string
  readonly maxSkew: number
  /** How much a pod counts: more, the more domains there are. */
  readonly weight: number
  count(node: NodeInfo): number
}

/**
 * Spreads pods over domains of the topology (KEP-895), as hard or as soft constraints.
 *
 * Hot: bench/scheduler. Nothing here looks at other pods: they are counted as they come and go.
 */
export function podTopologySpread(defaultSelector: DefaultSelector, args: PodTopologySpreadArgs = {}): SchedulerPlugin {
  const systemDefaults = (args.defaultingType ?? 'System') === 'System'
  const defaults = systemDefaults ? SYSTEM_DEFAULTS : (args.defaultConstraints ?? [])

  const spreadsOf = (pod: Pod, when: TopologySpreadConstraint['whenUnsatisfiable']): Spread[] => {
    const own = pod.spec.topologySpreadConstraints ?? []
    if (own.length > 0) return own.filter(one => one.whenUnsatisfiable === when).map(constraint => spreadOf(pod, constraint))
    const meant = defaults.filter(one => one.whenUnsatisfiable === when)
    const selector = meant.length > 0 ? defaultSelector(pod) : undefined
    return selector ? meant.map(constraint => ({ constraint, selector, counts: selector.matches(pod.metadata.labels) })) : []
  }

  const changed = ({ state, pod }: SchedulingCycle, other: PodInfo, node: NodeInfo, sign: 1 | -1) => {
    const known = state.get(NAME) as SpreadState | undefined
    if (!known || other.namespace !== (pod.metadata.namespace ?? '') || other.pod.metadata.deletionTimestamp !== undefined) return
    for (const one of known.spreads) {
      if (one.spread.selector.matches(other.pod.metadata.labels) && includes(one.spread.constraint, pod, node)) one.change(node, sign)
    }
  }

  /** Whether the pod that came or went is one of those that are counted. */
  const counts = ({ pod, namespace }: PodInfo, { pod: other }: ClusterChange) =>
    other === undefined ||
    (other.metadata.namespace === namespace &&
      spreadsOf(pod, 'DoNotSchedule').some(({ selector }) => selector.matches(other.metadata.labels)))

  return {
    name: NAME,
    wakesOn: [
      'node added',
      'node removed',
      'node labels changed',
      'node taints changed',
      { event: 'pod added', helps: counts },
      { event: 'pod removed', helps: counts },
      'pod labels changed',
    ],
    preFilter(cycle) {
      const spreads = spreadsOf(cycle.pod, 'DoNotSchedule')
      if (spreads.length === 0) return { skip: true }
      cycle.state.set(NAME, new SpreadState(spreads.map(spread => new HardSpread(spread, domainsOf(cycle, spread, spreads)))))
      return undefined
    },
    addPod: (cycle, other, node) => changed(cycle, other, node, 1),
    removePod: (cycle, other, node) => changed(cycle, other, node, -1),
    filter({ state }, node) {
      const { spreads } = state.get(NAME) as SpreadState
      for (let index = 0; index < spreads.length; index++) {
        const one = spreads[index]!
        const skew = one.skewOn(node)
        if (skew === undefined) return MISSING
        if (skew > one.maxSkew) return SKEWED
      }
      return undefined
    },
    preScore(cycle, nodes) {
      const spreads = spreadsOf(cycle.pod, 'ScheduleAnyway')
      if (spreads.length === 0) return false
      const requireAll = (cycle.pod.spec.topologySpreadConstraints ?? []).length > 0 || !systemDefaults
      cycle.state.set(SOFT, { requireAll, spreads: spreads.map(one => softSpread(cycle, one, spreads, nodes, requireAll)) })
      return true
    },
    score({ state }, node) {
      const { spreads, requireAll } = state.get(SOFT) as SoftState
      let sum = 0
      for (let index = 0; index < spreads.length; index++) {
        const { topologyKey, maxSkew, weight, count } = spreads[index]!
        if (node.labels[topologyKey] !== undefined) sum += count(node) * weight + (maxSkew - 1)
        else if (requireAll) return Number.NaN
      }
      return Math.round(sum)
    },
    normalize(_cycle, scores) {
      let lowest = Number.POSITIVE_INFINITY
      let highest = 0
      for (const score of scores) {
        if (score < lowest) lowest = score
        if (score > highest) highest = score
      }
      for (let index = 0; index < scores.length; index++) {
        const score = scores[index]!
        if (Number.isNaN(score)) scores[index] = 0
        else scores[index] = highest === 0 ? MAX_SCORE : Math.floor((MAX_SCORE * (highest + lowest - score)) / highest)
      }
    },
  }
}

function spreadOf(pod: Pod, constraint: TopologySpreadConstraint): Spread {
  const own = LabelSelector.ofObject(constraint.labelSelector)
  const labels = pod.metadata.labels ?? {}
  const same = (constraint.matchLabelKeys ?? []).flatMap(key => (labels[key] === undefined ? [] : [requirement(key, '=', [labels[key]])]))
  const selector = same.length === 0 ? own : new LabelSelector([...own.requirements, ...same], own.isNothing)
  return { constraint, selector, counts: selector.matches(labels) }
}

/**
 * The domains of a hard constraint: those of the nodes that have all keys and that the constraint includes. Where all nodes do, they are
 * known; else the nodes are gone through, but never their pods.
 */
function domainsOf(cycle: SchedulingCycle, { constraint, selector }: Spread, all: readonly Spread[]): DomainView {
  const { nodeSet, pod, info } = cycle
  const { topologyKey } = constraint
  const tally = nodeSet.tallies.selected(info.namespace, selector)
  const numbered = nodeSet.topology.numbered(topologyKey)
  const ofNodes = numbered.ofNodes(nodeSet.nodes)
  if (
    isPlain(cycle, constraint) &&
    (all.length === 1 || all.every(one => nodeSet.topology.isEverywhere(one.constraint.topologyKey, nodeSet.nodes)))
  ) {
    const { size } = nodeSet.topology.values(topologyKey, nodeSet.nodes)
    const domains = tally.domains(topologyKey)
    return { size, ofNodes, counts: domains.byNumber, filled: domains.counts.size, lowest: () => domains.lowest() }
  }
  const counted = new Map<string, number>()
  for (const node of nodeSet.nodes) {
    if (hasKeys(node, all) && includes(constraint, pod, node)) counted.set(node.labels[topologyKey]!, 0)
  }
  addCounts(counted, tally, constraint, pod, node => hasKeys(node, all))
  const counts: number[] = []
  for (const [value, count] of counted) counts[numbered.numberOf(value)] = count
  for (let domain = 0; domain < counts.length; domain++) counts[domain] ??= 0
  const filled = [...counted.values()].filter(count => count > 0)
  return { size: counted.size, ofNodes, counts, filled: filled.length, lowest: () => (filled.length > 0 ? Math.min(...filled) : undefined) }
}

function softSpread(
  cycle: SchedulingCycle,
  { constraint, selector }: Spread,
  all: readonly Spread[],
  nodes: readonly NodeInfo[],
  requireAll: boolean,
): SoftSpread {
  const { nodeSet, info, pod } = cycle
  const { topologyKey, maxSkew } = constraint
  const tally = nodeSet.tallies.selected(info.namespace, selector)
  const isCounted = (node: NodeInfo) => !requireAll || hasKeys(node, all)
  if (topologyKey === HOSTNAME) {
    let size = nodes.length
    if (requireAll) for (const node of nodes) if (!hasKeys(node, all)) size--
    return { topologyKey, maxSkew, weight: Math.log(size + 2), count: node => tally.on(node) }
  }
  const seen = new Set<string | undefined>()
  for (const node of nodes) if (isCounted(node)) seen.add(node.labels[topologyKey])
  const isEverywhere = () => all.every(one => nodeSet.topology.isEverywhere(one.constraint.topologyKey, nodeSet.nodes))
  let counts = tally.domains(topologyKey).counts
  if (!isPlain(cycle, constraint) || (requireAll && all.length > 1 && !isEverywhere())) {
    counts = new Map()
    addCounts(counts as Map<string, number>, tally, constraint, pod, isCounted)
  }
  return { topologyKey, maxSkew, weight: Math.log(seen.size + 2), count: node => counts.get(node.labels[topologyKey]!) ?? 0 }
}

/** Whether the constraint includes every node there is, so that counts need no look at them. */
function isPlain({ pod, nodeSet }: SchedulingCycle, { nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint): boolean {
  const isPicky =
    pod.spec.nodeSelector !== undefined || pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined
  return (!isPicky || nodeAffinityPolicy === 'Ignore') && (nodeTaintsPolicy !== 'Honor' || nodeSet.topology.tainted === 0)
}

function hasKeys(node: NodeInfo, spreads: readonly Spread[]): boolean {
  for (const { constraint } of spreads) if (node.labels[constraint.topologyKey] === undefined) return false
  return true
}

function addCounts(
  counts: Map<string, number>,
  tally: Tally,
  constraint: TopologySpreadConstraint,
  pod: Pod,
  isCounted: (node: NodeInfo) => boolean,
): void {
  for (const [node, count] of tally.byNode) {
    const value = node.labels[constraint.topologyKey]
    if (value === undefined || !node.node || !isCounted(node) || !includes(constraint, pod, node)) continue
    counts.set(value, (counts.get(value) ?? 0) + count)
  }
}

/** Whether a node's pods count (KEP-3094): by default nodes that the pod's affinity excludes do not, whatever their taints. */
function includes({ nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint, pod: Pod, { node, taints }: NodeInfo): boolean {
  if (nodeAffinityPolicy !== 'Ignore' && !matchesRequiredAffinity(pod.spec, node!)) return false
  return nodeTaintsPolicy !== 'Honor' || firstUntolerated(taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined
}
