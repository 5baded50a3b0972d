import type { Client } from '#client/client.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { ensureAll } from './ensure.ts'

/** The namespaces that cannot be deleted, and the one of node leases. */
export const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

export async function ensureNamespaces(client: Client): Promise<void> {
  await ensureAll(
    client,
    Namespace,
    SYSTEM_NAMESPACES.map(name => ({ metadata: { name } })),
  )
}
