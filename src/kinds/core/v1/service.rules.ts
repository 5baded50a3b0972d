import { draft } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { isPortNumber } from '#machinery/meta/formats.ts'
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '#machinery/meta/names.ts'
import { validateLabels } from '#machinery/meta/validate-object-meta.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { isDualStack, parseIP, validateCIDR, validateIP, validateOrdinaryIP } from '../../meta/v1/ip.ts'
import { validateWord } from '../../meta/v1/rules.ts'
import { validatePort } from './probe.rules.ts'
import { needsHealthCheck } from './service.facts.ts'
import type { Service, ServicePort, ServiceSpec } from './service.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']

export function validateService(service: Service, errors: FieldErrors): void {
  const { metadata, spec } = service
  const at = errors.at('spec')
  const isHeadless = isHeadlessSpec(spec)
  const isExternalName = spec.type === 'ExternalName'
  const hints = metadata.annotations?.['service.kubernetes.io/topology-aware-hints']
  const mode = metadata.annotations?.['service.kubernetes.io/topology-mode']
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    const detail = 'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified'
    errors.at('metadata').at('annotations').key('service.kubernetes.io/topology-mode').invalid(mode, detail)
  }
  if ((spec.ports ?? []).length === 0 && !isHeadless && !isExternalName) at.at('ports').required()
  if (isHeadless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    at.at('clusterIPs').index(0).invalid('None', `may not be set to 'None' for ${spec.type} services`)
  }
  if (isExternalName) validateExternalName(spec, at)
  validatePorts(spec, at.at('ports'))
  validateLabels(spec.selector, at.at('selector'))
  validateAffinity(spec, at)
  validateClusterIPs(spec, at)
  spec.externalIPs?.forEach((ip, index) => {
    if (validateIP(ip, at.at('externalIPs').index(index))) validateOrdinaryIP(ip, at.at('externalIPs').index(index))
  })
  validateWord(spec.type, TYPES, at.at('type'))
  validateLoadBalancer(service, errors)
  validateTraffic(service, at)
}

function isHeadlessSpec({ clusterIPs }: ServiceSpec): boolean {
  return clusterIPs?.length === 1 && clusterIPs[0] === 'None'
}

function validateExternalName(
  { clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalName = '' }: ServiceSpec,
  errors: FieldErrors,
): void {
  const detail = 'may not be set for ExternalName services'
  if (clusterIPs.length > 0) errors.at('clusterIPs').forbidden(detail)
  if (ipFamilies.length > 0) errors.at('ipFamilies').forbidden(detail)
  if (ipFamilyPolicy !== undefined) errors.at('ipFamilyPolicy').forbidden(detail)
  const name = externalName.endsWith('.') ? externalName.slice(0, -1) : externalName
  if (name === '') errors.at('externalName').required()
  else errors.at('externalName').invalidEach(name, isDNS1123Subdomain(name))
}

function validatePorts({ ports = [], type }: ServiceSpec, errors: FieldErrors): void {
  const names = new Set<string>()
  const numbers = new Set<string>()
  const nodePorts = new Set<string>()
  ports.forEach((port, index) => {
    const at = errors.index(index)
    validateServicePort(port, ports.length > 1, names, at)
    if (port.nodePort) {
      if (type === 'ClusterIP') at.at('nodePort').forbidden("may not be used when `type` is 'ClusterIP'")
      const key = `${port.protocol} ${port.nodePort}`
      if (nodePorts.has(key)) at.at('nodePort').duplicate(port.nodePort)
      nodePorts.add(key)
    }
    const key = `${port.protocol} ${port.port}`
    if (numbers.has(key)) {
      at.duplicate({ Name: '', Protocol: port.protocol, AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 })
    }
    numbers.add(key)
  })
}

function validateServicePort(port: ServicePort, requiresName: boolean, names: Set<string>, errors: FieldErrors): void {
  const { name = '', appProtocol } = port
  if (name !== '') {
    errors.at('name').invalidEach(name, isDNS1123Label(name))
    if (names.has(name)) errors.at('name').duplicate(name)
    names.add(name)
  } else if (requiresName) errors.at('name').required()
  errors.at('port').invalidEach(port.port, isPortNumber(port.port))
  validateWord(port.protocol, ['SCTP', 'TCP', 'UDP'], errors.at('protocol'))
  validatePort(port.targetPort, errors.at('targetPort'))
  if (appProtocol !== undefined) errors.at('appProtocol').invalidEach(appProtocol, isQualifiedName(appProtocol))
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec, errors: FieldErrors): void {
  validateWord(sessionAffinity, ['ClientIP', 'None'], errors.at('sessionAffinity'))
  if (sessionAffinity !== 'ClientIP') return
  const at = errors.at('sessionAffinityConfig').at('clientIP').at('timeoutSeconds')
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds === undefined) at.required('when session affinity type is ClientIP')
  else if (seconds <= 0 || seconds > 86_400) at.invalid(seconds, 'must be greater than 0 and less than 86400')
}

const FAMILIES = ['IPv4', 'IPv6']
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

/** Addresses, families and the wish for one or two of them have to agree: what is asked even before addresses are given. */
export function validateClusterIPs(
  { type, clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy }: ServiceSpec,
  errors: FieldErrors,
): void {
  if (type === 'ExternalName') return
  const families = errors.at('ipFamilies')
  ipFamilies.forEach((family, index) => {
    if (!FAMILIES.includes(family)) families.index(index).notSupported(family, FAMILIES)
    if (ipFamilies.indexOf(family) < index) families.index(index).duplicate(family)
  })
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) errors.at('ipFamilyPolicy').notSupported(ipFamilyPolicy, POLICIES)
  const at = errors.at('clusterIPs')
  if (clusterIPs.length === 0) {
    if (clusterIP !== '') at.required()
  } else if (clusterIP === '') errors.at('clusterIP').required()
  else if (clusterIPs[0] !== clusterIP) at.invalid(clusterIPs, 'first value must match `clusterIP`')
  let isValid = true
  clusterIPs.forEach((ip, index) => {
    if (ip === 'None') {
      if (index > 0 || clusterIPs.length > 1) {
        isValid = false
        at.index(index).invalid(ip, "'None' must be the first and only value")
      }
    } else if (ip === '') {
      isValid = false
      at.index(index).invalid(ip, 'must be empty when `clusterIPs` is not specified')
    } else if (!validateIP(ip, at.index(index))) isValid = false
  })
  if (clusterIPs.length > 2) at.invalid(clusterIPs, 'may only hold up to 2 values')
  if (!isValid) return
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs.map(parseIP))) {
    at.invalid(clusterIPs, 'may specify no more than one IP for each IP family')
  }
  clusterIPs.forEach((ip, index) => {
    const family = ipFamilies[index]
    const actual = parseIP(ip)?.family
    if (family !== undefined && actual !== undefined && FAMILIES.includes(family) && family !== actual) {
      at.index(index).invalid(ip, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``)
    }
  })
}

function validateLoadBalancer({ metadata, spec }: Service, errors: FieldErrors): void {
  const at = errors.at('spec')
  const isBalanced = spec.type === 'LoadBalancer'
  const only = "may only be used when `type` is 'LoadBalancer'"
  const ranges = spec.loadBalancerSourceRanges ?? []
  const annotation = metadata.annotations?.['service.beta.kubernetes.io/load-balancer-source-ranges']
  if (ranges.length > 0) {
    if (!isBalanced) at.at('LoadBalancerSourceRanges').forbidden(only)
    ranges.forEach((range, index) => {
      validateCIDR(range.trim(), at.at('LoadBalancerSourceRanges').index(index))
    })
  } else if (annotation !== undefined) {
    const path = errors.at('metadata').at('annotations').key('service.beta.kubernetes.io/load-balancer-source-ranges')
    if (!isBalanced) path.forbidden(only)
    for (const range of annotation.trim() === '' ? [] : annotation.split(',')) validateCIDR(range.trim(), path)
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced) at.at('allocateLoadBalancerNodePorts').forbidden(only)
  if (spec.loadBalancerClass !== undefined) {
    if (isBalanced) at.at('loadBalancerClass').invalidEach(spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass))
    else at.at('loadBalancerClass').forbidden(only)
  }
}

const TRAFFIC = ['Cluster', 'Local']
const DISTRIBUTION = ['PreferClose', 'PreferSameNode', 'PreferSameZone']

function validateTraffic(service: Service, errors: FieldErrors): void {
  const { type, externalTrafficPolicy, internalTrafficPolicy, externalIPs = [], healthCheckNodePort, trafficDistribution } = service.spec
  const isExternal = type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && externalIPs.length > 0)
  const at = errors.at('externalTrafficPolicy')
  if (isExternal) validateWord(externalTrafficPolicy, TRAFFIC, at)
  else if (externalTrafficPolicy) at.invalid(externalTrafficPolicy, 'may only be set for externally-accessible services')
  if (healthCheckNodePort) {
    if (needsHealthCheck(service)) errors.at('healthCheckNodePort').invalidEach(healthCheckNodePort, isPortNumber(healthCheckNodePort))
    else {
      const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
      errors.at('healthCheckNodePort').invalid(healthCheckNodePort, detail)
    }
  }
  if (internalTrafficPolicy !== undefined && !TRAFFIC.includes(internalTrafficPolicy)) {
    errors.at('internalTrafficPolicy').notSupported(internalTrafficPolicy, TRAFFIC)
  }
  if (trafficDistribution !== undefined && !DISTRIBUTION.includes(trafficDistribution)) {
    errors.at('trafficDistribution').notSupported(trafficDistribution, DISTRIBUTION)
  }
}

/** The older and the newer field for addresses say the same. */
export function normalizeClusterIPs({ spec }: Mutable<Service>, old: Service | undefined): void {
  if (spec.type === 'ExternalName') {
    if (old && old.spec.type !== 'ExternalName') releaseWhatIsUnchanged(spec, old.spec)
    if (spec.clusterIP && !spec.clusterIPs) spec.clusterIPs = [spec.clusterIP]
    return
  }
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs) spec.clusterIPs = [spec.clusterIP]
    return
  }
  const isSame = spec.clusterIP === old.spec.clusterIP
  if (!isSame && sameList(spec.clusterIPs, old.spec.clusterIPs)) {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP]
    else if (old.spec.clusterIP) delete spec.clusterIPs
  }
}

function releaseWhatIsUnchanged(spec: Mutable<ServiceSpec>, old: ServiceSpec): void {
  if (spec.clusterIP === old.clusterIP) delete spec.clusterIP
  if (sameList(spec.clusterIPs, old.clusterIPs)) delete spec.clusterIPs
  if (sameList(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies
  if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy
}

function sameList(left: readonly string[] | undefined, right: readonly string[] | undefined): boolean {
  return (left ?? []).join() === (right ?? []).join()
}

/** What was allocated is kept by an update that does not mention it. */
export function prepareServiceUpdate(service: Mutable<Service>, old: Service): void {
  const { spec } = service
  normalizeClusterIPs(service, old)
  if (spec.type === 'ExternalName') {
    if (old.spec.type !== 'ExternalName' && spec.internalTrafficPolicy === old.spec.internalTrafficPolicy) delete spec.internalTrafficPolicy
    return
  }
  if (old.spec.type !== 'ExternalName') {
    if (!spec.clusterIP && !spec.clusterIPs) {
      if (old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP
      if (old.spec.clusterIPs) spec.clusterIPs = draft(old.spec.clusterIPs)
    }
    if (!spec.ipFamilies && old.spec.ipFamilies) spec.ipFamilies = draft(old.spec.ipFamilies)
    if (spec.ipFamilyPolicy === undefined && old.spec.ipFamilyPolicy) spec.ipFamilyPolicy = old.spec.ipFamilyPolicy
  }
  if (spec.type === 'ClusterIP') {
    if (old.spec.type !== 'ClusterIP') for (const port of spec.ports ?? []) if (isUnchanged(port, old)) delete port.nodePort
  } else keepNodePorts(spec, old.spec)
  if (needsHealthCheck(service as Service) && needsHealthCheck(old) && !spec.healthCheckNodePort && old.spec.healthCheckNodePort) {
    spec.healthCheckNodePort = old.spec.healthCheckNodePort
  }
  if (!needsHealthCheck(service as Service) && spec.healthCheckNodePort === old.spec.healthCheckNodePort) delete spec.healthCheckNodePort
  if (old.spec.type === 'LoadBalancer' && (spec.type as string) !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.spec.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.spec.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (spec.type === 'ClusterIP' && !spec.externalIPs && spec.externalTrafficPolicy === old.spec.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy
  }
}

function isUnchanged(port: ServicePort, old: Service): boolean {
  return old.spec.ports?.some(other => other.nodePort === port.nodePort && other.protocol === port.protocol) ?? false
}

function keepNodePorts(spec: Mutable<ServiceSpec>, old: ServiceSpec): void {
  const taken = new Set((spec.ports ?? []).map(({ nodePort, protocol }) => `${protocol} ${nodePort ?? 0}`))
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue
    const before = old.ports?.find(other => other.port === port.port && other.protocol === port.protocol)
    if (!before?.nodePort || taken.has(`${before.protocol} ${before.nodePort}`)) continue
    port.nodePort = before.nodePort
    taken.add(`${port.protocol} ${port.nodePort}`)
  }
}

export function validateServiceUpdate(service: Service, old: Service, errors: FieldErrors, subresource: string): void {
  const at = errors.at('spec')
  if (subresource === 'status') {
    validateStatus(service, errors.at('status').at('loadBalancer').at('ingress'))
    return
  }
  const { spec } = service
  if (spec.type === 'LoadBalancer' && old.spec.type === 'LoadBalancer' && spec.loadBalancerClass !== old.spec.loadBalancerClass) {
    at.at('loadBalancerClass').invalid(spec.loadBalancerClass ?? null, 'may not change once set')
  }
  if (needsHealthCheck(old) && needsHealthCheck(service) && spec.healthCheckNodePort !== old.spec.healthCheckNodePort) {
    at.at('healthCheckNodePort').forbidden('field is immutable')
  }
  if (spec.type === 'ExternalName' || old.spec.type === 'ExternalName') return
  if (isHeadlessSpec(spec) && isHeadlessSpec(old.spec)) return
  validateKept(spec, old.spec, 'clusterIPs', 'clusterIP', at)
  if (isHeadlessSpec(spec) === isHeadlessSpec(old.spec)) validateKept(spec, old.spec, 'ipFamilies', 'ipFamily', at)
}

/** The first address and family stay; a second one may come and go. */
function validateKept(spec: ServiceSpec, old: ServiceSpec, list: 'clusterIPs' | 'ipFamilies', what: string, errors: FieldErrors): void {
  const now: readonly string[] = spec[list] ?? []
  const before: readonly string[] = old[list] ?? []
  if (now.length === before.length) {
    before.forEach((value, index) => {
      if (value !== now[index])
        errors
          .at(list)
          .index(list === 'clusterIPs' ? index : 0)
          .invalid(now, 'may not change once set')
    })
    return
  }
  if (now.length === 0)
    errors
      .at(list)
      .index(0)
      .invalid(spec[list] ?? null, `primary ${what} can not be unset`)
  else if (before.length > 0 && now[0] !== before[0]) errors.at(list).index(0).invalid(now, 'may not change once set')
  if (now.length === 1 && before.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.at('ipFamilyPolicy').invalid(spec.ipFamilyPolicy ?? null, `must be set to 'SingleStack' when releasing the secondary ${what}`)
  }
}

function validateStatus({ spec, status }: Service, errors: FieldErrors): void {
  status.loadBalancer.ingress?.forEach(({ ip = '', ipMode, hostname = '' }, index) => {
    const at = errors.index(index)
    if (ip !== '') validateIP(ip, at.at('ip'))
    if (ip !== '' && ipMode === undefined) at.at('ipMode').required('must be specified when `ip` is set')
    if (ipMode !== undefined) {
      if (ip === '') at.at('ipMode').forbidden('may not be specified when `ip` is not set')
      if (ipMode !== 'VIP' && ipMode !== 'Proxy') at.at('ipMode').notSupported(ipMode, ['Proxy', 'VIP'])
    }
    if (hostname === '') return
    at.at('hostname').invalidEach(hostname, isDNS1123Subdomain(hostname))
    if (parseIP(hostname)) at.at('hostname').invalid(hostname, 'must be a DNS name, not an IP address')
  })
  if (spec.type !== 'LoadBalancer' && (status.loadBalancer.ingress ?? []).length > 0) {
    errors.forbidden("may only be used when `spec.type` is 'LoadBalancer'")
  }
}

/** Fields that do nothing, or not what one might think. */
export function serviceWarnings({ metadata, spec }: Service): string[] {
  const warnings: string[] = []
  if (metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined) {
    warnings.push(
      'metadata.annotations[service.kubernetes.io/topology-aware-hints]: deprecated; use metadata.annotations[service.kubernetes.io/topology-mode] instead',
    )
  }
  if (spec.type === 'ExternalName' && spec.externalIPs) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (spec.type !== 'ExternalName' && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return warnings
}
