import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  embedded,
  inline,
  int32,
  list,
  message,
  needed,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { TypedLocalObjectReference } from '../../core/v1/object-reference.ts'
import { Protocol } from '../../core/v1/protocol.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { validateIngress, validateIngressStatus, validateNewIngress } from './ingress.rules.ts'

export const ServiceBackendPort = message(
  'io.k8s.api.networking.v1.ServiceBackendPort',
  {
    name: omitempty(1, string, 'The name of the port.'),
    number: omitempty(2, int32, 'The number of the port.'),
  },
  { mapType: 'atomic' },
)
export interface ServiceBackendPort extends StoredOf<typeof ServiceBackendPort> {}

export const IngressServiceBackend = message('io.k8s.api.networking.v1.IngressServiceBackend', {
  name: required(1, string, 'The service.'),
  port: embedded(2, ServiceBackendPort, 'The port of the service.'),
})
export interface IngressServiceBackend extends StoredOf<typeof IngressServiceBackend> {}

export const IngressBackend = message('io.k8s.api.networking.v1.IngressBackend', {
  service: optional(4, IngressServiceBackend, 'A service.'),
  resource: optional(3, TypedLocalObjectReference, 'Some other object.'),
})
export interface IngressBackend extends StoredOf<typeof IngressBackend> {}

export const HTTPIngressPath = message('io.k8s.api.networking.v1.HTTPIngressPath', {
  path: omitempty(1, string, 'The path.'),
  pathType: needed(3, oneOf('Exact', 'Prefix', 'ImplementationSpecific'), 'How paths are compared.'),
  backend: required(2, IngressBackend, 'Who answers.'),
})
export interface HTTPIngressPath extends StoredOf<typeof HTTPIngressPath> {}

export const HTTPIngressRuleValue = message('io.k8s.api.networking.v1.HTTPIngressRuleValue', {
  paths: required(1, list(HTTPIngressPath), 'Who answers for which path.'),
})
export interface HTTPIngressRuleValue extends StoredOf<typeof HTTPIngressRuleValue> {}

export const IngressRuleValue = message('io.k8s.api.networking.v1.IngressRuleValue', {
  http: optional(1, HTTPIngressRuleValue, 'Where requests to the host go, by their paths.'),
})
export interface IngressRuleValue extends StoredOf<typeof IngressRuleValue> {}

export const IngressRule = message('io.k8s.api.networking.v1.IngressRule', {
  host: omitempty(1, string, 'The host; none stands for every host.'),
  ...inline(2, IngressRuleValue),
})
export interface IngressRule extends StoredOf<typeof IngressRule> {}

export const IngressTLS = message('io.k8s.api.networking.v1.IngressTLS', {
  hosts: omitempty(1, list(string), 'The hosts of the certificate.'),
  secretName: omitempty(2, string, 'The secret.'),
})
export interface IngressTLS extends StoredOf<typeof IngressTLS> {}

export const IngressSpec = message('io.k8s.api.networking.v1.IngressSpec', {
  ingressClassName: optional(4, string, 'Who serves it.'),
  defaultBackend: optional(1, IngressBackend, 'Who answers what no rule matches.'),
  tls: omitempty(2, list(IngressTLS), 'Certificates by host.'),
  rules: omitempty(3, list(IngressRule), 'Who answers for which host and path.'),
})
export interface IngressSpec extends StoredOf<typeof IngressSpec> {}

export const IngressPortStatus = message('io.k8s.api.networking.v1.IngressPortStatus', {
  port: required(1, int32, 'The port.'),
  protocol: required(2, Protocol, 'TCP, UDP or SCTP.'),
  error: optional(3, string, 'What is wrong with it.'),
})
export interface IngressPortStatus extends StoredOf<typeof IngressPortStatus> {}

export const IngressLoadBalancerIngress = message('io.k8s.api.networking.v1.IngressLoadBalancerIngress', {
  ip: omitempty(1, string, 'Its address.'),
  hostname: omitempty(2, string, 'Its name.'),
  ports: omitempty(4, list(IngressPortStatus), 'The state of its ports.'),
})
export interface IngressLoadBalancerIngress extends StoredOf<typeof IngressLoadBalancerIngress> {}

export const IngressLoadBalancerStatus = message('io.k8s.api.networking.v1.IngressLoadBalancerStatus', {
  ingress: omitempty(1, list(IngressLoadBalancerIngress), 'The addresses of the load balancer.'),
})
export interface IngressLoadBalancerStatus extends StoredOf<typeof IngressLoadBalancerStatus> {}

export const IngressStatus = message('io.k8s.api.networking.v1.IngressStatus', {
  loadBalancer: embedded(1, IngressLoadBalancerStatus, 'Where the load balancer is.'),
})
export interface IngressStatus extends StoredOf<typeof IngressStatus> {}

export interface Ingress extends ObjectWith<{ spec: IngressSpec; status: IngressStatus }> {}

export const Ingress = defineKind({
  documentation: 'Routes HTTP requests from outside to services.',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.networking.v1',
  shortNames: ['ing'],
  subresources: [statusSubresource],
  generation: true,
  storagePrefix: 'ingress',
  spec: IngressSpec,
  status: IngressStatus,
  columns: [
    nameColumn,
    {
      name: 'Class',
      description: 'The name of the IngressClass resource that should be used for additional configuration',
      of: ({ spec }) => spec.ingressClassName ?? NONE,
    },
    {
      name: 'Hosts',
      description: 'Hosts that incoming requests are matched against before the ingress rule',
      of: ({ spec }) => hostsText(spec.rules),
    },
    {
      name: 'Address',
      description: 'Address is a list containing ingress points for the load-balancer',
      of: ({ status }) => addressText(status),
    },
    { name: 'Ports', description: 'Ports of TLS configurations that open', of: ({ spec }) => (spec.tls ? '80, 443' : '80') },
    ageColumn,
  ],
  prepareCreate(ingress) {
    ingress.status = { loadBalancer: {} }
  },
  validate: validateIngress,
  validateCreate: validateNewIngress,
  validateUpdate: ({ status }, _old, errors, subresource) => {
    if (subresource === 'status') validateIngressStatus(status, errors.at('status').at('loadBalancer').at('ingress'))
  },
  warnings: ({ metadata }, old) =>
    !old && metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined
      ? ['annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead']
      : [],
})

function hostsText(rules: readonly IngressRule[] | undefined): string {
  const hosts = (rules ?? []).map(rule => rule.host || '*')
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, 3).join(',')
  return hosts.length > 3 ? `${shown} + ${hosts.length - 3} more...` : shown
}

function addressText({ loadBalancer }: IngressStatus): string {
  const addresses = (loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean)
  return [...new Set(addresses)].sort().join(',')
}
