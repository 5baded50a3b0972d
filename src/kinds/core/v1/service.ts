import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { nameIsDNSLabel } from '#machinery/meta/names.ts'
import {
  atomicMap,
  boolean,
  defaulted,
  embedded,
  int32,
  intOrString,
  list,
  listMap,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, labelsText, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { Condition } from '../../meta/v1/condition.ts'
import { Protocol } from './protocol.ts'
import { normalizeClusterIPs, prepareServiceUpdate, serviceWarnings, validateService, validateServiceUpdate } from './service.rules.ts'

export const ServicePort = message(
  'io.k8s.api.core.v1.ServicePort',
  {
    name: omitempty(1, string),
    protocol: defaulted(2, Protocol, 'TCP', '', 'value'),
    appProtocol: optional(6, string),
    port: required(3, int32),
    targetPort: defaulted(4, intOrString, undefined, '', 'value'),
    nodePort: omitempty(5, int32),
  },
  {
    applyDefaults(port) {
      port.targetPort ||= port.port
    },
  },
)
export interface ServicePort extends StoredOf<typeof ServicePort> {}

export const ClientIPConfig = message('io.k8s.api.core.v1.ClientIPConfig', {
  timeoutSeconds: optional(1, int32),
})
export interface ClientIPConfig extends StoredOf<typeof ClientIPConfig> {}

export const SessionAffinityConfig = message('io.k8s.api.core.v1.SessionAffinityConfig', {
  clientIP: optional(1, ClientIPConfig),
})
export interface SessionAffinityConfig extends StoredOf<typeof SessionAffinityConfig> {}

export const ServiceSpec = message(
  'io.k8s.api.core.v1.ServiceSpec',
  {
    ports: omitempty(1, listMap(ServicePort, ['port', 'protocol'], { patchStrategy: 'merge', patchMergeKey: 'port' })),
    selector: omitempty(2, atomicMap(string)),
    clusterIP: omitempty(3, string),
    clusterIPs: omitempty(18, list(string)),
    type: defaulted(4, oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'), 'ClusterIP', '', 'value'),
    externalIPs: omitempty(5, list(string)),
    sessionAffinity: defaulted(7, oneOf('ClientIP', 'None'), 'None', '', 'value'),
    loadBalancerIP: omitempty(8, string),
    loadBalancerSourceRanges: omitempty(9, list(string)),
    externalName: omitempty(10, string),
    externalTrafficPolicy: omitempty(11, oneOf('Cluster', 'Local')),
    healthCheckNodePort: omitempty(12, int32),
    publishNotReadyAddresses: omitempty(13, boolean),
    sessionAffinityConfig: optional(14, SessionAffinityConfig),
    ipFamilies: omitempty(19, list(oneOf('IPv4', 'IPv6', ''))),
    ipFamilyPolicy: optional(17, oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack')),
    allocateLoadBalancerNodePorts: optional(20, boolean),
    loadBalancerClass: optional(21, string),
    internalTrafficPolicy: optional(22, oneOf('Cluster', 'Local')),
    trafficDistribution: optional(23, string),
  },
  {
    applyDefaults(spec) {
      if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
      else if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
        spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } }
      }
      const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
      if (isExternal || (spec.type === 'ClusterIP' && spec.externalIPs)) spec.externalTrafficPolicy ??= 'Cluster'
      if (isExternal || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster'
      if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
    },
  },
)
export interface ServiceSpec extends StoredOf<typeof ServiceSpec> {}

export const PortStatus = message('io.k8s.api.core.v1.PortStatus', {
  port: required(1, int32),
  protocol: required(2, Protocol),
  error: optional(3, string),
})
export interface PortStatus extends StoredOf<typeof PortStatus> {}

export const LoadBalancerIngress = message('io.k8s.api.core.v1.LoadBalancerIngress', {
  ip: omitempty(1, string),
  hostname: omitempty(2, string),
  ipMode: optional(3, oneOf('VIP', 'Proxy')),
  ports: omitempty(4, list(PortStatus)),
})
export interface LoadBalancerIngress extends StoredOf<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = message('io.k8s.api.core.v1.LoadBalancerStatus', {
  ingress: omitempty(1, list(LoadBalancerIngress)),
})
export interface LoadBalancerStatus extends StoredOf<typeof LoadBalancerStatus> {}

export const ServiceStatus = message('io.k8s.api.core.v1.ServiceStatus', {
  loadBalancer: embedded(1, LoadBalancerStatus),
  conditions: omitempty(2, listMap(Condition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' })),
})
export interface ServiceStatus extends StoredOf<typeof ServiceStatus> {}

export interface Service extends ObjectWith<{ spec: ServiceSpec; status: ServiceStatus }> {}

export const Service = defineKind({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [
    {
      name: 'proxy',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
      kind: { group: '', version: 'v1', kind: 'ServiceProxyOptions' },
    },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
  createOnUpdate: true,
  deleteReturnsObject: true,
  storagePrefix: 'services/specs',
  spec: ServiceSpec,
  status: ServiceStatus,
  columns: [
    nameColumn,
    { name: 'Type', of: ({ spec }) => spec.type },
    { name: 'Cluster-IP', of: ({ spec }) => spec.clusterIPs?.[0] ?? NONE },
    { name: 'External-IP', of: externalText },
    { name: 'Port(s)', of: ({ spec }) => (spec.ports ?? []).map(portText).join(',') || NONE },
    ageColumn,
    { name: 'Selector', priority: 1, of: ({ spec }) => labelsText(spec.selector) },
  ],
  prepareCreate(service) {
    service.status = { loadBalancer: {} }
    normalizeClusterIPs(service, undefined)
  },
  prepareUpdate(service, old, { subresource }) {
    if (subresource === '') prepareServiceUpdate(service, old)
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  warnings: service => serviceWarnings(service),
  validateName: nameIsDNSLabel,
  selectableFields: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type },
})

/** Where it is reached from outside: addresses of its load balancer and those that its owner named. */
function externalText({ spec, status }: Service): string {
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  const own = spec.externalIPs ?? []
  if (spec.type !== 'LoadBalancer') return own.join(',') || NONE
  const balancer = [...new Set((status.loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip || hostname || ''))].filter(Boolean).sort()
  return [...balancer, ...own].join(',') || '<pending>'
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`
}
