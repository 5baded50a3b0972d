import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { LeaseCandidate } from '#kinds/coordination/v1beta1/lease-candidate.ts'
import { epochMs, microTimeOf } from '#machinery/time/time.ts'
import type { Client } from '../client.ts'
import { informers as newInformers } from '../informers/informers.ts'
import { workQueue } from '../queue/work-queue.ts'

export interface CandidacyOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** The Lease that the candidate would hold. */
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Who the candidate is: the holder that the Lease will name. */
  readonly identity: string
  /** Semantic versions: of the program, and the one as which it behaves. */
  readonly binaryVersion: string
  readonly emulationVersion: string
}

/** How often a candidate says that it is there without being asked (as client-go does). */
const RENEW_MS = 5 * 60_000

/**
 * Stands as a candidate for a Lease until disposed: says so in a LeaseCandidate, and again whenever it is asked (KEP-4355). Who comes to
 * hold the Lease is decided by the API servers.
 */
export function standAsCandidate(options: CandidacyOptions): AsyncDisposable {
  const { client, clock, log, lease, identity, binaryVersion, emulationVersion } = options
  const { namespace } = lease
  const own = newInformers({ client, clock, log })
  const candidates = own.only(LeaseCandidate, { namespace, fieldSelector: `metadata.name=${identity}` })
  const queue = workQueue<'renew'>({
    clock,
    failed: (_, error) => log.warn('the candidacy could not be renewed', { lease: lease.name, identity, error: String(error) }),
    async work(_, signal) {
      await candidates.synced(signal)
      const present = candidates.get(namespace, identity)
      const renewTime = microTimeOf(clock.now())
      if (present) await client.update(LeaseCandidate, { ...present, spec: { ...present.spec, renewTime } }, { signal })
      else {
        const spec = { leaseName: lease.name, binaryVersion, emulationVersion, strategy: 'OldestEmulationVersion', renewTime }
        await client.create(LeaseCandidate, { metadata: { namespace, name: identity }, spec }, { signal })
      }
      return { againAfterMs: RENEW_MS }
    },
  })
  const handler = candidates.onChange(candidate => {
    if (!candidate || isAsked(candidate)) queue.add('renew')
  })
  queue.add('renew')
  return {
    async [Symbol.asyncDispose]() {
      handler[Symbol.dispose]()
      await queue[Symbol.asyncDispose]()
      await own[Symbol.asyncDispose]()
    },
  }
}

function isAsked({ spec: { pingTime, renewTime } }: LeaseCandidate): boolean {
  return pingTime !== undefined && (renewTime === undefined || epochMs(pingTime) > epochMs(renewTime))
}
