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
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { Protocol } from './protocol.ts'
import { normalizeClusterIPs, prepareServiceUpdate, serviceWarnings, validateService, validateServiceUpdate } from './service.rules.ts'

export const ServicePort = message(
  'io.k8s.api.core.v1.ServicePort',
  {
    name: omitempty(1, string, 'The name of the port, unique in the service.'),
    protocol: defaulted(2, Protocol, 'TCP', 'TCP, UDP or SCTP.', 'value'),
    appProtocol: optional(6, string, 'What is spoken on the port.'),
    port: required(3, int32, 'The port of the service.'),
    targetPort: defaulted(4, intOrString, undefined, 'The port of the pods, by number or by name.', 'value'),
    nodePort: omitempty(5, int32, 'The port of every node that leads here.'),
  },
  {
    applyDefaults(port) {
      port.targetPort ||= port.port
    },
  },
)
export interface ServicePort extends StoredOf<typeof ServicePort> {}

export const ClientIPConfig = message('io.k8s.api.core.v1.ClientIPConfig', {
  timeoutSeconds: optional(1, int32, 'How many seconds to wait for an answer.'),
})
export interface ClientIPConfig extends StoredOf<typeof ClientIPConfig> {}

export const SessionAffinityConfig = message('io.k8s.api.core.v1.SessionAffinityConfig', {
  clientIP: optional(1, ClientIPConfig, "For affinity by the client's address."),
})
export interface SessionAffinityConfig extends StoredOf<typeof SessionAffinityConfig> {}

export const ServiceSpec = message(
  'io.k8s.api.core.v1.ServiceSpec',
  {
    ports: omitempty(
      1,
      listMap(ServicePort, ['port', 'protocol'], { patchStrategy: 'merge', patchMergeKey: 'port' }),
      'The ports of the service.',
    ),
    selector: omitempty(2, atomicMap(string), 'Labels of the pods that answer.'),
    clusterIP: omitempty(3, string, 'The address of the service in the cluster; `None` for none.'),
    clusterIPs: omitempty(18, list(string), 'All its addresses, one per family.'),
    type: defaulted(
      4,
      oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
      'ClusterIP',
      'From where it can be reached.',
      'value',
    ),
    externalIPs: omitempty(5, list(string), 'Further addresses that lead to it.'),
    sessionAffinity: defaulted(7, oneOf('ClientIP', 'None'), 'None', 'Whether a client stays with one pod.', 'value'),
    loadBalancerIP: omitempty(8, string, 'The address to ask the load balancer for.'),
    loadBalancerSourceRanges: omitempty(9, list(string), 'From where the load balancer lets clients in.'),
    externalName: omitempty(10, string, 'The name that it stands for.'),
    externalTrafficPolicy: omitempty(11, oneOf('Cluster', 'Local'), 'Whether traffic from outside stays on the node it came to.'),
    healthCheckNodePort: omitempty(12, int32, 'The port on which nodes say whether they have a pod of it.'),
    publishNotReadyAddresses: omitempty(13, boolean, 'Whether pods that are not ready count.'),
    sessionAffinityConfig: optional(14, SessionAffinityConfig, 'Details of the affinity.'),
    ipFamilies: omitempty(19, list(oneOf('IPv4', 'IPv6', '')), 'IPv4, IPv6 or both, the first one first.'),
    ipFamilyPolicy: optional(17, oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack'), 'Whether one or both families are wanted.'),
    allocateLoadBalancerNodePorts: optional(20, boolean, 'Whether a load balancer needs ports of the nodes.'),
    loadBalancerClass: optional(21, string, 'Who makes the load balancer.'),
    internalTrafficPolicy: optional(22, oneOf('Cluster', 'Local'), 'Whether traffic in the cluster stays on its node.'),
    trafficDistribution: optional(23, string, 'Which pods are preferred.'),
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
  port: required(1, int32, 'The port.'),
  protocol: required(2, Protocol, 'TCP, UDP or SCTP.'),
  error: optional(3, string, 'What is wrong with it.'),
})
export interface PortStatus extends StoredOf<typeof PortStatus> {}

export const LoadBalancerIngress = message('io.k8s.api.core.v1.LoadBalancerIngress', {
  ip: omitempty(1, string, 'Its address.'),
  hostname: omitempty(2, string, 'Its name.'),
  ipMode: optional(3, oneOf('VIP', 'Proxy'), 'Whether packets arrive with the address of the balancer.'),
  ports: omitempty(4, list(PortStatus), 'The state of its ports.'),
})
export interface LoadBalancerIngress extends StoredOf<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = message('io.k8s.api.core.v1.LoadBalancerStatus', {
  ingress: omitempty(1, list(LoadBalancerIngress), 'The addresses of the load balancer.'),
})
export interface LoadBalancerStatus extends StoredOf<typeof LoadBalancerStatus> {}

export const ServiceStatus = message('io.k8s.api.core.v1.ServiceStatus', {
  loadBalancer: embedded(1, LoadBalancerStatus, 'Where the load balancer is.'),
  conditions: omitempty(
    2,
    listMap(Condition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface ServiceStatus extends StoredOf<typeof ServiceStatus> {}

export interface Service extends ObjectWith<{ spec: ServiceSpec; status: ServiceStatus }> {}

export const Service = defineKind({
  documentation: 'A stable address for a set of pods.',
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
    statusSubresource,
  ],
  createOnUpdate: true,
  deleteReturnsObject: true,
  storagePrefix: 'services/specs',
  spec: ServiceSpec,
  status: ServiceStatus,
  columns: [
    nameColumn,
    {
      name: 'Type',
      description:
        'type determines how the Service is exposed. Defaults to ClusterIP. Valid options are ExternalName, ClusterIP, NodePort, and LoadBalancer. "ClusterIP" allocates a cluster-internal IP address for load-balancing to endpoints. Endpoints are determined by the selector or if that is not specified, by manual construction of an Endpoints object or EndpointSlice objects. If clusterIP is "None", no virtual IP is allocated and the endpoints are published as a set of endpoints rather than a virtual IP. "NodePort" builds on ClusterIP and allocates a port on every node which routes to the same endpoints as the clusterIP. "LoadBalancer" builds on NodePort and creates an external load-balancer (if supported in the current cloud) which routes to the same endpoints as the clusterIP. "ExternalName" aliases this service to the specified externalName. Several other fields do not apply to ExternalName services. More info: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types',
      of: ({ spec }) => spec.type,
    },
    {
      name: 'Cluster-IP',
      description:
        'clusterIP is the IP address of the service and is usually assigned randomly. If an address is specified manually, is in-range (as per system configuration), and is not in use, it will be allocated to the service; otherwise creation of the service will fail. This field may not be changed through updates unless the type field is also being changed to ExternalName (which requires this field to be blank) or the type field is being changed from ExternalName (in which case this field may optionally be specified, as describe above).  Valid values are "None", empty string (""), or a valid IP address. Setting this to "None" makes a "headless service" (no virtual IP), which is useful when direct endpoint connections are preferred and proxying is not required.  Only applies to types ClusterIP, NodePort, and LoadBalancer. If this field is specified when creating a Service of type ExternalName, creation will fail. This field will be wiped when updating a Service to type ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies',
      of: ({ spec }) => spec.clusterIPs?.[0] ?? NONE,
    },
    {
      name: 'External-IP',
      description:
        'externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.  These IPs are not managed by Kubernetes.  The user is responsible for ensuring that traffic arrives at a node with this IP.  A common example is external load-balancers that are not part of the Kubernetes system.',
      of: externalText,
    },
    {
      name: 'Port(s)',
      description:
        'The list of ports that are exposed by this service. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies',
      of: ({ spec }) => (spec.ports ?? []).map(portText).join(',') || NONE,
    },
    ageColumn,
    {
      name: 'Selector',
      description:
        'Route service traffic to pods with label keys and values matching this selector. If empty or not present, the service is assumed to have an external process managing its endpoints, which Kubernetes will not modify. Only applies to types ClusterIP, NodePort, and LoadBalancer. Ignored if type is ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/',
      priority: 1,
      of: ({ spec }) => labelsText(spec.selector),
    },
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
