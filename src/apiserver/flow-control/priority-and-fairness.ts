import type { Clock } from '#base/time/clock.ts'
import type { PriorityLevelConfiguration } from '#kinds/flowcontrol/v1/priority-level-configuration.ts'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import { type Flow, FlowClassifier } from './flow-classifier.ts'
import { PriorityLevel } from './priority-level.ts'
import { type Admitted, type Arrival, type RequestGate, TooManyRequests } from './request-gate.ts'
import { adjustedSeats, seatBounds } from './seat-limits.ts'
import { type Loop, Turns } from './turns.ts'

export interface FairnessOptions {
  readonly clock: Clock
  readonly loop: Loop
  readonly schemas: WatchCache
  readonly levels: WatchCache
  /** How many requests the server works on at a time: `--max-requests-inflight` and `--max-mutating-requests-inflight` together. */
  readonly totalSeats: number
}

/** Where a request belongs. */
interface Place {
  readonly flow: Flow
  /** Undefined while the server has no levels yet. */
  readonly level: PriorityLevel | undefined
  readonly headers: Readonly<Record<string, string>>
  /** How the flow takes turns. */
  readonly taker: { readonly level: string; readonly shares: number; readonly flow: string }
}

/** How long a request may wait for a seat: a quarter of the minute it has, as upstream. */
const WAIT_MS = 15_000
const ADJUST_MS = 10_000

/**
 * API Priority and Fairness (KEP-1040): every request belongs to a flow, a flow to a priority level, and a level has seats. Who finds none
 * waits in a queue that flows share by fair turns, or is turned away with 429. On top of it the one thread is shared out by {@link Turns}.
 *
 * Levels and schemas are followed in the caches; seats are lent between levels every ten seconds while there are requests.
 */
export class PriorityAndFairness implements RequestGate {
  readonly #options: FairnessOptions
  readonly #classifier: FlowClassifier
  readonly #turns: Turns
  #levels: ReadonlyMap<string, PriorityLevel> = new Map()
  #places = new WeakMap<Flow, Place>()
  #state: unknown
  #adjustedMs: number

  constructor(options: FairnessOptions) {
    this.#options = options
    this.#classifier = new FlowClassifier(options.schemas)
    this.#turns = new Turns({ monotonic: () => options.clock.monotonic(), loop: options.loop })
    this.#adjustedMs = options.clock.monotonic()
  }

  /** The levels as they are now, for metrics and for people. */
  levels(): Iterable<PriorityLevel> {
    this.#refresh(this.#options.clock.monotonic())
    return this.#levels.values()
  }

  enter(arrival: Arrival): Admitted | Promise<Admitted> {
    const { clock } = this.#options
    const nowMs = clock.monotonic()
    this.#refresh(nowMs)
    const place = this.#placeOf(arrival)
    const { flow, level, headers } = place
    if (!level) return { headers, leave: () => undefined }
    if (level.isExempt) return exempted(level, headers)
    const seats = Math.min(arrival.seats(), Math.max(1, level.queues.limit))
    let begin: (() => void) | undefined
    const request = level.queues.enter(flow.name, seats, nowMs, () => begin?.())
    if (!request) {
      level.reject(level.queuing.queues > 0 ? 'queue-full' : 'concurrency-limit')
      throw new TooManyRequests(headers)
    }
    level.demand.add(seats, nowMs)
    const admitted: Admitted = {
      headers,
      leave: () => {
        const endMs = clock.monotonic()
        level.demand.add(-seats, endMs)
        level.queues.leave(request, endMs)
      },
    }
    if (!request.start) return this.#inTurn(place, admitted)
    return new Promise<void>((resolve, reject) => {
      const giveUp = (reason: 'time-out' | 'cancelled') => {
        if (!request.start) return
        request.start = undefined
        timer.cancel()
        level.queues.giveUp(request)
        level.demand.add(-seats, clock.monotonic())
        level.reject(reason)
        reject(new TooManyRequests(headers))
      }
      const timer = clock.after(WAIT_MS, () => giveUp('time-out'))
      begin = () => {
        timer.cancel()
        resolve()
      }
      arrival.onAbort(() => giveUp('cancelled'))
    }).then(() => this.#inTurn(place, admitted))
  }

  /** A request that has its seat waits for the thread, if that is busy. */
  #inTurn({ level, taker }: Place, admitted: Admitted): Admitted | Promise<Admitted> {
    level!.counts.dispatched++
    let go: (() => void) | undefined
    if (this.#turns.enter(taker, () => go?.())) return admitted
    return new Promise(resolve => {
      go = () => resolve(admitted)
    })
  }

  #placeOf(arrival: Arrival): Place {
    const flow = this.#classifier.flowOf(arrival)
    let place = this.#places.get(flow)
    if (!place) {
      const level = this.#levels.get(flow.level) ?? this.#levels.get('catch-all')
      const headers = {
        'x-kubernetes-pf-flowschema-uid': flow.schemaUid,
        'x-kubernetes-pf-prioritylevel-uid': level?.uid ?? '',
      }
      const taker = { level: level?.name ?? '', shares: level?.weight ?? 1, flow: flow.name }
      place = { flow, level, headers: flow.schema === '' ? {} : headers, taker }
      this.#places.set(flow, place)
    }
    return place
  }

  /** Takes up what changed in the configuration, and lends seats from time to time. */
  #refresh(nowMs: number): void {
    const { objects } = this.#options.levels.snapshot()
    if (objects !== this.#state) {
      this.#state = objects
      this.#configure(objects.values() as unknown as PriorityLevelConfiguration[], nowMs)
    } else if (nowMs - this.#adjustedMs >= ADJUST_MS) this.#adjust(nowMs)
  }

  #configure(configurations: readonly PriorityLevelConfiguration[], nowMs: number): void {
    const levels = configurations.map(one => new PriorityLevel(one, nowMs, this.#levels.get(one.metadata.name ?? '')))
    const bounds = seatBounds(
      levels.map(({ shares }) => shares),
      this.#options.totalSeats,
    )
    for (const [index, level] of levels.entries()) {
      level.bounds = bounds[index]!
      level.queues.limit = level.bounds.nominal
    }
    this.#levels = new Map(levels.map(level => [level.name, level]))
    this.#places = new WeakMap()
    for (const level of levels) level.queues.dispatch(nowMs)
  }

  #adjust(nowMs: number): void {
    this.#adjustedMs = nowMs
    const levels = [...this.#levels.values()]
    const demands = levels.map(({ bounds, demand }) => ({ bounds, ...demand.take(nowMs) }))
    for (const [index, seats] of adjustedSeats(demands, this.#options.totalSeats).entries()) {
      levels[index]!.queues.limit = seats
      levels[index]!.queues.dispatch(nowMs)
    }
  }
}

function exempted({ counts }: PriorityLevel, headers: Admitted['headers']): Admitted {
  counts.exempt++
  counts.dispatched++
  return { headers, leave: () => void counts.exempt-- }
}
