import type { Service } from '#kinds/core/v1/service.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import type { AddressRange } from './service-addresses.ts'

type Family = 'IPv4' | 'IPv6'

/** Whether the Service gets an address in the cluster: neither headless nor a mere name for another host. */
export function needsClusterIP({ spec }: Mutable<Service>): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIP !== 'None'
}

export function needsNodePorts({ spec }: Mutable<Service>): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
}

export function needsHealthPort({ spec }: Mutable<Service>): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
}

/** What a client may leave out of an update because the server gave it: addresses, node ports. They stay what they were, if they still apply. */
export function carryOver(service: Mutable<Service>, old: Service): void {
  const { spec } = service
  if (needsClusterIP(service) && needsClusterIP(old as Mutable<Service>) && !spec.clusterIP && !spec.clusterIPs?.length) {
    if (old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP
    if (old.spec.clusterIPs) spec.clusterIPs = [...old.spec.clusterIPs]
  }
  if (needsNodePorts(service) && needsNodePorts(old as Mutable<Service>)) {
    const used = new Set((spec.ports ?? []).flatMap(port => (port.nodePort ? [`${port.nodePort}/${port.protocol}`] : [])))
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue
      const before = old.spec.ports?.find(one => one.port === port.port && one.protocol === port.protocol)
      if (before?.nodePort && !used.has(`${before.nodePort}/${port.protocol}`)) port.nodePort = before.nodePort
    }
  }
  if (needsHealthPort(service) && needsHealthPort(old as Mutable<Service>) && !spec.healthCheckNodePort && old.spec.healthCheckNodePort) {
    spec.healthCheckNodePort = old.spec.healthCheckNodePort
  }
}

/** Brings `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` into agreement (KEP-563), and drops what the type does not have. */
export function normalize(service: Mutable<Service>, old: Service | undefined, ranges: readonly AddressRange[]): void {
  const { spec } = service
  if (old && old.spec.type !== spec.type) dropWhatTheTypeLost(service, old)
  if (spec.type === 'ExternalName') {
    if (!old || old.spec.type === 'ExternalName') return
    delete spec.clusterIP
    delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
    return
  }
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  else if (old && spec.clusterIP !== old.spec.clusterIP && spec.clusterIPs?.[0] === old.spec.clusterIP) {
    spec.clusterIPs = spec.clusterIP ? [spec.clusterIP] : []
  }
  setFamilies(service, ranges)
}

/** The families in which the Service has addresses, as far as the server has ranges. */
export function familiesOf({ spec }: Mutable<Service>, ranges: readonly AddressRange[]): Family[] {
  return (spec.ipFamilies ?? []).filter((family): family is Family => ranges.some(range => range.family === family))
}

function dropWhatTheTypeLost(service: Mutable<Service>, old: Service): void {
  const { spec } = service
  if (!needsNodePorts(service) && needsNodePorts(old as Mutable<Service>)) {
    for (const port of spec.ports ?? []) {
      const before = old.spec.ports?.find(one => one.port === port.port && one.protocol === port.protocol)
      if (port.nodePort === before?.nodePort) delete port.nodePort
    }
  }
  if (!needsHealthPort(service) && spec.healthCheckNodePort === old.spec.healthCheckNodePort) delete spec.healthCheckNodePort
  if (spec.type === 'ClusterIP' && !spec.externalIPs?.length && spec.externalTrafficPolicy === old.spec.externalTrafficPolicy)
    delete spec.externalTrafficPolicy
  if (spec.type !== 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === old.spec.allocateLoadBalancerNodePorts) {
    delete spec.allocateLoadBalancerNodePorts
  }
}

function setFamilies({ spec }: Mutable<Service>, ranges: readonly AddressRange[]): void {
  const own = ranges[0]?.family ?? 'IPv4'
  const other: Family = own === 'IPv4' ? 'IPv6' : 'IPv4'
  const isHeadless = spec.clusterIP === 'None'
  if (isHeadless && Object.keys(spec.selector ?? {}).length === 0) {
    spec.ipFamilyPolicy ??= 'RequireDualStack'
    spec.ipFamilies ??= spec.ipFamilyPolicy === 'SingleStack' ? [own] : [own, other]
    if (spec.ipFamilies.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
      spec.ipFamilies.push(spec.ipFamilies[0] === own ? other : own)
    return
  }
  const named = isHeadless ? [] : (spec.clusterIPs ?? []).map((address): Family => (address.includes(':') ? 'IPv6' : 'IPv4'))
  spec.ipFamilyPolicy ??= named.length === 2 || spec.ipFamilies?.length === 2 ? 'RequireDualStack' : 'SingleStack'
  if (!spec.ipFamilies?.length) spec.ipFamilies = named.length > 0 ? named : [own]
  const wantsBoth = spec.ipFamilyPolicy !== 'SingleStack' && ranges.length === 2
  if (wantsBoth && spec.ipFamilies.length === 1) spec.ipFamilies.push(spec.ipFamilies[0] === own ? other : own)
  if (spec.ipFamilyPolicy === 'SingleStack' && spec.ipFamilies.length === 2) {
    spec.ipFamilies.length = 1
    if (spec.clusterIPs && spec.clusterIPs.length > 1) spec.clusterIPs.length = 1
  }
}
