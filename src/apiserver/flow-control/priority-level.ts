import type { PriorityLevelConfiguration } from '#kinds/flowcontrol/v1/priority-level-configuration.ts'
import { QueueSet, type Queuing } from './queue-set.ts'
import { SeatDemand } from './seat-demand.ts'
import type { LevelShares, SeatBounds } from './seat-limits.ts'

/** Why a request was turned away, as upstream's metric names it. */
export type Rejection = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

const NO_QUEUES: Queuing = { queues: 0, handSize: 0, queueLengthLimit: 0 }
const NO_BOUNDS: SeatBounds = { nominal: 0, min: 0, max: 0 }

interface Counts {
  /** Exempt requests under way. */
  exempt: number
  dispatched: number
  readonly rejected: Map<Rejection, number>
}

/** A priority level at work: its seats, its queues, and what is counted of it. */
export class PriorityLevel {
  readonly name: string
  readonly uid: string
  readonly isExempt: boolean
  readonly shares: LevelShares
  readonly queues: QueueSet
  readonly demand: SeatDemand
  readonly queuing: Queuing
  readonly counts: Counts
  bounds = NO_BOUNDS

  /** `before`: the level as it was; what is under way goes on in it. */
  constructor(configuration: PriorityLevelConfiguration, nowMs: number, before?: PriorityLevel) {
    const { metadata, spec } = configuration
    const { limited, exempt } = spec
    this.name = metadata.name ?? ''
    this.uid = metadata.uid ?? ''
    this.isExempt = spec.type === 'Exempt'
    this.shares = {
      shares: (limited ?? exempt)?.nominalConcurrencyShares ?? 0,
      lendablePercent: (limited ?? exempt)?.lendablePercent ?? 0,
      borrowingLimitPercent: limited?.borrowingLimitPercent,
    }
    this.queuing = limited?.limitResponse?.queuing ?? NO_QUEUES
    this.queues = before?.queues.fits(this.queuing) ? before.queues : new QueueSet(this.queuing, 0)
    this.demand = before?.demand ?? new SeatDemand(nowMs)
    this.counts = before?.counts ?? { exempt: 0, dispatched: 0, rejected: new Map() }
  }

  /** The weight against other levels; a level without shares still gets a turn now and then. */
  get weight(): number {
    return Math.max(this.shares.shares, 1)
  }

  reject(reason: Rejection): void {
    const { rejected } = this.counts
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
  }
}
