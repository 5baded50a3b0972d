import { matchesRequiredAffinity } from '#kinds/core/v1/node-selector.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { firstUntolerated } from '#kinds/core/v1/toleration.facts.ts'
import type { TopologySpreadConstraint } from '#kinds/core/v1/topology-spread-constraint.ts'
import { LabelSelector, requirement } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { SchedulingCycle } from '../framework/scheduling-cycle.ts'
import { MAX_SCORE } from './normalize.ts'

const NAME = 'PodTopologySpread'
const MISSING: Refusal = {
  plugin: NAME,
  code: 'unresolvable',
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
}
const SKEWED: Refusal = { plugin: NAME, code: 'unschedulable', reasons: ["node(s) didn't match pod topology spread constraints"] }

/** A constraint, ready to be counted by. */
interface Spread {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: LabelSelector
  readonly constraint: TopologySpreadConstraint
  /** Whether the pod itself counts. */
  readonly counts: boolean
}

interface Counted {
  readonly spread: Spread
  /** Matching pods by the value of the topology key. */
  readonly domains: Map<string, number>
  lowest: number
}

/** What counts as spread for pods that do not say (upstream's system defaults): softly over nodes and zones. */
const SYSTEM_DEFAULTS: readonly { readonly topologyKey: string; readonly maxSkew: number }[] = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
]

/** Which pods belong together with a pod that has no constraints of its own: what its Services and controllers select. */
export type DefaultSelector = (pod: Pod) => LabelSelector | undefined

/** Spreads pods over domains of the topology (KEP-895), as hard or as soft constraints. */
export function podTopologySpread(defaultSelector: DefaultSelector): SchedulerPlugin {
  return {
    name: NAME,
    wakesOn: ['node added', 'node removed', 'node labels changed', 'node taints changed', 'pod added', 'pod removed', 'pod labels changed'],
    preFilter(cycle) {
      const spreads = spreadsOf(cycle.pod, 'DoNotSchedule')
      if (spreads.length === 0) return { skip: true }
      cycle.state.set(NAME, count(cycle, spreads, cycle.nodeSet.nodes, true))
      return undefined
    },
    filter({ state }, node) {
      for (const { spread, domains, lowest } of state.get(NAME) as readonly Counted[]) {
        const value = node.labels[spread.topologyKey]
        if (value === undefined) return MISSING
        const skew = (domains.get(value) ?? 0) + (spread.counts ? 1 : 0) - lowest
        if (skew > spread.maxSkew) return SKEWED
      }
      return undefined
    },
    preScore(cycle, nodes) {
      const own = spreadsOf(cycle.pod, 'ScheduleAnyway')
      const isDefault = own.length === 0 && (cycle.pod.spec.topologySpreadConstraints ?? []).length === 0
      const spreads = isDefault ? defaultSpreads(cycle.pod, defaultSelector) : own
      if (spreads.length === 0) return false
      cycle.state.set(`${NAME} soft`, { counted: count(cycle, spreads, nodes, false), required: !isDefault })
      return true
    },
    score({ state }, node) {
      const { counted, required } = state.get(`${NAME} soft`) as { counted: readonly Counted[]; required: boolean }
      let sum = 0
      for (const { spread, domains } of counted) {
        const value = node.labels[spread.topologyKey]
        if (value === undefined) {
          if (required) return Number.NaN
          continue
        }
        sum += (domains.get(value) ?? 0) * Math.log(domains.size + 2) + (spread.maxSkew - 1)
      }
      return Math.round(sum)
    },
    normalize(_cycle, scores) {
      const known = [...scores].filter(score => !Number.isNaN(score))
      const highest = Math.max(...known, 0)
      const lowest = Math.min(...known, highest)
      for (let index = 0; index < scores.length; index++) {
        const score = scores[index]!
        if (Number.isNaN(score)) scores[index] = 0
        else scores[index] = highest === 0 ? MAX_SCORE : Math.floor((MAX_SCORE * (highest + lowest - score)) / highest)
      }
    },
  }
}

function spreadsOf(pod: Pod, whenUnsatisfiable: TopologySpreadConstraint['whenUnsatisfiable']): Spread[] {
  return (pod.spec.topologySpreadConstraints ?? []).flatMap(constraint => {
    if (constraint.whenUnsatisfiable !== whenUnsatisfiable) return []
    const own = LabelSelector.ofObject(constraint.labelSelector)
    const labels = pod.metadata.labels ?? {}
    const same = (constraint.matchLabelKeys ?? []).flatMap(key => (labels[key] === undefined ? [] : [requirement(key, '=', [labels[key]])]))
    const selector = same.length === 0 ? own : new LabelSelector([...own.requirements, ...same], own.isNothing)
    const { topologyKey, maxSkew, minDomains = 1 } = constraint
    return [{ topologyKey, maxSkew, minDomains, selector, constraint, counts: selector.matches(labels) }]
  })
}

function defaultSpreads(pod: Pod, defaultSelector: DefaultSelector): Spread[] {
  const selector = defaultSelector(pod)
  if (!selector) return []
  return SYSTEM_DEFAULTS.map(({ topologyKey, maxSkew }) => ({
    topologyKey,
    maxSkew,
    minDomains: 1,
    selector,
    constraint: { topologyKey, maxSkew, whenUnsatisfiable: 'ScheduleAnyway' },
    counts: selector.matches(pod.metadata.labels),
  }))
}

/** Counts matching pods per domain. Domains come from `candidates`; pods are counted on every node of these domains that the constraint includes. */
function count({ pod, nodeSet }: SchedulingCycle, spreads: readonly Spread[], candidates: readonly NodeInfo[], isHard: boolean): Counted[] {
  const namespace = pod.metadata.namespace
  const hasAllKeys = (node: NodeInfo) => spreads.every(spread => node.labels[spread.topologyKey] !== undefined)
  return spreads.map(spread => {
    const domains = new Map<string, number>()
    for (const node of candidates) {
      const value = node.labels[spread.topologyKey]
      if (value !== undefined && (!isHard || (hasAllKeys(node) && includes(spread.constraint, pod, node)))) domains.set(value, 0)
    }
    for (const node of nodeSet.nodes) {
      const value = node.labels[spread.topologyKey]
      if (value === undefined || !domains.has(value) || node.pods.size === 0 || !includes(spread.constraint, pod, node)) continue
      let matching = 0
      for (const other of node.pods.values()) {
        if (
          other.namespace === namespace &&
          other.pod.metadata.deletionTimestamp === undefined &&
          spread.selector.matches(other.pod.metadata.labels)
        )
          matching++
      }
      domains.set(value, domains.get(value)! + matching)
    }
    const lowest = domains.size < spread.minDomains ? 0 : Math.min(...domains.values())
    return { spread, domains, lowest: Number.isFinite(lowest) ? lowest : 0 }
  })
}

/** Whether a node's pods count (KEP-3094): by default nodes that the pod's affinity excludes do not, whatever their taints. */
function includes({ nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint, pod: Pod, { node, taints }: NodeInfo): boolean {
  if (nodeAffinityPolicy !== 'Ignore' && !matchesRequiredAffinity(pod.spec, node!)) return false
  return nodeTaintsPolicy !== 'Honor' || firstUntolerated(taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined
}
