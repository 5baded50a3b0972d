import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Candidate } from './preemption.plan.ts'

/** How many shapes of pods are remembered. */
const SHAPES = 16

/** What nodes would give up for pods of one shape, as long as the nodes do not change. Hot: bench/scheduler (preemption). */
export class CandidateCache {
  readonly #shapes = new Map<string, KnownCandidates>()

  forShape(shape: string): KnownCandidates {
    const known = this.#shapes.get(shape) ?? new KnownCandidates()
    this.#shapes.delete(shape)
    this.#shapes.set(shape, known)
    if (this.#shapes.size > SHAPES) this.#shapes.delete(this.#shapes.keys().next().value!)
    return known
  }
}

/** What came of a node. */
interface Known {
  readonly version: number
  readonly coming: readonly PodInfo[]
  readonly candidate: Candidate | undefined
}

class KnownCandidates {
  /** By the places of the nodes; no two nodes ever have the same version. */
  readonly #known: (Known | undefined)[] = []

  /** `coming`: the pods nominated for the node, the same array as long as they are the same. Undefined if the node is to be looked at. */
  of(node: NodeInfo, coming: readonly PodInfo[]): Known | undefined {
    const known = this.#known[node.place]
    return known?.version === node.version && known.coming === coming ? known : undefined
  }

  remember(node: NodeInfo, coming: readonly PodInfo[], candidate: Candidate | undefined): void {
    this.#known[node.place] = { version: node.version, coming, candidate }
  }
}
