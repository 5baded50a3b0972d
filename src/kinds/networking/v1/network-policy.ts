import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  defaulted,
  embedded,
  int32,
  intOrString,
  list,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { Protocol } from '../../core/v1/protocol.ts'
import { ageColumn, nameColumn, selectorText } from '../../meta/v1/columns.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { validateNetworkPolicy } from './network-policy.rules.ts'

export const IPBlock = message('io.k8s.api.networking.v1.IPBlock', {
  cidr: required(1, string, 'The range of addresses.'),
  except: omitempty(2, list(string), 'Parts of the range that are not meant.'),
})
export interface IPBlock extends StoredOf<typeof IPBlock> {}

export const NetworkPolicyPeer = message('io.k8s.api.networking.v1.NetworkPolicyPeer', {
  podSelector: optional(1, LabelSelector, 'Which pods are meant, by their labels.'),
  namespaceSelector: optional(2, LabelSelector, 'Which namespaces are meant, by their labels.'),
  ipBlock: optional(3, IPBlock, 'A range of addresses.'),
})
export interface NetworkPolicyPeer extends StoredOf<typeof NetworkPolicyPeer> {}

export const NetworkPolicyPort = message('io.k8s.api.networking.v1.NetworkPolicyPort', {
  protocol: defaulted(1, Protocol, 'TCP', 'TCP, UDP or SCTP.'),
  port: optional(2, intOrString, 'The port, by number or by name.'),
  endPort: optional(3, int32, 'The last port of a range.'),
})
export interface NetworkPolicyPort extends StoredOf<typeof NetworkPolicyPort> {}

export const NetworkPolicyEgressRule = message('io.k8s.api.networking.v1.NetworkPolicyEgressRule', {
  ports: omitempty(1, list(NetworkPolicyPort), 'The ports; none stands for every port.'),
  to: omitempty(2, list(NetworkPolicyPeer), 'Where traffic may go; none stands for everywhere.'),
})
export interface NetworkPolicyEgressRule extends StoredOf<typeof NetworkPolicyEgressRule> {}

export const NetworkPolicyIngressRule = message('io.k8s.api.networking.v1.NetworkPolicyIngressRule', {
  ports: omitempty(1, list(NetworkPolicyPort), 'The ports; none stands for every port.'),
  from: omitempty(2, list(NetworkPolicyPeer), 'Who may come in; none stands for everyone.'),
})
export interface NetworkPolicyIngressRule extends StoredOf<typeof NetworkPolicyIngressRule> {}

export const NetworkPolicySpec = message(
  'io.k8s.api.networking.v1.NetworkPolicySpec',
  {
    podSelector: embedded(1, LabelSelector, 'The pods that it is about.'),
    ingress: omitempty(2, list(NetworkPolicyIngressRule), 'Who may reach them.'),
    egress: omitempty(3, list(NetworkPolicyEgressRule), 'What they may reach.'),
    policyTypes: defaulted(4, list(oneOf('Ingress', 'Egress')), undefined, 'Which directions it is about.', 'value'),
  },
  {
    applyDefaults(spec) {
      if ((spec.policyTypes ?? []).length === 0) spec.policyTypes = spec.egress ? ['Ingress', 'Egress'] : ['Ingress']
    },
  },
)
export interface NetworkPolicySpec extends StoredOf<typeof NetworkPolicySpec> {}

export interface NetworkPolicy extends ObjectWith<{ spec: NetworkPolicySpec }> {}

export const NetworkPolicy = defineKind({
  documentation: 'Which traffic pods accept and send.',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.networking.v1',
  shortNames: ['netpol'],
  generation: true,
  spec: NetworkPolicySpec,
  columns: [
    nameColumn,
    {
      name: 'Pod-Selector',
      description:
        "podSelector selects the pods to which this NetworkPolicy object applies. The array of rules is applied to any pods selected by this field. An empty selector matches all pods in the policy's namespace. Multiple network policies can select the same set of pods. In this case, the ingress rules for each are combined additively. This field is optional. If it is not specified, it defaults to an empty selector.",
      of: ({ spec }) => selectorText(spec.podSelector),
    },
    ageColumn,
  ],
  validate: validateNetworkPolicy,
})
