import type { NodeInfo } from './node-info.ts'

/** The nodes by the values of their labels: which domains there are. Kept per key once someone asks. */
export class Topology {
  /** Goes up whenever a node comes, goes or changes its labels; what was computed of domains before is void. */
  version = 0
  /** How many nodes have a taint that keeps pods off. */
  tainted = 0
  /** How many have one that makes pods prefer others. */
  softlyTainted = 0
  /** How many are cordoned. */
  unschedulable = 0
  readonly #byKey = new Map<string, ReadonlyMap<string, number>>()
  readonly #numbered = new Map<string, NumberedDomains>()
  #builtAt = 0

  changed(): void {
    this.version++
  }

  /** The values of `key` among `nodes`, which are all nodes, and how many nodes have each. */
  values(key: string, nodes: readonly NodeInfo[]): ReadonlyMap<string, number> {
    this.#forgetOld()
    let values = this.#byKey.get(key)
    if (!values) {
      values = valuesOf(key, nodes)
      this.#byKey.set(key, values)
    }
    return values
  }

  /** The domains of `key`, numbered; void once the version changes. */
  numbered(key: string): NumberedDomains {
    this.#forgetOld()
    let domains = this.#numbered.get(key)
    if (!domains) {
      domains = new NumberedDomains(key)
      this.#numbered.set(key, domains)
    }
    return domains
  }

  /** Whether every node has the label. */
  isEverywhere(key: string, nodes: readonly NodeInfo[]): boolean {
    let count = 0
    for (const having of this.values(key, nodes).values()) count += having
    return count === nodes.length
  }

  #forgetOld(): void {
    if (this.#builtAt === this.version) return
    this.#byKey.clear()
    this.#numbered.clear()
    this.#builtAt = this.version
  }
}

/**
 * The domains of one topology key by numbers, so that what is counted in them is an array, and the domain of a node is found without its labels.
 *
 * Hot: bench/scheduler.
 */
export class NumberedDomains {
  readonly #key: string
  readonly #numbers = new Map<string, number>()
  #ofNodes: Int32Array | undefined

  constructor(key: string) {
    this.#key = key
  }

  numberOf(value: string): number {
    let number = this.#numbers.get(value)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(value, number)
    }
    return number
  }

  /** By the place of each of `nodes`, which are all nodes: the number of its domain; -1 where it has none. */
  ofNodes(nodes: readonly NodeInfo[]): Int32Array {
    this.#ofNodes ??= Int32Array.from(nodes, ({ labels }) => {
      const value = labels[this.#key]
      return value === undefined ? -1 : this.numberOf(value)
    })
    return this.#ofNodes
  }
}

function valuesOf(key: string, nodes: readonly NodeInfo[]): Map<string, number> {
  const values = new Map<string, number>()
  for (const { labels } of nodes) {
    const value = labels[key]
    if (value !== undefined) values.set(value, (values.get(value) ?? 0) + 1)
  }
  return values
}
