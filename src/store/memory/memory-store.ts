import type { Clock } from '#base/time/clock.ts'
import { EmbeddedStore, type Retention } from '../embedded/embedded-store.ts'
import type { History } from '../embedded/history.ts'
import type { State } from '../embedded/state.ts'

export interface MemoryStoreOptions {
  readonly clock: Clock
  /** How much of the past is kept: five minutes and 10,000 revisions by default. */
  readonly retention?: Partial<Retention>
}

const RETENTION: Retention = { forMs: 5 * 60_000, revisions: 10_000 }

/** A store that ends with its process: for tests, simulations and trying things. A transaction has happened, and was delivered, when `txn` returns. */
export class MemoryStore extends EmbeddedStore {
  constructor(options: MemoryStoreOptions, past?: { readonly state: State; readonly history: History }) {
    super({
      engine: 'memory',
      clock: options.clock,
      retention: { ...RETENTION, ...options.retention },
      nextTurn: () => Promise.resolve(),
      ...past,
    })
  }

  /** Another store that has the same keys and the same past, and goes its own way from here. Shares everything with this one until then. */
  fork(options: Partial<MemoryStoreOptions> = {}): MemoryStore {
    const { clock, retention } = this.options
    return new MemoryStore({ clock, retention, ...options }, { state: this.state, history: this.history.fork() })
  }
}
