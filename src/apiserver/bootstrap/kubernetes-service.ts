import type { Client } from '#client/client.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { ensureAll } from './ensure.ts'

/** Where pods find the API servers. */
export interface KubernetesServiceOptions {
  /** The ClusterIP of the Service `kubernetes`: the first of the range. */
  readonly serviceAddress: string
  readonly securePort: number
}

/** The Service through which pods reach the API servers, and its endpoints. */
export const KUBERNETES_SERVICE = { namespace: 'default', name: 'kubernetes' } as const
const LABELS = { component: 'apiserver', provider: 'kubernetes' }

/** The Service `default/kubernetes`. Its endpoints are the work of `endpoints/`. */
export async function ensureKubernetesService(client: Client, options: KubernetesServiceOptions): Promise<void> {
  const { serviceAddress, securePort } = options
  await ensureAll(client, Service, [
    {
      metadata: { ...KUBERNETES_SERVICE, labels: LABELS },
      spec: {
        clusterIP: serviceAddress,
        ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: securePort }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
    },
  ])
}
