import type { Client } from '#client/client.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { equal } from '#machinery/kind/draft.ts'
import { ensureAll } from './ensure.ts'

/** Where pods find the API server. */
export interface KubernetesServiceOptions {
  /** The ClusterIP of the Service `kubernetes`: the first of the range. */
  readonly serviceAddress: string
  /** `--advertise-address`: where the server is reached from inside the cluster. Undefined: the Service has no endpoints. */
  readonly advertiseAddress: string | undefined
  readonly securePort: number
}

const NAMESPACE = 'default'
const NAME = 'kubernetes'
const LABELS = { component: 'apiserver', provider: 'kubernetes' }

/** The Service `default/kubernetes` and its endpoints, kept right at every start. */
export async function ensureKubernetesService(client: Client, options: KubernetesServiceOptions): Promise<void> {
  const { serviceAddress, advertiseAddress, securePort } = options
  await ensureAll(client, Service, [
    {
      metadata: { namespace: NAMESPACE, name: NAME, labels: LABELS },
      spec: {
        clusterIP: serviceAddress,
        ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: securePort }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
    },
  ])
  if (advertiseAddress === undefined) return
  const address = { ip: advertiseAddress }
  const port = { name: 'https', port: securePort, protocol: 'TCP' } as const
  const subsets = [{ addresses: [address], ports: [port] }]
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  await ensureAll(client, Endpoints, [{ metadata: { namespace: NAMESPACE, name: NAME, labels }, subsets }], (present, wanted) =>
    equal((present as Endpoints).subsets, wanted.subsets) ? undefined : { ...(present as Endpoints), subsets },
  )
  const slice = {
    addressType: advertiseAddress.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
    endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
    ports: [port],
  }
  const sliceMeta = { namespace: NAMESPACE, name: NAME, labels: { 'kubernetes.io/service-name': NAME } }
  await ensureAll(client, EndpointSlice, [{ metadata: sliceMeta, ...slice }], present =>
    equal({ ...present, ...slice }, present) ? undefined : { ...(present as EndpointSlice), ...slice },
  )
}
