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
  #builtAt = 0

  changed(): void {
    this.version++
  }

  /** The values of `key` among `nodes`, which are all nodes, and how many nodes have each. */
  values(key: string, nodes: readonly NodeInfo[]): ReadonlyMap<string, number> {
    if (this.#builtAt !== this.version) {
      this.#byKey.clear()
      this.#builtAt = this.version
    }
    let values = this.#byKey.get(key)
    if (!values) {
      values = valuesOf(key, nodes)
      this.#byKey.set(key, values)
    }
    return values
  }

  /** Whether every node has the label. */
  isEverywhere(key: string, nodes: readonly NodeInfo[]): boolean {
    let count = 0
    for (const having of this.values(key, nodes).values()) count += having
    return count === nodes.length
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
