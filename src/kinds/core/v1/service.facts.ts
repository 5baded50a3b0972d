import type { Service } from './service.ts'

/** Whether it has no virtual IP: its name resolves to its pods. */
export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None'
}

/** Whether it has a virtual IP that proxies serve. */
export function hasClusterIP(service: Service): boolean {
  const { type, clusterIP } = service.spec
  return type !== 'ExternalName' && clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None'
}

/** Its virtual IPs, none if it is headless. */
export function clusterIPsOf(service: Service): readonly string[] {
  const { clusterIP, clusterIPs } = service.spec
  const all = clusterIPs ?? (clusterIP ? [clusterIP] : [])
  return all.filter(ip => ip !== '' && ip !== 'None')
}

/** Whether nodes open ports for it. */
export function needsNodePorts(service: Service): boolean {
  const { type, allocateLoadBalancerNodePorts } = service.spec
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
}

/** Whether traffic from outside may only go to pods of the node where it arrives. */
export function isExternallyLocal(service: Service): boolean {
  const { type, externalTrafficPolicy } = service.spec
  return (type === 'NodePort' || type === 'LoadBalancer') && externalTrafficPolicy === 'Local'
}

/** Whether it asks for a port on which nodes say if they have pods of it. */
export function needsHealthCheck(service: Service): boolean {
  return service.spec.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local'
}
