import type { TopologySpreadConstraint } from '#kinds/core/v1/topology-spread-constraint.ts'
import type { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { DomainCounts } from '../cache/tally.ts'
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
  readonly domains: DomainCounts
}

/** A hard constraint while a pod is placed. */
export class HardSpread {
  readonly spread: Spread
  readonly topologyKey: string
  readonly maxSkew: number
  readonly #view: DomainView
  readonly #changes: Map<string, number>
  #lowest: number | undefined

  constructor(spread: Spread, view: DomainView, changes?: ReadonlyMap<string, number>) {
    this.spread = spread
    this.topologyKey = spread.constraint.topologyKey
    this.maxSkew = spread.constraint.maxSkew
    this.#view = view
    this.#changes = new Map(changes)
  }

  /** How far the domain would be above the emptiest one with the pod in it. */
  skewWith(value: string): number {
    this.#lowest ??= this.#findLowest()
    const count = (this.#view.domains.counts.get(value) ?? 0) + (this.#changes.get(value) ?? 0)
    return count + (this.spread.counts ? 1 : 0) - this.#lowest
  }

  change({ labels }: NodeInfo, amount: number): void {
    const value = labels[this.topologyKey]
    if (value === undefined) return
    this.#changes.set(value, (this.#changes.get(value) ?? 0) + amount)
    this.#lowest = undefined
  }

  copy(): HardSpread {
    return new HardSpread(this.spread, this.#view, this.#changes)
  }

  #findLowest(): number {
    const { size, domains } = this.#view
    if (size === 0 || size < (this.spread.constraint.minDomains ?? 1)) return 0
    if (this.#changes.size === 0) return domains.counts.size < size ? 0 : (domains.lowest() ?? 0)
    let lowest = Number.POSITIVE_INFINITY
    let seen = 0
    for (const [value, count] of domains.counts) {
      seen++
      lowest = Math.min(lowest, count + (this.#changes.get(value) ?? 0))
    }
    for (const [value, change] of this.#changes) {
      if (domains.counts.has(value)) continue
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
