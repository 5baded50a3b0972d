import type { Client } from '#client/client.ts'
import { PriorityClass } from '#kinds/scheduling/v1/priority-class.ts'
import { ensureAll } from './ensure.ts'

const CLASSES = [
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
] as const

/** The two classes whose pods outrank all others. */
export async function ensurePriorityClasses(client: Client): Promise<void> {
  await ensureAll(client, PriorityClass, CLASSES)
}
