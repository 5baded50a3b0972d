import type { Client } from '#client/client.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, DraftObjectOf, ObjectOf } from '#machinery/kind/kind.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { KUBERNETES_SERVICE } from '../bootstrap/kubernetes-service.ts'

const AS_SERVER = { fieldManager: 'kube-apiserver' }

/** Makes the endpoints of the Service `kubernetes` exactly these addresses. Writes nothing where they are so already. */
export async function ensureKubernetesEndpoints(client: Client, addresses: readonly string[], securePort: number): Promise<void> {
  const sorted = [...addresses].sort()
  const port = { name: 'https', port: securePort, protocol: 'TCP' } as const
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  const subsets = [{ addresses: sorted.map(ip => ({ ip })), ports: [port] }]
  await ensure(client, Endpoints, { metadata: { ...KUBERNETES_SERVICE, labels }, subsets }, present => ({ ...present, subsets }))
  const slice = {
    addressType: sorted[0]?.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
    endpoints: sorted.map(address => ({ addresses: [address], conditions: { ready: true } })),
    ports: [port],
  }
  const metadata = { ...KUBERNETES_SERVICE, labels: { 'kubernetes.io/service-name': KUBERNETES_SERVICE.name } }
  await ensure(client, EndpointSlice, { metadata, ...slice }, present => ({ ...present, ...slice }))
}

async function ensure<K extends AnyKind>(
  client: Client,
  kind: K,
  wanted: DraftObjectOf<K>,
  mend: (present: ObjectOf<K>) => DraftObjectOf<K>,
): Promise<void> {
  let present: ObjectOf<K>
  try {
    present = await client.get(kind, KUBERNETES_SERVICE)
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(kind, wanted, AS_SERVER)
    return
  }
  const mended = mend(present)
  if (!equal(mended, present)) await client.update(kind, mended, AS_SERVER)
}
