import type { Behaviour } from '../registry/behaviour.ts'
import { customResourceDefinitions } from './custom-resource-definitions.ts'
import { eventsFor } from './events.ts'
import { jobs } from './jobs.ts'
import { namespaces } from './namespaces.ts'
import { pods } from './pods.ts'

/** Everything the server does for some kinds beyond storing them. */
export function behaviours(eventSeconds?: number): readonly Behaviour[] {
  return [namespaces, pods, jobs, eventsFor(eventSeconds), customResourceDefinitions]
}
