import { validateClusterIPs } from '#kinds/core/v1/service.rules.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
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
  refuseWith(service, errors => validateClusterIPs(spec as Service['spec'], errors.at('spec')))
  refuseWith(service, errors => checkNamedFamilies(service, ranges, errors.at('spec')))
  setFamilies(service, ranges)
  refuseWith(service, errors => checkFamilies(service, ranges, errors.at('spec')))
}

/** 422 if `check` finds something: what follows relies on it. */
function refuseWith({ metadata }: Mutable<Service>, check: (errors: FieldErrors) => void): void {
  const errors = new FieldErrors()
  check(errors)
  if (!errors.isEmpty) throw invalid({ group: '', kind: 'Service' }, metadata.name ?? '', errors.all)
}

/** An address that was named has to be of a family that the cluster has. */
function checkNamedFamilies({ spec }: Mutable<Service>, ranges: readonly AddressRange[], errors: FieldErrors): void {
  const named = spec.clusterIPs ?? []
  if (named[0] === 'None') return
  named.forEach((address, index) => {
    const family = familyOf(address)
    if (spec.ipFamilies?.[index] !== undefined || ranges.some(range => range.family === family)) return
    errors.at('clusterIPs').index(index).invalid(named, `${family} is not configured on this cluster`)
  })
}

/** The same for families; a headless Service without a selector may have any, for nobody but its owner gives it addresses. */
function checkFamilies({ spec }: Mutable<Service>, ranges: readonly AddressRange[], errors: FieldErrors): void {
  if (spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0) return
  spec.ipFamilies?.forEach((family, index) => {
    if (!ranges.some(range => range.family === family))
      errors.at('ipFamilies').index(index).invalid(family, 'not configured on this cluster')
  })
  if (spec.ipFamilyPolicy === 'RequireDualStack' && ranges.length < 2) {
    errors.at('ipFamilyPolicy').invalid(spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services')
  }
}

function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4'
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
  const named = isHeadless ? [] : (spec.clusterIPs ?? []).map(familyOf)
  spec.ipFamilyPolicy ??= named.length === 2 || spec.ipFamilies?.length === 2 ? 'RequireDualStack' : 'SingleStack'
  if (!spec.ipFamilies?.length) spec.ipFamilies = named.length > 0 ? named : [own]
  const wantsBoth = spec.ipFamilyPolicy !== 'SingleStack' && ranges.length === 2
  if (wantsBoth && spec.ipFamilies.length === 1) spec.ipFamilies.push(spec.ipFamilies[0] === own ? other : own)
  if (spec.ipFamilyPolicy === 'SingleStack' && spec.ipFamilies.length === 2) {
    spec.ipFamilies.length = 1
    if (spec.clusterIPs && spec.clusterIPs.length > 1) spec.clusterIPs.length = 1
  }
}
