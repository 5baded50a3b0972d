import type { Client } from '#client/client.ts'
import { ServiceCIDR } from '#kinds/networking/v1/service-cidr.ts'
import { ensureAll } from './ensure.ts'

/** The ServiceCIDR `kubernetes`: what the server was started with (KEP-1880). */
export async function ensureServiceCIDR(client: Client, cidrs: readonly string[]): Promise<void> {
  if (cidrs.length === 0) return
  await ensureAll(client, ServiceCIDR, [{ metadata: { name: 'kubernetes' }, spec: { cidrs } }])
  const present = await client.get(ServiceCIDR, { name: 'kubernetes' })
  if (present.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
    lastTransitionTime: present.metadata.creationTimestamp ?? '',
  } as const
  await client.updateStatus(ServiceCIDR, { ...present, status: { conditions: [condition] } }, { fieldManager: 'kube-apiserver' })
}
