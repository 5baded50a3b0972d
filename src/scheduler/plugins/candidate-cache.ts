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

interface Known {
  readonly version: number
  readonly coming: readonly PodInfo[]
  readonly candidate: Candidate | undefined
}

class KnownCandidates {
  readonly #byNode = new WeakMap<NodeInfo, Known>()

  /** `coming`: the pods nominated for the node, the same array as long as they are the same. */
  of(node: NodeInfo, coming: readonly PodInfo[], find: () => Candidate | undefined): Candidate | undefined {
    const known = this.#byNode.get(node)
    if (known?.version === node.version && known.coming === coming) return known.candidate
    const candidate = find()
    this.#byNode.set(node, { version: node.version, coming, candidate })
    return candidate
  }
}
