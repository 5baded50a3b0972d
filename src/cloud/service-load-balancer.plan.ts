import type { Node } from '#kinds/core/v1/node.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import { UNINITIALIZED } from './cloud-node.plan.ts'

export const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler'

/** Whether a Service is to have a load balancer of this provider. */
export function wantsLoadBalancer({ metadata, spec }: Service, className: string | undefined): boolean {
  if (metadata.deletionTimestamp || spec.type !== 'LoadBalancer') return false
  return spec.loadBalancerClass === undefined || spec.loadBalancerClass === className
}

/** Whether a node can take what comes in: one that is about to go, or has not been described yet, does not. */
export function takesTraffic({ metadata, spec }: Node): boolean {
  if (metadata.deletionTimestamp || metadata.labels?.[EXCLUDED] !== undefined) return false
  return !spec.taints?.some(({ key }) => key === UNINITIALIZED || key === TO_BE_DELETED)
}

/** What of the nodes a load balancer looks at: what else changes of them is nothing to it. */
export function hostsOf(nodes: readonly Node[]): string {
  return nodes
    .filter(takesTraffic)
    .map(({ metadata, spec, status }) =>
      [metadata.name, spec.providerID ?? '', ...(status.addresses ?? []).map(({ address }) => address)].join(','),
    )
    .sort()
    .join(';')
}
