import type { Admitted, Arrival, RequestGate } from './request-gate.ts'
import { TooManyRequests } from './request-gate.ts'

/**
 * Counts requests under way and refuses those beyond a limit, reads and writes apart: the gate of a server without priority and fairness
 * (`--enable-priority-and-fairness=false`).
 */
export class Inflight implements RequestGate {
  readonly #limits: { readonly reads: number; readonly writes: number }
  readonly #current = { reads: 0, writes: 0 }

  /** 0 is no limit. */
  constructor(limits: { readonly reads: number; readonly writes: number }) {
    this.#limits = limits
  }

  enter({ verb, user }: Arrival): Admitted {
    const sort = READS.has(verb) ? 'reads' : 'writes'
    const limit = this.#limits[sort]
    if (limit > 0 && this.#current[sort] >= limit && !user.groups.includes('system:masters')) throw new TooManyRequests()
    this.#current[sort]++
    return { headers: {}, leave: () => void this.#current[sort]-- }
  }
}

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head'])
