import type { Random } from '#base/random/random.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import type { Client } from '../client.ts'

export interface LeaseChancesOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly lease: { readonly namespace: string; readonly name: string }
  /** How often to try where the Lease cannot be watched. */
  readonly retryPeriodMs: number
  /** The Lease as it was last read, and how long its holder is still to be left alone; undefined: it was never read. */
  seen(): { readonly resourceVersion: string | undefined; readonly expiresInMs: number } | undefined
  /** Takes note of the Lease as it is now. */
  observe(lease: Lease): void
}

/** Candidates that learn of the same chance must not all write at once. */
const SPREAD_MS = 500

/**
 * Waits for chances to take a Lease. The Lease is watched, so that a candidate neither asks again and again nor learns late that the lead is
 * free: the takeover after a crash comes when the Lease expires, and right away after it was given back. Who may not watch it, or cannot reach
 * the server, asks once in a retry period.
 */
export class LeaseChances implements Disposable {
  readonly #options: LeaseChancesOptions
  #watch: Disposable | undefined
  #timer: Timer | undefined
  #resolve: (() => void) | undefined

  constructor(options: LeaseChancesOptions) {
    this.#options = options
  }

  /** Resolves at the next chance, or when `signal` aborts. */
  async next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>(resolve => {
      const done = () => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#resolve = done
      signal.addEventListener('abort', done, { once: true })
      this.#watch ??= this.#open()
      this.#arm(false)
    })
    this.#resolve = undefined
    this.#timer?.cancel()
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#watch?.[Symbol.dispose]()
    this.#watch = undefined
  }

  /** Sets the timer to when the holder has been silent for too long; each renewal sets it anew. A chance that just failed is not taken again at once. */
  #arm(isNews: boolean): void {
    const { clock, random, retryPeriodMs, seen } = this.#options
    const known = this.#watch && seen()
    const isFollowed = known && (isNews || known.expiresInMs > 0)
    const delayMs = isFollowed ? known.expiresInMs + SPREAD_MS * random.next() : retryPeriodMs * (1 + 1.2 * random.next())
    this.#timer?.cancel()
    this.#timer = clock.after(delayMs, () => this.#resolve?.())
  }

  #open(): Disposable | undefined {
    const { client, lease, seen, observe } = this.#options
    const resourceVersion = seen()?.resourceVersion
    if (resourceVersion === undefined) return undefined
    const fieldSelector = `metadata.name=${lease.name}`
    const watch = client.watch(
      Lease,
      { namespace: lease.namespace, fieldSelector, resourceVersion },
      {
        event: ({ type, object }) => {
          if (type === 'BOOKMARK') return
          observe(type === 'DELETED' ? { ...object, spec: { ...object.spec, holderIdentity: '' } } : object)
          if (this.#resolve) this.#arm(true)
        },
        closed: () => {
          if (this.#watch !== watch) return
          this.#watch = undefined
          if (this.#resolve) this.#arm(false)
        },
      },
    )
    return watch
  }
}
