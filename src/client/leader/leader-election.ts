import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import { Lease, type LeaseSpec } from '#kinds/coordination/v1/lease.ts'
import { equal } from '#machinery/kind/draft.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { microTimeOf } from '#machinery/time/time.ts'
import type { Client } from '../client.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import { LeaseChances } from './lease-chances.ts'

export interface LeaderElectionOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly events?: EventRecorder
  /** The Lease that is fought for. */
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Who this candidate is: different for every process. */
  readonly identity: string
  /** API servers elect: the Lease is taken only by the one whom it names (KEP-4355, see `standAsCandidate`). */
  readonly isCoordinated?: boolean
  /** How long others leave a silent leader alone. */
  readonly leaseDurationMs?: number
  /** How long a leader tries to renew before it steps down; less than the lease's duration. */
  readonly renewDeadlineMs?: number
  readonly retryPeriodMs?: number
  /** Told whom the Lease says to lead, whenever that changes. */
  newLeader?(identity: string): void
}

/**
 * Waits until the Lease is ours and then does `lead`. Its signal aborts when the Lease is lost or `signal` aborts; then `lead` must end
 * quickly. On a clean end the Lease is given back, so that the next candidate need not wait. Resolves when `lead` has ended.
 *
 * Returns `'lost'` if the Lease was lost or another one is to have it: the process should then start anew, as its caches may be behind.
 */
export async function leadWhenElected(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<'stopped' | 'lost'> {
  const { log, lease, retryPeriodMs = 2_000 } = options
  const claim = new LeaseClaim(options)
  log.info('waiting for the lead', { lease: `${lease.namespace}/${lease.name}`, identity: options.identity })
  using chances = new LeaseChances({
    ...options,
    retryPeriodMs,
    seen: () => claim.seen(),
    observe: seen => claim.observe(seen),
  })
  while (!(await claim.tryAcquire())) {
    await chances.next(signal)
    if (signal.aborted) return 'stopped'
  }
  chances[Symbol.dispose]()
  if (signal.aborted) {
    await claim.release()
    return 'stopped'
  }
  log.info('leading', { lease: lease.name, identity: options.identity })
  const leading = new AbortController()
  const stop = () => leading.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const work = lead(leading.signal)
  const renewing = renewUntilLost(options, claim, leading)
  try {
    await work
  } finally {
    signal.removeEventListener('abort', stop)
    leading.abort(new Error('the work of the leader has ended'))
  }
  const why = await renewing
  if (why !== 'lost') await claim.release()
  return why === 'over' ? 'stopped' : 'lost'
}

/** Renews until the leading ends: because it is over, because the Lease could not be renewed in time, or because another one is to have it. */
async function renewUntilLost(
  options: LeaderElectionOptions,
  claim: LeaseClaim,
  leading: AbortController,
): Promise<'over' | 'lost' | 'asked to leave'> {
  const { clock, log, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options
  let renewedMs = clock.monotonic()
  for (;;) {
    await sleep(clock, retryPeriodMs, leading.signal).catch(() => undefined)
    if (leading.signal.aborted) return 'over'
    const startedMs = clock.monotonic()
    if (await within(clock, renewDeadlineMs - (startedMs - renewedMs), claim.tryAcquire())) renewedMs = startedMs
    if (claim.isAskedToLeave) {
      log.info('another one is to lead', { lease: options.lease.name, identity: options.identity })
      leading.abort(new Error('another one is to lead'))
      return 'asked to leave'
    }
    if (renewedMs === startedMs) continue
    if (clock.monotonic() - renewedMs >= renewDeadlineMs) {
      log.error('the lead was lost', { lease: options.lease.name, identity: options.identity })
      leading.abort(new Error('the lead was lost'))
      return 'lost'
    }
  }
}

/** `attempt`, or false after `limitMs`: a server that does not answer must not keep a leader leading. */
async function within(clock: Clock, limitMs: number, attempt: Promise<boolean>): Promise<boolean> {
  return new Promise(resolve => {
    const timer = clock.after(limitMs, () => resolve(false))
    void attempt.then(result => {
      timer.cancel()
      resolve(result)
    })
  })
}

/** Who is elected sees that in the Lease; only now and then is it looked at regardless. */
const UNTIL_ELECTED_MS = 60 * 60_000

/** One candidate's view of the Lease. */
class LeaseClaim {
  readonly #options: LeaderElectionOptions
  #observed: Lease | undefined
  #observedMs = 0

  constructor(options: LeaderElectionOptions) {
    this.#options = options
  }

  /** Takes or renews the Lease; false if somebody else has it, or if the server cannot be asked. */
  async tryAcquire(): Promise<boolean> {
    const { client, clock, lease, identity, log, leaseDurationMs = 15_000 } = this.#options
    try {
      const present = await this.#read()
      const now = microTimeOf(clock.now())
      const own = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000), renewTime: now }
      if (!present) {
        if (this.#options.isCoordinated) return false
        const spec = { ...own, acquireTime: now, leaseTransitions: 0 }
        const created = await client.create(Lease, { metadata: lease, spec }).catch(error => {
          if (!isAlreadyExists(error)) throw error
        })
        if (created) this.#tell(created)
        // Somebody was faster: its silence counts from now on.
        else await this.#look()
        return created !== undefined
      }
      this.observe(present)
      const holder = present.spec.holderIdentity ?? ''
      if (holder !== identity && (this.#options.isCoordinated || this.#expiresInMs() > 0)) return false
      const isRenewal = holder === identity
      const spec: LeaseSpec = {
        ...present.spec,
        ...own,
        acquireTime: isRenewal ? present.spec.acquireTime : now,
        leaseTransitions: (present.spec.leaseTransitions ?? 0) + (isRenewal ? 0 : 1),
      }
      const written = await client.update(Lease, { ...present, spec })
      if (!isRenewal) this.#tell(written)
      return true
    } catch (error) {
      log.verbose('the lease could not be taken or renewed', { lease: lease.name, error })
      return false
    }
  }

  /** Whether the Lease, which is ours, names another one who should have it. */
  get isAskedToLeave(): boolean {
    const { identity, isCoordinated } = this.#options
    const preferred = this.#observed?.spec.preferredHolder
    return isCoordinated === true && Boolean(preferred) && preferred !== identity
  }

  /** Gives the Lease back if it is ours. */
  async release(): Promise<void> {
    const { client, clock, identity, log, lease } = this.#options
    try {
      const present = await this.#read()
      if (present?.spec.holderIdentity !== identity) return
      const now = microTimeOf(clock.now())
      const spec = { ...present.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now }
      await client.update(Lease, { ...present, spec })
    } catch (error) {
      log.warn('the lease could not be given back: the next leader waits until it expires', { lease: lease.name, error })
    }
  }

  async #look(): Promise<void> {
    const present = await this.#read()
    if (present) this.observe(present)
  }

  async #read(): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get(Lease, this.#options.lease)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Takes note of the Lease: a change of it says that its holder lives, by our own clock, since its clock may differ. */
  observe(lease: Lease): void {
    if (this.#observed && equal(this.#observed.spec, lease.spec)) return
    const { holderIdentity: holder } = lease.spec
    const isNew = holder && holder !== this.#observed?.spec.holderIdentity
    this.#observed = lease
    this.#observedMs = this.#options.clock.monotonic()
    if (isNew) this.#options.newLeader?.(holder)
  }

  /** The Lease as it was last seen, and for how long its holder is to be left alone. */
  seen(): { resourceVersion: string | undefined; expiresInMs: number } | undefined {
    return this.#observed && { resourceVersion: this.#observed.metadata.resourceVersion, expiresInMs: this.#expiresInMs() }
  }

  /** 0: nobody holds it, or who does has been silent for the whole duration. */
  #expiresInMs(): number {
    const { clock, leaseDurationMs = 15_000 } = this.#options
    const holder = this.#observed?.spec.holderIdentity
    if (this.#options.isCoordinated) return holder === this.#options.identity ? 0 : UNTIL_ELECTED_MS
    if (!holder) return 0
    return Math.max(0, this.#observedMs + leaseDurationMs - clock.monotonic())
  }

  #tell(lease: Lease): void {
    const { events, identity } = this.#options
    events?.record(lease, 'Normal', 'LeaderElection', `${identity} became leader`)
  }
}
