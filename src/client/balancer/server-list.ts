import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'

export interface ServerListOptions {
  /** `https://host:port` of the servers that were named at the start: tried when no other answers. */
  readonly seeds: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** How long a server that failed is passed over while there are others. */
const PENALTY_MS = 30_000

/**
 * The API servers of a cluster, as far as they are known, and the one that is used: all clients of a process share it. Who starts takes any of
 * them, so that clients spread, and stays with it until it fails.
 */
export class ServerList {
  readonly #options: ServerListOptions
  readonly #failedAtMs = new Map<string, number>()
  readonly #moved = new Set<() => void>()
  #known: readonly string[] = []
  #current: string

  constructor(options: ServerListOptions) {
    if (options.seeds.length === 0) throw new Error('no API server was named: give at least one, such as https://10.0.0.1:6443')
    this.#options = options
    this.#current = this.#pick()
  }

  /** Every server that may be tried. */
  get servers(): readonly string[] {
    return [...new Set([...this.#known, ...this.#options.seeds])]
  }

  /** The server to use. */
  get current(): string {
    return this.#current
  }

  /** Says which servers the cluster has. Who uses one that is gone moves. */
  set(known: readonly string[]): void {
    this.#known = [...known]
    for (const server of this.#failedAtMs.keys()) if (!this.servers.includes(server)) this.#failedAtMs.delete(server)
    if (known.length > 0 && !known.includes(this.#current) && known.some(server => !this.#isPenalized(server))) {
      this.#move('it is no longer one of the servers')
    }
  }

  /** Says that a server does not do its work: if it is the one in use, another is taken. */
  failed(server: string, why: string): void {
    this.#failedAtMs.set(server, this.#options.clock.monotonic())
    if (server === this.#current) this.#move(why)
  }

  /** Calls back whenever another server is to be used. */
  onMove(callback: () => void): Disposable {
    this.#moved.add(callback)
    return { [Symbol.dispose]: () => void this.#moved.delete(callback) }
  }

  #move(why: string): void {
    const from = this.#current
    this.#current = this.#pick()
    if (this.#current === from) return
    this.#options.log.info('using another API server', { from, to: this.#current, why })
    for (const callback of [...this.#moved]) callback()
  }

  /** Any server that did not fail lately; those named at the start after the others; if all failed, the one whose failure is longest ago. */
  #pick(): string {
    const { random, seeds } = this.#options
    for (const some of [this.#known, seeds]) {
      const good = some.filter(server => !this.#isPenalized(server))
      if (good.length > 0) return good[random.below(good.length)]!
    }
    return [...this.servers].sort((one, other) => this.#failedAtMs.get(one)! - this.#failedAtMs.get(other)!)[0]!
  }

  #isPenalized(server: string): boolean {
    const failedAtMs = this.#failedAtMs.get(server)
    return failedAtMs !== undefined && this.#options.clock.monotonic() - failedAtMs < PENALTY_MS
  }
}
