import { Moment } from '#kinds/typernetes/v1/moment.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import { badRequest, expired } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { StatusError } from '#machinery/status/status-error.ts'
import type { StoreMoment } from '#store/store.ts'
import type { Timeline } from '#store/timeline.ts'
import type { ComputedResource } from '../registry/computed-resource.ts'

/** What the moments of a cluster are made up from. */
export interface MomentFacts {
  readonly timeline: Timeline
  /** Milliseconds since 1970. */
  now(): number
  /** What is older cannot be read any more. */
  oldestRevision(): Promise<number>
}

/** `moments.typernetes.dev`: which resourceVersion was the newest when. */
export function moments(facts: MomentFacts): ComputedResource {
  const shown = async (name: string) => objectOf(name, await momentOf(facts, name))
  return { kind: Moment, get: shown, list: () => Promise.all([shown('oldest'), shown('newest')]) }
}

/**
 * The moment that a name means: `newest`, `oldest`, a resourceVersion, a time as RFC 3339 has it, or a duration before now.
 *
 * @throws StatusError 400 if the name is none of these, 410 if that is no longer kept.
 */
export async function momentOf(facts: MomentFacts, name: string): Promise<StoreMoment> {
  const { timeline } = facts
  if (name === 'newest') return timeline.newest()
  if (name === 'oldest') {
    const revision = Math.max(1, await facts.oldestRevision())
    return (await timeline.of(revision)) ?? { revision }
  }
  if (/^\d{1,15}$/.test(name)) return (await timeline.of(Number(name))) ?? (await refuse(facts, `resourceVersion ${name}`))
  const atMs = timeOf(name, facts.now())
  if (atMs > facts.now()) throw badRequest(`the moment ${quote(name)} is in the future`)
  return (await timeline.at(atMs)) ?? (await refuse(facts, new Date(atMs).toISOString()))
}

function timeOf(name: string, nowMs: number): number {
  const wrong = () =>
    badRequest(
      `invalid moment ${quote(name)}: give newest, oldest, a resourceVersion, a time such as 2026-01-02T15:04:05Z, or a duration before now such as -2m`,
    )
  if (name.startsWith('-')) {
    try {
      return nowMs - durationMs(name.slice(1))
    } catch {
      throw wrong()
    }
  }
  const atMs = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(name) ? Date.parse(name) : Number.NaN
  if (Number.isNaN(atMs)) throw wrong()
  return atMs
}

async function refuse(facts: MomentFacts, what: string): Promise<never> {
  const oldest = await momentOf(facts, 'oldest')
  const newest = await facts.timeline.newest()
  throw notKept(what, oldest, newest)
}

function notKept(what: string, oldest: StoreMoment, newest: StoreMoment): StatusError {
  const told = ({ revision, atMs }: StoreMoment) => (atMs === undefined ? `${revision}` : `${revision} of ${new Date(atMs).toISOString()}`)
  return expired(`${what} is not kept: history goes from resourceVersion ${told(oldest)} to ${told(newest)}`)
}

function objectOf(name: string, { revision, atMs }: StoreMoment): Moment {
  const time = atMs === undefined ? {} : { time: `${new Date(atMs).toISOString().slice(0, -1)}000Z` }
  const { apiVersion, kind } = Moment
  return { apiVersion, kind, metadata: { name }, status: { resourceVersion: String(revision), ...time } } as Moment
}
