import type { Lease, LeaseSpec } from '#kinds/coordination/v1/lease.ts'
import { compareVersions, parseVersion } from '#kinds/coordination/v1beta1/lease-candidate.facts.ts'
import type { LeaseCandidate } from '#kinds/coordination/v1beta1/lease-candidate.ts'
import { epochMs, microTimeOf } from '#machinery/time/time.ts'

/** The next step of an election. */
export interface ElectionPlan {
  /** Candidates to be asked whether they are still there. */
  readonly ask: readonly LeaseCandidate[]
  /** What the Lease is to say; undefined: what it says. */
  readonly lease?: LeaseSpec | undefined
  /** Candidates that have not been heard of for so long that they are gone. */
  readonly gone: readonly LeaseCandidate[]
  /** When to look again, should nothing happen before, in milliseconds. */
  readonly againAfterMs?: number | undefined
  /** Why nobody can be elected. */
  readonly problem?: string
}

/** How long a candidate may take to answer (upstream's figures, as the following). */
const ANSWER_MS = 5_000
/** How fresh its word has to be: those that answered at once still count when the others' time is over. */
const FRESH_MS = 2 * ANSWER_MS
/** For how long the word of a candidate holds; after half of it, it is asked again. */
const VALID_MS = 30 * 60_000
/** How long an elected candidate has to take the Lease up. */
const TAKE_UP_SECONDS = 5
const OLDEST = 'OldestEmulationVersion'

/** Who is to hold a Lease that `candidates` want (KEP-4355): pure, and asked again after everything that happens. `now` in milliseconds. */
export function planElection(lease: Lease | undefined, candidates: readonly LeaseCandidate[], now: number): ElectionPlan {
  const valid = candidates.filter(candidate => renewedMs(candidate) + VALID_MS >= now)
  const gone = candidates.filter(candidate => !valid.includes(candidate))
  if (valid.length === 0) return { ask: [], gone }
  if (!needsElection(lease, valid, now)) {
    const moments = [expiresMs(lease!), ...valid.map(candidate => renewedMs(candidate) + VALID_MS / 2)]
    return { ask: [], gone, againAfterMs: Math.max(1, Math.min(...moments) - now + 1) }
  }
  const waiting = valid.filter(candidate => askedMs(candidate) + ANSWER_MS > now && renewedMs(candidate) < askedMs(candidate))
  const ask = valid.filter(candidate => !isFresh(candidate, now) && !waiting.includes(candidate) && mayBeAsked(candidate))
  if (ask.length > 0 || waiting.length > 0) return { ask, gone, againAfterMs: ANSWER_MS }
  // Whatever comes of it: those that stay silent are gone one day.
  const againAfterMs = Math.min(...valid.map(candidate => renewedMs(candidate) + VALID_MS - now + 1))
  const here = valid.filter(candidate => isFresh(candidate, now))
  if (here.length === 0) return { ask, gone, againAfterMs, problem: 'no candidate answers' }
  const strategy = strategyOf(here)
  if (strategy === undefined) return { ask, gone, againAfterMs, problem: 'candidates of the same version ask for different strategies' }
  const elected = strategy === OLDEST ? bestOf(here)?.metadata.name : undefined
  const next = leaseFor(elected, strategy, lease, now)
  return { ask, gone, lease: next, againAfterMs: next ? TAKE_UP_SECONDS * 1000 : againAfterMs }
}

const renewedMs = ({ spec }: LeaseCandidate) => (spec.renewTime ? epochMs(spec.renewTime) : Number.NEGATIVE_INFINITY)
const askedMs = ({ spec }: LeaseCandidate) => (spec.pingTime ? epochMs(spec.pingTime) : Number.NEGATIVE_INFINITY)
const expiresMs = ({ spec }: Lease) =>
  spec.renewTime && spec.leaseDurationSeconds !== undefined
    ? epochMs(spec.renewTime) + spec.leaseDurationSeconds * 1000
    : Number.NEGATIVE_INFINITY
const isFresh = (candidate: LeaseCandidate, now: number) => renewedMs(candidate) + FRESH_MS > now
/** One that did not answer the last time is not asked again. */
const mayBeAsked = (candidate: LeaseCandidate) => candidate.spec.pingTime === undefined || askedMs(candidate) <= renewedMs(candidate)

function needsElection(lease: Lease | undefined, valid: readonly LeaseCandidate[], now: number): boolean {
  if (!lease?.spec.holderIdentity || expiresMs(lease) < now) return true
  if (valid.some(candidate => renewedMs(candidate) + VALID_MS / 2 < now)) return true
  if (strategyOf(valid) !== OLDEST) return false
  const best = bestOf(valid)
  return best !== undefined && best.metadata.name !== lease.spec.holderIdentity && best.metadata.name !== lease.spec.preferredHolder
}

/** What those of the latest version ask for; undefined if they do not agree. */
function strategyOf(candidates: readonly LeaseCandidate[]): string | undefined {
  const latest = candidates.reduce((one, other) => (compare(one.spec.binaryVersion, other.spec.binaryVersion) < 0 ? other : one))
  const peers = candidates.filter(({ spec }) => compare(spec.binaryVersion, latest.spec.binaryVersion) === 0)
  return peers.every(({ spec }) => spec.strategy === latest.spec.strategy) ? latest.spec.strategy : undefined
}

/** The oldest version goes first, so that a cluster under way to a new one is led by what all understand; then who came first. */
function bestOf(candidates: readonly LeaseCandidate[]): LeaseCandidate | undefined {
  return candidates
    .filter(({ spec }) => parseVersion(spec.emulationVersion ?? '') && parseVersion(spec.binaryVersion))
    .sort(
      ({ spec, metadata }, { spec: other, metadata: others }) =>
        compare(spec.emulationVersion, other.emulationVersion) ||
        compare(spec.binaryVersion, other.binaryVersion) ||
        epochMs(metadata.creationTimestamp ?? '') - epochMs(others.creationTimestamp ?? '') ||
        (metadata.name! < others.name! ? -1 : 1),
    )[0]
}

function compare(left: string | undefined, right: string | undefined): number {
  const [one, other] = [parseVersion(left ?? ''), parseVersion(right ?? '')]
  return one && other ? compareVersions(one, other) : Number(one !== undefined) - Number(other !== undefined)
}

/** The Lease after the election; undefined if nothing is to be said. A holder that lives is asked to leave, not thrown out. */
function leaseFor(elected: string | undefined, strategy: string, lease: Lease | undefined, now: number): LeaseSpec | undefined {
  const { acquireTime: _, preferredHolder: __, ...old } = lease?.spec ?? {}
  const isFree = !old.holderIdentity || expiresMs(lease!) < now
  if (isFree) {
    const renewed = { ...old, strategy, leaseDurationSeconds: TAKE_UP_SECONDS, renewTime: microTimeOf(now) }
    return elected === undefined ? (lease ? undefined : renewed) : { ...renewed, holderIdentity: elected }
  }
  if (elected === undefined || elected === old.holderIdentity) return old.strategy === strategy ? undefined : { ...lease!.spec, strategy }
  return { ...lease!.spec, strategy, preferredHolder: elected }
}
