import type { TopologySpreadConstraint } from '#kinds/core/v1/topology-spread-constraint.ts'
import type { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { TrialState } from '../framework/scheduling-cycle.ts'

/** A constraint, ready to be counted by. */
export interface Spread {
  readonly constraint: TopologySpreadConstraint
  /** With the requirements that `matchLabelKeys` stands for. */
  readonly selector: LabelSelector
  /** Whether the pod itself counts. */
  readonly counts: boolean
}

/** The domains of a constraint and the matching pods in them. */
export interface DomainView {
  /** How many domains there are, those without pods too. */
  readonly size: number
  /** The domain of each node by its place; -1 where it has none. */
  readonly ofNodes: Int32Array
  /** How many pods each domain has, as far as any has. */
  readonly counts: readonly number[]
  /** The lowest of these counts but zero; undefined if there are none. */
  lowest(): number | undefined
  /** How many domains have any. */
  readonly filled: number
}

/** A hard constraint while a pod is placed. Hot: bench/scheduler. */
export class HardSpread {
  readonly spread: Spread
  readonly maxSkew: number
  readonly #view: DomainView
  readonly #self: number
  /** By domain. */
  readonly #changes: Map<number, number>
  #lowest: number | undefined

  constructor(spread: Spread, view: DomainView, changes?: ReadonlyMap<number, number>) {
    this.spread = spread
    this.maxSkew = spread.constraint.maxSkew
    this.#view = view
    this.#self = spread.counts ? 1 : 0
    this.#changes = new Map(changes)
  }

  /** How far the node's domain would be above the emptiest one with the pod in it; undefined if it is in none. */
  skewOn({ place }: NodeInfo): number | undefined {
    const { ofNodes, counts } = this.#view
    const domain = ofNodes[place]!
    if (domain < 0) return undefined
    this.#lowest ??= this.#findLowest()
    const count = domain < counts.length ? counts[domain]! : 0
    return count + (this.#changes.size > 0 ? (this.#changes.get(domain) ?? 0) : 0) + this.#self - this.#lowest
  }

  change({ place }: NodeInfo, amount: number): void {
    const domain = this.#view.ofNodes[place]!
    if (domain < 0) return
    this.#changes.set(domain, (this.#changes.get(domain) ?? 0) + amount)
    this.#lowest = undefined
  }

  copy(): HardSpread {
    return new HardSpread(this.spread, this.#view, this.#changes)
  }

  #findLowest(): number {
    const { size, counts } = this.#view
    if (size === 0 || size < (this.spread.constraint.minDomains ?? 1)) return 0
    if (this.#changes.size === 0) return this.#view.filled < size ? 0 : (this.#view.lowest() ?? 0)
    let lowest = Number.POSITIVE_INFINITY
    let seen = 0
    for (let domain = 0; domain < counts.length; domain++) {
      const count = counts[domain]! + (this.#changes.get(domain) ?? 0)
      if (count === 0) continue
      seen++
      lowest = Math.min(lowest, count)
    }
    for (const [domain, change] of this.#changes) {
      if (domain < counts.length || change === 0) continue
      seen++
      lowest = Math.min(lowest, change)
    }
    return seen < size ? 0 : lowest
  }
}

/** The hard constraints of a pod while it is placed. */
export class SpreadState implements TrialState {
  readonly spreads: readonly HardSpread[]

  constructor(spreads: readonly HardSpread[]) {
    this.spreads = spreads
  }

  copy(): SpreadState {
    return new SpreadState(this.spreads.map(spread => spread.copy()))
  }
}
