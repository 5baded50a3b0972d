import { RecentMap } from '#base/collections/recent-map.ts'
import type { Clock } from '#base/time/clock.ts'
import { int32, list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const Limit = message('io.k8s.eventratelimit.v1alpha1.Limit', {
  type: required(1, string, 'What has a limit of its own: `Server`, `Namespace`, `User` or `SourceAndObject`.'),
  qps: required(2, int32, 'So many events per second in the long run.'),
  burst: required(3, int32, 'So many at once.'),
  cacheSize: omitempty(4, int32, 'Of so many namespaces, users or sources the use is remembered; default: 4096.'),
})

/** How many events there may be (eventratelimit.admission.k8s.io/v1alpha1, `Configuration`). */
export const EventRateLimitConfiguration = message('io.k8s.eventratelimit.v1alpha1.Configuration', {
  limits: required(1, list(Limit), 'All of them count for every event.'),
})
export interface EventRateLimitConfiguration extends StoredOf<typeof EventRateLimitConfiguration> {}
type Limit = EventRateLimitConfiguration['limits'][number]

const TYPES = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const

/** Reports limits that cannot be, in upstream's words. */
export function validateEventRateLimit({ limits }: EventRateLimitConfiguration, errors: FieldErrors): void {
  const at = errors.at('limits')
  if (limits.length === 0) at.invalid([], 'must not be empty')
  for (const [index, { type, qps, burst, cacheSize = 0 }] of limits.entries()) {
    const one = at.index(index)
    if (!TYPES.some(known => known === type)) one.at('type').notSupported(type, TYPES)
    if (burst <= 0) one.at('burst').invalid(burst, 'must be positive')
    if (qps <= 0) one.at('qps').invalid(qps, 'must be positive')
    if (type !== 'Server' && cacheSize < 0) one.at('cacheSize').invalid(cacheSize, 'must not be negative')
  }
}

const CACHE_SIZE = 4096

/** Refuses events that come faster than the limits say, of either group that has events. */
export function eventRateLimit({ limits }: EventRateLimitConfiguration, clock: Clock): AdmissionPlugin {
  const enforcers = limits.map(limit => enforcer(limit, clock))
  return {
    name: 'EventRateLimit',
    validate(request) {
      const { kind, operation } = request
      if (kind.kind !== 'Event' || !GROUPS.has(kind.group) || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      // Every limit counts what another one refuses.
      const refusals = enforcers.map(accept => accept(request)).filter(why => why !== undefined)
      const refused = refusals.at(-1)
      if (refused !== undefined) throw new StatusError({ code: 429, reason: 'TooManyRequests', message: `Too many requests: ${refused}` })
    },
  }
}

const GROUPS = new Set(['', 'events.k8s.io'])

/** What is still to be had of a limit, as of a time of the monotonic clock. */
interface Bucket {
  tokens: number
  atMs: number
}

/** Takes an event from its bucket; tells why it cannot. */
function enforcer({ type, qps, burst, cacheSize }: Limit, clock: Clock): (request: AdmissionRequest) => string | undefined {
  const buckets = new RecentMap<string, Bucket>(cacheSize || CACHE_SIZE)
  return request => {
    const key = KEYS[type as (typeof TYPES)[number]](request)
    const now = clock.monotonic()
    const { tokens, atMs } = buckets.get(key.join('\0')) ?? { tokens: burst, atMs: now }
    const there = Math.min(burst, tokens + ((now - atMs) / 1000) * qps)
    buckets.set(key.join('\0'), { tokens: there >= 1 ? there - 1 : there, atMs: now })
    return there >= 1 ? undefined : `limit reached on type ${type} for key ${key.join('')}`
  }
}

/** What has its own bucket, by type. */
const KEYS: Readonly<Record<(typeof TYPES)[number], (request: AdmissionRequest) => readonly string[]>> = {
  Server: () => [],
  Namespace: ({ namespace }) => [namespace],
  User: ({ user }) => [user.name],
  SourceAndObject({ object }) {
    const event = object as unknown as AnyEvent
    const { component = '', host = '' } = event.source ?? event.deprecatedSource ?? {}
    const { kind = '', namespace = '', name = '', uid = '', apiVersion = '' } = event.involvedObject ?? event.regarding ?? {}
    return [component, host, kind, namespace, name, uid, apiVersion]
  },
}

/** An event in the words of either group. */
interface AnyEvent {
  readonly source?: EventSource
  readonly deprecatedSource?: EventSource
  readonly involvedObject?: Involved
  readonly regarding?: Involved
}
interface EventSource {
  readonly component?: string
  readonly host?: string
}
type Involved = Readonly<Partial<Record<'kind' | 'namespace' | 'name' | 'uid' | 'apiVersion', string>>>
