/** The event loop, as far as turns need it. */
export interface Loop {
  /** Calls back once what was begun has run as far as it can without waiting. */
  afterThis(callback: () => void): void
  /** Calls back once input and output that were ready have been taken. */
  afterOthers(callback: () => void): void
}

export interface TurnsOptions {
  /** Milliseconds that never go back. */
  readonly monotonic: () => number
  readonly loop: Loop
  /** How long requests may run before others are listened to again. */
  readonly sliceMs?: number
}

/** Who wants a turn: a priority level and a flow in it. */
export interface TurnTaker {
  readonly level: string
  /** The level's weight against the others; above 0. */
  readonly shares: number
  readonly flow: string
}

interface Level {
  virtualMs: number
  shares: number
  clockMs: number
  waiting: number
  readonly flows: Map<string, FlowTurns>
}

interface FlowTurns {
  virtualMs: number
  readonly waiting: (() => void)[]
}

const SLICE_MS = 5
const FLOWS_KEPT = 1000

/**
 * Shares out the one thread that requests run on. Seats bound how many requests are under way; that alone would let whoever sends the most
 * have nearly all of the processor, since requests that never wait are never two at a time. So when requests have run for a slice without a
 * pause, those that come next wait, and go on in the order of what their priority level (by its shares) and their flow have had so far,
 * measured as time on the processor. While there is time for everybody this is two comparisons.
 */
export class Turns {
  readonly #options: TurnsOptions
  readonly #levels = new Map<string, Level>()
  #sliceStartMs = -1
  #markMs = 0
  #running: { readonly level: Level; readonly flow: FlowTurns } | undefined
  #waiting = 0
  #virtualMs = 0
  #isServing = false

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** How many wait for a turn. */
  get waiting(): number {
    return this.#waiting
  }

  /** True: go on at once. False: `go` is called when it is the taker's turn. */
  enter(taker: TurnTaker, go: () => void): boolean {
    const nowMs = this.#options.monotonic()
    this.#charge(nowMs)
    if (this.#sliceStartMs < 0) this.#openSlice(nowMs)
    const level = this.#levelOf(taker)
    const flow = flowOf(level, taker.flow)
    if (this.#waiting === 0 && nowMs - this.#sliceStartMs < (this.#options.sliceMs ?? SLICE_MS)) {
      this.#running = { level, flow }
      return true
    }
    if (level.waiting === 0) level.virtualMs = Math.max(level.virtualMs, this.#virtualMs)
    if (flow.waiting.length === 0) flow.virtualMs = Math.max(flow.virtualMs, level.clockMs)
    flow.waiting.push(go)
    level.waiting++
    this.#waiting++
    return false
  }

  #openSlice(nowMs: number): void {
    this.#sliceStartMs = nowMs
    this.#options.loop.afterOthers(() => {
      this.#charge(this.#options.monotonic())
      this.#running = undefined
      this.#sliceStartMs = -1
      if (this.#waiting > 0 && !this.#isServing) this.#serve()
    })
  }

  /** Lets those who wait run, one after the other, until the slice is over. */
  #serve(): void {
    this.#isServing = true
    const nowMs = this.#options.monotonic()
    this.#charge(nowMs)
    this.#running = undefined
    if (this.#sliceStartMs < 0) this.#openSlice(nowMs)
    if (this.#waiting > 0 && nowMs - this.#sliceStartMs < (this.#options.sliceMs ?? SLICE_MS)) {
      const go = this.#next()
      this.#markMs = nowMs
      go()
      this.#options.loop.afterThis(() => this.#serve())
      return
    }
    this.#isServing = false
  }

  #next(): () => void {
    const level = least(this.#levels.values(), ({ waiting }) => waiting > 0)
    const flow = least(level.flows.values(), ({ waiting }) => waiting.length > 0)
    this.#virtualMs = Math.max(this.#virtualMs, level.virtualMs)
    level.clockMs = Math.max(level.clockMs, flow.virtualMs)
    level.waiting--
    this.#waiting--
    this.#running = { level, flow }
    return flow.waiting.shift()!
  }

  /** Puts what passed since the last look on the account of who ran. */
  #charge(nowMs: number): void {
    if (this.#running) {
      const { level, flow } = this.#running
      const usedMs = nowMs - this.#markMs
      level.virtualMs += usedMs / level.shares
      flow.virtualMs += usedMs
    }
    this.#markMs = nowMs
  }

  #levelOf({ level: name, shares }: TurnTaker): Level {
    let level = this.#levels.get(name)
    if (!level) {
      level = { virtualMs: this.#virtualMs, shares, clockMs: 0, waiting: 0, flows: new Map() }
      this.#levels.set(name, level)
    }
    level.shares = shares
    return level
  }
}

function flowOf(level: Level, name: string): FlowTurns {
  let flow = level.flows.get(name)
  if (!flow) {
    if (level.flows.size >= FLOWS_KEPT) forget(level)
    flow = { virtualMs: level.clockMs, waiting: [] }
    level.flows.set(name, flow)
  }
  return flow
}

/** A flow that neither waits nor has had more than others begins anew when it comes again; so do all when there are too many. */
function forget(level: Level): void {
  for (const [name, { waiting }] of level.flows) if (waiting.length === 0) level.flows.delete(name)
}

function least<T extends { readonly virtualMs: number }>(all: Iterable<T>, waits: (one: T) => boolean): T {
  let best: T | undefined
  for (const one of all) if (waits(one) && (!best || one.virtualMs < best.virtualMs)) best = one
  return best!
}
