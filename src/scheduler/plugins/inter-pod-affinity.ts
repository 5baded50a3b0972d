import type { NodeInfo } from '../cache/node-info.ts'
import type { AffinityTerm, NamespaceLabels, PodInfo, WeightedTerm } from '../cache/pod-info.ts'
import type { Tally } from '../cache/tally.ts'
import type { ClusterChange, Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { NodeSet, SchedulingCycle, TrialState } from '../framework/scheduling-cycle.ts'
import { MAX_SCORE } from './normalize.ts'

const NAME = 'InterPodAffinity'
const WEIGHTS = `${NAME} weights`
const refusal = (code: Refusal['code'], reason: string): Refusal => ({ plugin: NAME, code, reasons: [reason] })
const AFFINITY = refusal('unresolvable', "node(s) didn't match pod affinity rules")
const ANTI_AFFINITY = refusal('unschedulable', "node(s) didn't match pod anti-affinity rules")
const EXISTING_ANTI_AFFINITY = refusal('unschedulable', "node(s) didn't satisfy existing pods anti-affinity rules")

/** Upstream's InterPodAffinityArgs. */
export interface InterPodAffinityArgs {
  /** What a required affinity of a pod that is there counts for, when this pod is what it asks for. */
  readonly hardPodAffinityWeight?: number | undefined
  /** Preferences of pods that are there do not count for pods that have none. */
  readonly ignorePreferredTermsOfExistingPods?: boolean | undefined
}

/** Pods counted by domain of one topology key, with what a trial changed. Hot: bench/scheduler. */
class Count {
  readonly topologyKey: string
  /** The domain of each node by its place. */
  readonly #domains: Int32Array
  /** By domain. As of now: a cycle is one step, in which nothing else counts. */
  readonly #counts: readonly number[]
  #changes: Map<number, number> | undefined

  constructor(topologyKey: string, domains: Int32Array, counts: readonly number[], changes?: ReadonlyMap<number, number>) {
    this.topologyKey = topologyKey
    this.#domains = domains
    this.#counts = counts
    this.#changes = changes && new Map(changes)
  }

  static of(topologyKey: string, tally: Tally, { topology, nodes }: NodeSet): Count {
    return new Count(topologyKey, topology.numbered(topologyKey).ofNodes(nodes), tally.domains(topologyKey).byNumber)
  }

  hasDomain({ place }: NodeInfo): boolean {
    return this.#domains[place]! >= 0
  }

  around({ place }: NodeInfo): number {
    const domain = this.#domains[place]!
    if (domain < 0) return 0
    const count = domain < this.#counts.length ? this.#counts[domain]! : 0
    return this.#changes ? count + (this.#changes.get(domain) ?? 0) : count
  }

  get isEmpty(): boolean {
    let total = 0
    for (const count of this.#counts) total += count
    if (this.#changes) for (const change of this.#changes.values()) total += change
    return total === 0
  }

  change({ place }: NodeInfo, amount: number): void {
    const domain = this.#domains[place]!
    if (domain < 0) return
    this.#changes ??= new Map()
    this.#changes.set(domain, (this.#changes.get(domain) ?? 0) + amount)
  }

  copy(): Count {
    return new Count(this.topologyKey, this.#domains, this.#counts, this.#changes)
  }
}

class FilterState implements TrialState {
  /** Where pods are that forbid this one, by term. */
  readonly forbidding: { readonly term: AffinityTerm; readonly count: Count }[]
  /** Where the pods are that all terms of affinity are about, by the topology key of each term. */
  readonly affinity: readonly Count[]
  readonly antiAffinity: readonly Count[]

  constructor(parts: Pick<FilterState, 'forbidding' | 'affinity' | 'antiAffinity'>) {
    this.forbidding = parts.forbidding
    this.affinity = parts.affinity
    this.antiAffinity = parts.antiAffinity
  }

  copy(): FilterState {
    return new FilterState({
      forbidding: this.forbidding.map(({ term, count }) => ({ term, count: count.copy() })),
      affinity: this.affinity.map(count => count.copy()),
      antiAffinity: this.antiAffinity.map(count => count.copy()),
    })
  }
}

/** What the nodes of each domain are worth: added up from several tallies. */
interface Weighing {
  /** The domain of each node by its place. */
  readonly domains: Int32Array
  /** By domain. */
  readonly counts: readonly number[]
  readonly weight: number
}

/**
 * Places pods by what runs beside them: affinity and anti-affinity between pods, by topology domain.
 *
 * Hot: bench/scheduler. Nothing here looks at other pods: they are counted as they come and go.
 */
export function interPodAffinity(labelsOf: NamespaceLabels, args: InterPodAffinityArgs = {}): SchedulerPlugin {
  const { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false } = args

  const changed = ({ info, pod, state }: SchedulingCycle, other: PodInfo, node: NodeInfo, sign: 1 | -1) => {
    const known = state.get(NAME) as FilterState | undefined
    if (!known) return
    if (known.affinity.length > 0 && matchesAll(info.affinity, other, labelsOf))
      for (const count of known.affinity) count.change(node, sign)
    info.antiAffinity.forEach((term, index) => {
      if (term.matches(other.pod, labelsOf)) known.antiAffinity[index]!.change(node, sign)
    })
    for (const term of other.antiAffinity) {
      if (!term.matches(pod, labelsOf)) continue
      known.forbidding.find(one => one.term.key === term.key && one.term.topologyKey === term.topologyKey)?.count.change(node, sign)
    }
  }

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
      const state = filterState(cycle)
      if (!state) return { skip: true }
      cycle.state.set(NAME, state)
      return undefined
    },
    addPod: (cycle, other, node) => changed(cycle, other, node, 1),
    removePod: (cycle, other, node) => changed(cycle, other, node, -1),
    filter({ info, state }, node) {
      const { forbidding, affinity, antiAffinity } = state.get(NAME) as FilterState
      if (affinity.length > 0 && !satisfies(affinity, node, () => matchesAll(info.affinity, info, labelsOf))) return AFFINITY
      for (let index = 0; index < antiAffinity.length; index++) if (antiAffinity[index]!.around(node) > 0) return ANTI_AFFINITY
      for (let index = 0; index < forbidding.length; index++) if (forbidding[index]!.count.around(node) > 0) return EXISTING_ANTI_AFFINITY
      return undefined
    },
    preScore(cycle) {
      const weighings = weighingsOf(cycle, hardPodAffinityWeight, ignorePreferredTermsOfExistingPods)
      cycle.state.set(WEIGHTS, weighings)
      return weighings.length > 0
    },
    score({ state }, node) {
      const weighings = state.get(WEIGHTS) as readonly Weighing[]
      let sum = 0
      for (let index = 0; index < weighings.length; index++) {
        const { domains, counts, weight } = weighings[index]!
        const domain = domains[node.place]!
        if (domain >= 0 && domain < counts.length) sum += weight * counts[domain]!
      }
      return sum
    },
    normalize(_cycle, scores) {
      let lowest = Number.POSITIVE_INFINITY
      let highest = Number.NEGATIVE_INFINITY
      for (const score of scores) {
        if (score < lowest) lowest = score
        if (score > highest) highest = score
      }
      const range = highest - lowest
      for (let index = 0; index < scores.length; index++)
        scores[index] = range > 0 ? Math.floor((MAX_SCORE * (scores[index]! - lowest)) / range) : 0
    },
  }
}

/** Undefined if neither this pod nor any other has a rule that matters. */
function filterState({ info, nodeSet }: SchedulingCycle): FilterState | undefined {
  const { tallies } = nodeSet
  const forbidding = tallies.hasTerms('antiAffinity') ? tallies.about(info, 'antiAffinity') : []
  if (forbidding.length === 0 && info.affinity.length === 0 && info.antiAffinity.length === 0) return undefined
  const friends = info.affinity.length > 0 ? tallies.meantBy(info.affinity) : undefined
  return new FilterState({
    forbidding: forbidding.map(({ term, tally }) => ({ term, count: Count.of(term.topologyKey, tally, nodeSet) })),
    affinity: friends ? info.affinity.map(({ topologyKey }) => Count.of(topologyKey, friends, nodeSet)) : [],
    antiAffinity: info.antiAffinity.map(term => Count.of(term.topologyKey, tallies.meantBy([term]), nodeSet)),
  })
}

/** Every term is met in the node's domain. The first pod of a group that has affinity to itself may go anywhere that has the domains. */
function satisfies(counts: readonly Count[], node: NodeInfo, isFirstOfItsKind: () => boolean): boolean {
  let met = true
  for (const count of counts) {
    if (!count.hasDomain(node)) return false
    if (met && count.around(node) === 0) met = false
  }
  return met || (counts.every(count => count.isEmpty) && isFirstOfItsKind())
}

function matchesAll(terms: readonly AffinityTerm[], { pod }: PodInfo, labelsOf: NamespaceLabels): boolean {
  return terms.every(term => term.matches(pod, labelsOf))
}

/** What weighs for this pod: its own preferences, and those of the pods that are there. */
function weighingsOf({ info, nodeSet }: SchedulingCycle, hardWeight: number, ignoreOthers: boolean): Weighing[] {
  const { tallies, topology, nodes } = nodeSet
  const weighings: Weighing[] = []
  const weigh = ({ topologyKey }: AffinityTerm, tally: Tally, weight: number) => {
    if (weight === 0 || tally.isEmpty) return
    const { counts, byNumber } = tally.domains(topologyKey)
    if (counts.size > 0) weighings.push({ domains: topology.numbered(topologyKey).ofNodes(nodes), counts: byNumber, weight })
  }
  const own = (terms: readonly WeightedTerm[], sign: 1 | -1) => {
    for (const { term, weight } of terms) weigh(term, tallies.meantBy([term]), sign * weight)
  }
  own(info.preferredAffinity, 1)
  own(info.preferredAntiAffinity, -1)
  const hasPreferences = info.preferredAffinity.length + info.preferredAntiAffinity.length > 0
  if (ignoreOthers && !hasPreferences) return weighings
  if (tallies.hasTerms('affinity')) for (const { term, tally } of tallies.about(info, 'affinity')) weigh(term, tally, hardWeight)
  if (tallies.hasTerms('preference')) for (const { term, tally, weight } of tallies.about(info, 'preference')) weigh(term, tally, weight)
  return weighings
}

function concerns(terms: readonly AffinityTerm[], { pod }: ClusterChange, labelsOf: NamespaceLabels): boolean {
  return pod === undefined || terms.some(term => term.matches(pod, labelsOf))
}
