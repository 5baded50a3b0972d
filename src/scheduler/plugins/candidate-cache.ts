import type { NodeInfo } from '../cache/node-info.ts'
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

class KnownCandidates {
  readonly #byNode = new WeakMap<NodeInfo, { readonly version: number; readonly candidate: Candidate | undefined }>()

  of(node: NodeInfo, find: () => Candidate | undefined): Candidate | undefined {
    const known = this.#byNode.get(node)
    if (known?.version === node.version) return known.candidate
    const candidate = find()
    this.#byNode.set(node, { version: node.version, candidate })
    return candidate
  }
}
