import type { Behaviour } from '../registry/behaviour.ts'

/** Events vanish so many seconds after they were last written: an hour, unless `--event-ttl` says otherwise. */
export function eventsFor(lifetimeSeconds = 3600): Behaviour {
  return { group: '', resource: 'events', lifetimeSeconds }
}
