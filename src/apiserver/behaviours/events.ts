import type { Behaviour } from '../registry/behaviour.ts'

/** Events vanish an hour after they were last written. */
export const events: Behaviour = { group: '', resource: 'events', lifetimeSeconds: 3600 }
