import type { NodeInfo } from './node-info.ts'
import type { NumberedDomains, Topology } from './topology.ts'

/** How many pods stand in each domain of a topology key; domains without any are not listed. */
export interface DomainCounts {
  readonly counts: ReadonlyMap<string, number>
  /** The same by the numbers of the domains; it may end before the last of them. */
  readonly byNumber: readonly number[]
  /** The lowest count of those listed; undefined if there are none. */
  lowest(): number | undefined
}

/**
 * How many pods of some sort are on each node, and in each domain: kept up as pods come and go.
 *
 * Hot: bench/scheduler. Counting anew would mean to look at every pod of the cluster for each pod that is placed.
 */
export class Tally {
  readonly #topology: Topology
  readonly #byNode = new Map<NodeInfo, number>()
  readonly #byKey = new Map<string, Domains>()
  #builtAt: number

  constructor(topology: Topology) {
    this.#topology = topology
    this.#builtAt = topology.version
  }

  get isEmpty(): boolean {
    return this.#byNode.size === 0
  }

  /** Only nodes with at least one. */
  get byNode(): ReadonlyMap<NodeInfo, number> {
    return this.#byNode
  }

  add(node: NodeInfo, amount: number): void {
    const count = (this.#byNode.get(node) ?? 0) + amount
    if (count === 0) this.#byNode.delete(node)
    else this.#byNode.set(node, count)
    if (this.#byKey.size === 0) return
    if (this.#isStale()) return
    for (const [key, domains] of this.#byKey) domains.add(node.labels[key], amount)
  }

  on(node: NodeInfo): number {
    return this.#byNode.get(node) ?? 0
  }

  /** How many are in the same domain as `node`. */
  around(node: NodeInfo, topologyKey: string): number {
    const value = node.labels[topologyKey]
    return value === undefined ? 0 : (this.domains(topologyKey).counts.get(value) ?? 0)
  }

  domains(topologyKey: string): DomainCounts {
    this.#isStale()
    let domains = this.#byKey.get(topologyKey)
    if (!domains) {
      domains = new Domains(this.#topology.numbered(topologyKey))
      for (const [node, count] of this.#byNode) domains.add(node.labels[topologyKey], count)
      this.#byKey.set(topologyKey, domains)
    }
    return domains
  }

  #isStale(): boolean {
    if (this.#builtAt === this.#topology.version) return false
    this.#byKey.clear()
    this.#builtAt = this.#topology.version
    return true
  }
}

class Domains implements DomainCounts {
  readonly counts = new Map<string, number>()
  readonly byNumber: number[] = []
  readonly #numbered: NumberedDomains
  /** How many domains have each count. */
  readonly #having: number[] = []

  constructor(numbered: NumberedDomains) {
    this.#numbered = numbered
  }

  add(value: string | undefined, amount: number): void {
    if (value === undefined) return
    const before = this.counts.get(value) ?? 0
    const after = before + amount
    const number = this.#numbered.numberOf(value)
    while (this.byNumber.length <= number) this.byNumber.push(0)
    this.byNumber[number] = after
    if (before > 0) this.#having[before]!--
    if (after > 0) {
      while (this.#having.length <= after) this.#having.push(0)
      this.#having[after]!++
      this.counts.set(value, after)
    } else this.counts.delete(value)
  }

  lowest(): number | undefined {
    for (let count = 1; count < this.#having.length; count++) if (this.#having[count]! > 0) return count
    return undefined
  }
}
