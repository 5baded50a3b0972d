import type { NodeInfo } from '../cache/node-info.ts'
import type { Refusal } from './plugin.ts'

/** Why nodes cannot take a pod, in the order in which they were looked at. Hot: bench/scheduler — most have the same few reasons. */
export class Refusals {
  readonly #nodes: NodeInfo[] = []
  readonly #reasons: Refusal[] = []

  add(node: NodeInfo, refusal: Refusal): void {
    this.#nodes.push(node)
    this.#reasons.push(refusal)
  }

  clear(): void {
    this.#nodes.length = 0
    this.#reasons.length = 0
  }

  get size(): number {
    return this.#nodes.length
  }

  of(node: NodeInfo): Refusal | undefined {
    const index = this.#nodes.indexOf(node)
    return index < 0 ? undefined : this.#reasons[index]
  }

  /** The nodes on which the eviction of other pods may help. */
  get resolvable(): NodeInfo[] {
    const nodes: NodeInfo[] = []
    for (let index = 0; index < this.#nodes.length; index++)
      if (this.#reasons[index]!.code === 'unschedulable') nodes.push(this.#nodes[index]!)
    return nodes
  }

  /** Each refusal once, with how many nodes have it. */
  get counts(): ReadonlyMap<Refusal, number> {
    const counts = new Map<Refusal, number>()
    let last: Refusal | undefined
    let run = 0
    for (const refusal of this.#reasons) {
      if (refusal === last) run++
      else {
        if (last) counts.set(last, (counts.get(last) ?? 0) + run)
        last = refusal
        run = 1
      }
    }
    if (last) counts.set(last, (counts.get(last) ?? 0) + run)
    return counts
  }

  *[Symbol.iterator](): Generator<readonly [NodeInfo, Refusal]> {
    for (let index = 0; index < this.#nodes.length; index++) yield [this.#nodes[index]!, this.#reasons[index]!]
  }
}
