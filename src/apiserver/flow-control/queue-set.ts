import { dealHand } from './shuffle-sharding.ts'

/** How many queues a level has, and how long they may grow: `limitResponse.queuing`. Zero queues: who finds no seat is turned away. */
export interface Queuing {
  readonly queues: number
  readonly handSize: number
  readonly queueLengthLimit: number
}

/** A request that has a seat or waits for one. */
export interface Seated {
  readonly seats: number
  readonly queue: Queue | undefined
  /** Called once it may begin; undefined once it has. */
  start: (() => void) | undefined
  startedMs: number
}

interface Queue {
  /** In seat-milliseconds: how much the queue has had. */
  virtualStart: number
  readonly waiting: Seated[]
  seatsInUse: number
}

/** What a request is taken to need until it has shown how long it takes, in milliseconds. */
const GUESS_MS = 3

/**
 * The seats of one priority level and the queues before them (KEP-1040, "Fair queuing for server requests"): a request sits down at once
 * while there is room and nobody waits; else it joins the shortest queue of its flow's hand, and a seat that comes free goes to the queue
 * that has had the least.
 */
export class QueueSet {
  /** How many seats there are; may change at any time, see {@link dispatch}. */
  limit: number
  readonly #queuing: Queuing
  readonly #queues: Queue[]
  readonly #hands = new Map<string, readonly number[]>()
  #virtualTime = 0
  #seatsInUse = 0
  #executing = 0
  #waiting = 0

  constructor(queuing: Queuing, limit: number) {
    this.#queuing = queuing
    this.limit = limit
    this.#queues = Array.from({ length: queuing.queues }, () => ({ virtualStart: 0, waiting: [], seatsInUse: 0 }))
  }

  get seatsInUse(): number {
    return this.#seatsInUse
  }

  get executing(): number {
    return this.#executing
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Whether a level whose configuration is `queuing` now can go on with this set. */
  fits(queuing: Queuing): boolean {
    const { queues, handSize, queueLengthLimit } = this.#queuing
    return queues === queuing.queues && handSize === queuing.handSize && queueLengthLimit === queuing.queueLengthLimit
  }

  /**
   * A request comes.
   *
   * @param start called when a waiting request may begin; never called if it may begin at once
   * @returns the request, seated if it has no `start` left; undefined if it is turned away
   */
  enter(flow: string, seats: number, nowMs: number, start: () => void): Seated | undefined {
    const queue = this.#queues.length > 0 ? this.#shortestOf(flow) : undefined
    const request: Seated = { seats, queue, start, startedMs: 0 }
    if (this.#waiting === 0 && this.#hasRoom(seats)) {
      if (queue) queue.virtualStart = Math.max(queue.virtualStart, this.#virtualTime)
      this.#seat(request, nowMs)
      request.start = undefined
      return request
    }
    if (!queue || queue.waiting.length >= this.#queuing.queueLengthLimit) return undefined
    if (queue.waiting.length === 0 && queue.seatsInUse === 0) queue.virtualStart = Math.max(queue.virtualStart, this.#virtualTime)
    queue.waiting.push(request)
    this.#waiting++
    return request
  }

  /** A waiting request gives up. */
  giveUp(request: Seated): void {
    const at = request.queue?.waiting.indexOf(request) ?? -1
    if (at < 0) return
    request.queue!.waiting.splice(at, 1)
    this.#waiting--
  }

  /** A seated request is done; its seats go to those who wait. */
  leave(request: Seated, nowMs: number): void {
    this.#seatsInUse -= request.seats
    this.#executing--
    if (request.queue) {
      request.queue.seatsInUse -= request.seats
      request.queue.virtualStart += request.seats * (nowMs - request.startedMs - GUESS_MS)
    }
    if (this.#waiting > 0) this.dispatch(nowMs)
  }

  /** Seats whoever has room; to be called when the limit has grown. */
  dispatch(nowMs: number): void {
    while (this.#waiting > 0) {
      const queue = this.#nextQueue()
      const request = queue.waiting[0]!
      if (!this.#hasRoom(request.seats)) return
      queue.waiting.shift()
      this.#waiting--
      this.#virtualTime = Math.max(this.#virtualTime, queue.virtualStart)
      this.#seat(request, nowMs)
      const { start } = request
      request.start = undefined
      start?.()
    }
  }

  /** For people: what waits in which queue. */
  *describe(): Iterable<{ readonly index: number; readonly waiting: number; readonly seatsInUse: number; readonly virtualStart: number }> {
    for (const [index, { waiting, seatsInUse, virtualStart }] of this.#queues.entries()) {
      yield { index, waiting: waiting.length, seatsInUse, virtualStart }
    }
  }

  #seat(request: Seated, nowMs: number): void {
    this.#seatsInUse += request.seats
    this.#executing++
    request.startedMs = nowMs
    if (!request.queue) return
    request.queue.seatsInUse += request.seats
    request.queue.virtualStart += request.seats * GUESS_MS
  }

  /** A request that needs more than all seats gets them when it is alone. */
  #hasRoom(seats: number): boolean {
    return this.#seatsInUse + seats <= this.limit || (this.#seatsInUse === 0 && this.limit > 0)
  }

  #nextQueue(): Queue {
    let best: Queue | undefined
    for (const queue of this.#queues) {
      if (queue.waiting.length > 0 && (!best || queue.virtualStart < best.virtualStart)) best = queue
    }
    return best!
  }

  #shortestOf(flow: string): Queue {
    let best: Queue | undefined
    let least = Number.POSITIVE_INFINITY
    for (const number of this.#handOf(flow)) {
      const queue = this.#queues[number]!
      const load = queue.seatsInUse + queue.waiting.length
      if (load < least) {
        best = queue
        least = load
      }
    }
    return best!
  }

  #handOf(flow: string): readonly number[] {
    let hand = this.#hands.get(flow)
    if (!hand) {
      if (this.#hands.size >= HANDS_KEPT) this.#hands.clear()
      hand = dealHand(flow, this.#queuing.queues, this.#queuing.handSize)
      this.#hands.set(flow, hand)
    }
    return hand
  }
}

const HANDS_KEPT = 10_000
