import type { Clock } from '#base/time/clock.ts'
import { EmbeddedStore, type Retention } from '../embedded/embedded-store.ts'
import { History } from '../embedded/history.ts'
import { seedOf } from '../embedded/seed.ts'
import type { State } from '../embedded/state.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

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

  /** A store with the keys and revisions of a snapshot, whose leases live `leaseSeconds` anew. Its history begins there. */
  static of(snapshot: Snapshot, leaseSeconds: number, options: MemoryStoreOptions): MemoryStore {
    const { state } = seedOf(snapshot, leaseSeconds)
    return new MemoryStore(options, { state, history: new History(state, snapshot.revision) })
  }

  /** Another store that has the same keys and the same past, and goes its own way from here. Shares everything with this one until then. */
  fork(options: Partial<MemoryStoreOptions> = {}): MemoryStore {
    const { clock, retention } = this.options
    return new MemoryStore({ clock, retention, ...options }, { state: this.state, history: this.history.fork() })
  }
}
