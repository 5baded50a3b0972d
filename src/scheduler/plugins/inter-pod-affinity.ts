import type { NodeInfo } from '../cache/node-info.ts'
import type { AffinityTerm, NamespaceLabels, PodInfo, WeightedTerm } from '../cache/pod-info.ts'
import type { ClusterChange, Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { SchedulingCycle } from '../framework/scheduling-cycle.ts'
import { MAX_SCORE } from './normalize.ts'

const refusal = (code: Refusal['code'], reason: string): Refusal => ({ plugin: 'InterPodAffinity', code, reasons: [reason] })
const AFFINITY = refusal('unresolvable', "node(s) didn't match pod affinity rules")
const ANTI_AFFINITY = refusal('unschedulable', "node(s) didn't match pod anti-affinity rules")
const EXISTING_ANTI_AFFINITY = refusal('unschedulable', "node(s) didn't satisfy existing pods anti-affinity rules")

/** How many pods (or how much weight) stands in each domain: by `<topology key>=<value>`. */
type DomainCounts = Map<string, number>

interface FilterState {
  /** Domains in which a pod that runs there forbids this one. */
  readonly forbidden: DomainCounts
  readonly affinity: DomainCounts
  readonly antiAffinity: DomainCounts
}

const NAME = 'InterPodAffinity'
/** What a hard affinity of a running pod counts for when this pod matches it (`hardPodAffinityWeight`). */
const HARD_AFFINITY_WEIGHT = 1

/** Places pods by what runs beside them: affinity and anti-affinity between pods, by topology domain. */
export function interPodAffinity(labelsOf: NamespaceLabels): SchedulerPlugin {
  return {
    name: NAME,
    wakesOn: [
      'node added',
      'node labels changed',
      { event: 'pod added', helps: (pod, change) => concerns(pod.affinity, change, labelsOf) },
      { event: 'pod labels changed', helps: (pod, change) => concerns([...pod.affinity, ...pod.antiAffinity], change, labelsOf) },
      'pod removed',
    ],
    preFilter(cycle) {
      const state = filterState(cycle, labelsOf)
      if (!state) return { skip: true }
      cycle.state.set(NAME, state)
      return undefined
    },
    filter({ info, state, pod }, node) {
      const { forbidden, affinity, antiAffinity } = state.get(NAME) as FilterState
      if (info.affinity.length > 0 && !satisfies(info, affinity, node, () => matchesAll(info.affinity, pod, labelsOf))) return AFFINITY
      if (info.antiAffinity.some(term => countAt(antiAffinity, term.topologyKey, node) > 0)) return ANTI_AFFINITY
      if (forbidden.size > 0) {
        for (const [key, value] of Object.entries(node.labels)) if (forbidden.has(`${key}=${value}`)) return EXISTING_ANTI_AFFINITY
      }
      return undefined
    },
    preScore(cycle) {
      const weights = domainWeights(cycle, labelsOf)
      cycle.state.set(`${NAME} weights`, weights)
      return weights.size > 0
    },
    score({ state }, node) {
      const weights = state.get(`${NAME} weights`) as DomainCounts
      let sum = 0
      for (const [domain, weight] of weights) {
        const at = domain.indexOf('=')
        if (node.labels[domain.slice(0, at)] === domain.slice(at + 1)) sum += weight
      }
      return sum
    },
    normalize(_cycle, scores) {
      const lowest = Math.min(...scores)
      const range = Math.max(...scores) - lowest
      for (let index = 0; index < scores.length; index++)
        scores[index] = range === 0 ? 0 : Math.floor((MAX_SCORE * (scores[index]! - lowest)) / range)
    },
  }
}

/** Undefined if neither this pod nor any other has a rule that matters. */
function filterState({ info, pod, nodeSet }: SchedulingCycle, labelsOf: NamespaceLabels): FilterState | undefined {
  const forbidden: DomainCounts = new Map()
  for (const node of nodeSet.withRequiredAntiAffinity) {
    for (const other of node.pods.values()) {
      for (const term of other.antiAffinity) if (term.matches(pod, labelsOf)) countIn(forbidden, term.topologyKey, node, 1)
    }
  }
  if (forbidden.size === 0 && info.affinity.length === 0 && info.antiAffinity.length === 0) return undefined
  const affinity: DomainCounts = new Map()
  const antiAffinity: DomainCounts = new Map()
  if (info.affinity.length > 0 || info.antiAffinity.length > 0) {
    for (const node of nodeSet.nodes) {
      for (const other of node.pods.values()) {
        if (info.affinity.length > 0 && matchesAll(info.affinity, other.pod, labelsOf)) {
          for (const term of info.affinity) countIn(affinity, term.topologyKey, node, 1)
        }
        for (const term of info.antiAffinity) if (term.matches(other.pod, labelsOf)) countIn(antiAffinity, term.topologyKey, node, 1)
      }
    }
  }
  return { forbidden, affinity, antiAffinity }
}

/** Every term is met in the node's domain. The first pod of a group that has affinity to itself may go anywhere that has the domains. */
function satisfies(pod: PodInfo, counts: DomainCounts, node: NodeInfo, isFirstOfItsKind: () => boolean): boolean {
  let met = true
  for (const { topologyKey } of pod.affinity) {
    if (node.labels[topologyKey] === undefined) return false
    if (countAt(counts, topologyKey, node) === 0) met = false
  }
  return met || (counts.size === 0 && isFirstOfItsKind())
}

function matchesAll(terms: readonly AffinityTerm[], pod: PodInfo['pod'], labelsOf: NamespaceLabels): boolean {
  return terms.every(term => term.matches(pod, labelsOf))
}

/** The weight of each domain for this pod: by its own preferences, and by those of the pods that run. */
function domainWeights({ info, pod, nodeSet }: SchedulingCycle, labelsOf: NamespaceLabels): DomainCounts {
  const weights: DomainCounts = new Map()
  const hasPreferences = info.preferredAffinity.length + info.preferredAntiAffinity.length > 0
  const add = (terms: readonly WeightedTerm[], sign: 1 | -1, about: PodInfo['pod'], node: NodeInfo) => {
    for (const { weight, term } of terms) if (term.matches(about, labelsOf)) countIn(weights, term.topologyKey, node, sign * weight)
  }
  for (const node of hasPreferences ? nodeSet.nodes : nodeSet.withAffinity) {
    for (const other of node.pods.values()) {
      add(info.preferredAffinity, 1, other.pod, node)
      add(info.preferredAntiAffinity, -1, other.pod, node)
      for (const term of other.affinity) if (term.matches(pod, labelsOf)) countIn(weights, term.topologyKey, node, HARD_AFFINITY_WEIGHT)
      add(other.preferredAffinity, 1, pod, node)
      add(other.preferredAntiAffinity, -1, pod, node)
    }
  }
  return weights
}

function countIn(counts: DomainCounts, topologyKey: string, node: NodeInfo, amount: number): void {
  const value = node.labels[topologyKey]
  if (value === undefined) return
  const domain = `${topologyKey}=${value}`
  counts.set(domain, (counts.get(domain) ?? 0) + amount)
}

function countAt(counts: DomainCounts, topologyKey: string, node: NodeInfo): number {
  const value = node.labels[topologyKey]
  return value === undefined ? 0 : (counts.get(`${topologyKey}=${value}`) ?? 0)
}

function concerns(terms: readonly AffinityTerm[], { pod }: ClusterChange, labelsOf: NamespaceLabels): boolean {
  return pod === undefined || terms.some(term => term.matches(pod, labelsOf))
}
