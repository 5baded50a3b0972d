import type { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from './node-info.ts'
import type { AffinityTerm, NamespaceLabels, PodInfo } from './pod-info.ts'
import { SelectorIndex } from './selector-index.ts'
import { Tally } from './tally.ts'
import type { Topology } from './topology.ts'

/** Terms of pods that are there, about pods that are to come: equal ones of many pods are one. */
export interface TermGroup {
  readonly term: AffinityTerm
  /** What the term is worth to those who have it: weights of preferences, negative ones of preferences against. */
  readonly weight: number
  /** Where the pods are that have the term. */
  readonly tally: Tally
}

/** Which of a pod's terms: those that forbid, those that require, those that prefer (or would rather not). */
export type TermSort = 'antiAffinity' | 'affinity' | 'preference'

/**
 * Counts of pods that scheduling asks for again and again, kept up as pods come and go: pods that a selector means, and pods that have a
 * term of (anti-)affinity.
 */
export interface PodTallies {
  /** Where the pods of a namespace are that `selector` means; those being deleted do not count. */
  selected(namespace: string, selector: LabelSelector): Tally
  /** Where the pods are that all `terms` are about. */
  meantBy(terms: readonly AffinityTerm[]): Tally
  /** The terms of that sort of pods that are there, which are about `pod`. */
  about(pod: PodInfo, sort: TermSort): readonly TermGroup[]
  /** Whether any pod has a term of that sort. */
  hasTerms(sort: TermSort): boolean
}

/** How many selectors are counted for; the one not asked for the longest is dropped. */
const LIMIT = 1_024

interface Counter {
  readonly key: string
  readonly namespaces: ReadonlySet<string> | undefined
  readonly selector: LabelSelector
  readonly tally: Tally
  means(pod: PodInfo): boolean
}

interface Group extends TermGroup {
  readonly key: string
  readonly namespaces: ReadonlySet<string> | undefined
  readonly selector: LabelSelector
}

export class CountedPods implements PodTallies {
  readonly #topology: Topology
  readonly #labelsOf: NamespaceLabels
  readonly #nodes: () => Iterable<NodeInfo>
  readonly #counters = new Map<string, Counter>()
  readonly #counterIndex = new SelectorIndex<Counter>()
  readonly #groups: Readonly<Record<TermSort, Map<string, Group>>> = { antiAffinity: new Map(), affinity: new Map(), preference: new Map() }
  readonly #groupIndex: Readonly<Record<TermSort, SelectorIndex<Group>>> = {
    antiAffinity: new SelectorIndex(),
    affinity: new SelectorIndex(),
    preference: new SelectorIndex(),
  }

  constructor(topology: Topology, labelsOf: NamespaceLabels, nodes: () => Iterable<NodeInfo>) {
    this.#topology = topology
    this.#labelsOf = labelsOf
    this.#nodes = nodes
  }

  selected(namespace: string, selector: LabelSelector): Tally {
    const key = `${namespace}\n${textOf(selector)}`
    return this.#counter(key, () => ({
      namespaces: new Set([namespace]),
      selector,
      means: pod =>
        pod.namespace === namespace && pod.pod.metadata.deletionTimestamp === undefined && selector.matches(pod.pod.metadata.labels),
    }))
  }

  meantBy(terms: readonly AffinityTerm[]): Tally {
    const key = terms.map(term => term.key).join('\n')
    return this.#counter(key, () => ({
      namespaces: terms[0]!.namespaces,
      selector: terms[0]!.selector,
      means: pod => terms.every(term => term.matches(pod.pod, this.#labelsOf)),
    }))
  }

  about(pod: PodInfo, sort: TermSort): TermGroup[] {
    const groups: TermGroup[] = []
    this.#groupIndex[sort].forEach(pod.namespace, pod.pod.metadata.labels, group => {
      if (group.term.matches(pod.pod, this.#labelsOf)) groups.push(group)
    })
    return groups
  }

  hasTerms(sort: TermSort): boolean {
    return this.#groups[sort].size > 0
  }

  /** `pod` came to (or went from) `node`. */
  count(pod: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    this.#counterIndex.forEach(pod.namespace, pod.pod.metadata.labels, counter => {
      if (counter.means(pod)) counter.tally.add(node, sign)
    })
    if (!pod.hasTerms) return
    for (const term of pod.antiAffinity) this.#countTerm('antiAffinity', term, 0, node, sign)
    for (const term of pod.affinity) this.#countTerm('affinity', term, 0, node, sign)
    for (const { term, weight } of pod.preferredAffinity) this.#countTerm('preference', term, weight, node, sign)
    for (const { term, weight } of pod.preferredAntiAffinity) this.#countTerm('preference', term, -weight, node, sign)
  }

  /** The labels of a namespace changed: what was counted by them is void. */
  forgetNamespaces(): void {
    for (const counter of this.#counters.values()) if (!counter.namespaces) this.#drop(counter)
  }

  #countTerm(sort: TermSort, term: AffinityTerm, weight: number, node: NodeInfo, sign: 1 | -1): void {
    const groups = this.#groups[sort]
    const key = `${weight}\n${term.topologyKey}\n${term.key}`
    let group = groups.get(key)
    if (!group) {
      group = { key, term, weight, tally: new Tally(this.#topology), namespaces: term.namespaces, selector: term.selector }
      groups.set(key, group)
      this.#groupIndex[sort].add(group)
    }
    group.tally.add(node, sign)
    if (!group.tally.isEmpty) return
    groups.delete(key)
    this.#groupIndex[sort].remove(group)
  }

  #counter(key: string, make: () => Omit<Counter, 'key' | 'tally'>): Tally {
    const known = this.#counters.get(key)
    if (known) {
      this.#counters.delete(key)
      this.#counters.set(key, known)
      return known.tally
    }
    const counter: Counter = { ...make(), key, tally: new Tally(this.#topology) }
    for (const node of this.#nodes()) {
      let count = 0
      for (const pod of node.pods.values()) if (counter.means(pod)) count++
      if (count > 0) counter.tally.add(node, count)
    }
    this.#counters.set(key, counter)
    this.#counterIndex.add(counter)
    if (this.#counters.size > LIMIT) this.#drop(this.#counters.values().next().value!)
    return counter.tally
  }

  #drop(counter: Counter): void {
    this.#counters.delete(counter.key)
    this.#counterIndex.remove(counter)
  }
}

function textOf(selector: LabelSelector): string {
  return selector.isNothing ? '!' : selector.toString()
}
