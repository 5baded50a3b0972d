import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { type Answer, readAnswer } from '../wire/answer.ts'
import type { Upstream } from './resolv-conf.ts'

export type Transport = 'udp' | 'tcp'

/** Sends a query to a resolver and resolves to the answer that belongs to it; rejects when none comes in time. */
export type Exchange = (upstream: Upstream, query: Uint8Array, transport: Transport, timeoutMs: number) => Promise<Uint8Array>

export interface ForwarderOptions {
  readonly upstreams: readonly Upstream[]
  readonly exchange: Exchange
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly timeoutMs?: number
  readonly metrics?: ForwardMetrics | undefined
  /** Once aborted no one is asked any more. */
  readonly signal?: AbortSignal | undefined
}

export interface ForwardMetrics {
  forwarded(upstream: string, outcome: 'answer' | 'failure' | 'error', durationMs: number): void
}

/** An answer of another server. */
export interface Forwarded {
  readonly bytes: Uint8Array
  readonly answer: Answer
}

/** How long a resolver that did not answer is asked last. */
const REST_MS = 10_000
/** More queries at once than this are refused: the resolvers do not keep up. */
const CONCURRENT_LIMIT = 1_000
const SERVFAIL = 2
const REFUSED = 5

/** Asks other resolvers, in their order, the next one when one does not answer or says it cannot. */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #restsUntil = new Map<Upstream, number>()
  readonly #looping = new Set<Upstream>()
  #upstreams: readonly Upstream[]
  #concurrent = 0

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#upstreams = options.upstreams
  }

  /** Whether there is anyone to ask. */
  get available(): boolean {
    return this.#upstreams.length > this.#looping.size
  }

  /** Asks others from now on: the machine has moved to another network. */
  use(upstreams: readonly Upstream[]): void {
    this.#upstreams = upstreams
    this.#restsUntil.clear()
    this.#looping.clear()
  }

  /** The answer to `query`; undefined when no one gave one. The id is replaced on the way and is not the query's in the answer. */
  async forward(query: Uint8Array, transport: Transport): Promise<Forwarded | undefined> {
    if (this.#concurrent >= CONCURRENT_LIMIT) return undefined
    this.#concurrent++
    try {
      let inability: Forwarded | undefined
      for (const upstream of this.#inOrder()) {
        if (this.#options.signal?.aborted) return undefined
        const forwarded = await this.#ask(upstream, query, transport)
        if (!forwarded) continue
        if (forwarded.answer.rcode !== SERVFAIL && forwarded.answer.rcode !== REFUSED) return forwarded
        inability = forwarded
      }
      return inability
    } finally {
      this.#concurrent--
    }
  }

  /** Sends `probe` to each resolver alone; `returned` tells whether it came back to this server, and then that one is asked no more. */
  async checkForLoops(probe: Uint8Array, returned: () => boolean): Promise<void> {
    for (const upstream of this.#upstreams) {
      if (this.#options.signal?.aborted) return
      await this.#ask(upstream, probe, 'udp')
      if (!returned()) continue
      this.#looping.add(upstream)
      this.#options.log.error('a resolver sends queries back to the cluster DNS, so it is not asked; name another in the resolv.conf', {
        resolver: upstream.address,
      })
    }
  }

  async #ask(upstream: Upstream, query: Uint8Array, transport: Transport): Promise<Forwarded | undefined> {
    const { clock, random, exchange, metrics, log } = this.#options
    const own = query.slice()
    const id = random.below(65_536)
    own[0] = id >> 8
    own[1] = id & 255
    const start = clock.monotonic()
    try {
      const bytes = await exchange(upstream, own, transport, this.#options.timeoutMs ?? 2_000)
      const answer = readAnswer(bytes)
      if (!answer) throw new Error(`the answer of ${upstream.address} is malformed`)
      this.#restsUntil.delete(upstream)
      metrics?.forwarded(upstream.address, answer.rcode === SERVFAIL ? 'failure' : 'answer', clock.monotonic() - start)
      return { bytes, answer }
    } catch (error) {
      if (this.#options.signal?.aborted) return undefined
      if (!this.#restsUntil.has(upstream))
        log.warn('a resolver does not answer; others are asked first', { resolver: upstream.address, error })
      this.#restsUntil.set(upstream, clock.monotonic() + REST_MS)
      metrics?.forwarded(upstream.address, 'error', clock.monotonic() - start)
      return undefined
    }
  }

  #inOrder(): Upstream[] {
    const now = this.#options.clock.monotonic()
    const rests = (upstream: Upstream) => ((this.#restsUntil.get(upstream) ?? 0) > now ? 1 : 0)
    return this.#upstreams.filter(upstream => !this.#looping.has(upstream)).sort((a, b) => rests(a) - rests(b))
  }
}
