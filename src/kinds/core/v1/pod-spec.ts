import {
  atomicMap,
  boolean,
  defaulted,
  int32,
  int64,
  list,
  listMap,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { Affinity } from './affinity.ts'
import { Container } from './container.ts'
import { EphemeralContainer } from './ephemeral-container.ts'
import { LocalObjectReference } from './object-reference.ts'
import { PreemptionPolicy } from './preemption-policy.ts'
import { ResourceRequirements, roundUp } from './resource-requirements.ts'
import { PodSecurityContext } from './security-context.ts'
import { Toleration } from './toleration.ts'
import { TopologySpreadConstraint } from './topology-spread-constraint.ts'
import { Volume } from './volume.ts'

export const HostAlias = message('io.k8s.api.core.v1.HostAlias', {
  ip: required(1, string, 'The address.'),
  hostnames: omitempty(2, list(string), 'Names that resolve to the address.'),
})
export interface HostAlias extends StoredOf<typeof HostAlias> {}

export const PodDNSConfigOption = message('io.k8s.api.core.v1.PodDNSConfigOption', {
  name: omitempty(1, string, 'The option.'),
  value: optional(2, string, 'Its value.'),
})
export interface PodDNSConfigOption extends StoredOf<typeof PodDNSConfigOption> {}

export const PodDNSConfig = message('io.k8s.api.core.v1.PodDNSConfig', {
  nameservers: omitempty(1, list(string), 'Addresses of name servers.'),
  searches: omitempty(2, list(string), 'Domains to search.'),
  options: omitempty(3, list(PodDNSConfigOption), 'Further options.'),
})
export interface PodDNSConfig extends StoredOf<typeof PodDNSConfig> {}

export const PodOS = message('io.k8s.api.core.v1.PodOS', {
  name: required(1, oneOf('linux', 'windows'), '`linux` or `windows`.'),
})
export interface PodOS extends StoredOf<typeof PodOS> {}

export const PodReadinessGate = message('io.k8s.api.core.v1.PodReadinessGate', {
  conditionType: required(1, string, 'The condition of the pod that must hold.'),
})
export interface PodReadinessGate extends StoredOf<typeof PodReadinessGate> {}

export const PodResourceClaim = message('io.k8s.api.core.v1.PodResourceClaim', {
  name: required(1, string, 'The name by which containers refer to it.'),
  resourceClaimName: optional(3, string, 'The claim.'),
  resourceClaimTemplateName: optional(4, string, 'The template of a claim for this pod alone.'),
})
export interface PodResourceClaim extends StoredOf<typeof PodResourceClaim> {}

export const PodSchedulingGate = message('io.k8s.api.core.v1.PodSchedulingGate', {
  name: required(1, string, 'The name of the gate.'),
})
export interface PodSchedulingGate extends StoredOf<typeof PodSchedulingGate> {}

export const PodSchedulingGroup = message('io.k8s.api.core.v1.PodSchedulingGroup', {
  podGroupName: optional(1, string, 'The PodGroup, in the same namespace.'),
})
export interface PodSchedulingGroup extends StoredOf<typeof PodSchedulingGroup> {}

export const PodSpec = message(
  'io.k8s.api.core.v1.PodSpec',
  {
    volumes: omitempty(
      1,
      listMap(Volume, ['name'], { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' }),
      'Storage that its containers can mount.',
    ),
    initContainers: omitempty(
      20,
      listMap(Container, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
      'Containers that run to their end, one after the other, before the others start.',
    ),
    containers: required(2, listMap(Container, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }), 'The containers of the pod.'),
    ephemeralContainers: omitempty(
      34,
      listMap(EphemeralContainer, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
      'Containers added to a running pod, for looking inside.',
    ),
    restartPolicy: defaulted(3, oneOf('Always', 'OnFailure', 'Never'), 'Always', 'When containers that ended are started again.', 'value'),
    terminationGracePeriodSeconds: defaulted(4, int64, 30, 'How many seconds the pod has to stop by itself.'),
    activeDeadlineSeconds: optional(5, int64, 'After how many seconds the pod fails.'),
    dnsPolicy: defaulted(
      6,
      oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
      'ClusterFirst',
      'How names are resolved in the pod.',
      'value',
    ),
    nodeSelector: omitempty(7, atomicMap(string), 'Labels that the node must have.'),
    serviceAccountName: omitempty(8, string, 'The service account as which the pod runs.'),
    serviceAccount: omitempty(9, string, 'An old name of `serviceAccountName`.'),
    automountServiceAccountToken: optional(21, boolean, "Whether the account's token is mounted."),
    nodeName: omitempty(10, string, 'The node on which the pod runs; the scheduler sets it.'),
    hostNetwork: omitempty(11, boolean, "Whether it shares the node's network."),
    hostPID: omitempty(12, boolean, "Whether it sees the node's processes."),
    hostIPC: omitempty(13, boolean, "Whether it shares the node's IPC."),
    shareProcessNamespace: optional(27, boolean, "Whether its containers see each other's processes."),
    securityContext: defaulted(14, PodSecurityContext, {}, 'With which rights the pod runs.'),
    imagePullSecrets: omitempty(
      15,
      listMap(LocalObjectReference, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
      'Secrets with which images are pulled.',
    ),
    hostname: omitempty(16, string, 'The host name of the pod.'),
    subdomain: omitempty(17, string, 'The domain that follows the host name.'),
    affinity: optional(18, Affinity, 'Which nodes and which company the pod prefers or needs.'),
    schedulerName: defaulted(19, string, 'default-scheduler', 'Who places the pod on a node.', 'value'),
    tolerations: omitempty(22, list(Toleration), 'Taints of nodes that do not keep the pod away.'),
    hostAliases: omitempty(
      23,
      listMap(HostAlias, ['ip'], { patchStrategy: 'merge', patchMergeKey: 'ip' }),
      'Further lines of the hosts file.',
    ),
    priorityClassName: omitempty(24, string, 'How important the pod is, by name.'),
    priority: optional(25, int32, 'How important the pod is; from its class.'),
    dnsConfig: optional(26, PodDNSConfig, 'Details of name resolution.'),
    readinessGates: omitempty(28, list(PodReadinessGate), 'Conditions that must hold for the pod to be ready.'),
    runtimeClassName: optional(29, string, 'How containers are run.'),
    enableServiceLinks: optional(30, boolean, 'Whether services appear as environment variables.'),
    preemptionPolicy: optional(31, PreemptionPolicy, 'Whether less important pods give way to it.'),
    overhead: omitempty(32, map(quantity), 'What the pod needs beside its containers.'),
    topologySpreadConstraints: omitempty(
      33,
      listMap(TopologySpreadConstraint, ['topologyKey', 'whenUnsatisfiable'], { patchStrategy: 'merge', patchMergeKey: 'topologyKey' }),
      'How the pods of a kind spread over places.',
    ),
    setHostnameAsFQDN: optional(35, boolean, 'Whether the host name includes the domain.'),
    os: optional(36, PodOS, 'The operating system that the pod is made for.'),
    hostUsers: optional(37, boolean, "Whether the pod uses the node's user ids."),
    schedulingGates: omitempty(
      38,
      listMap(PodSchedulingGate, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
      'What must go away before the pod is placed.',
    ),
    resourceClaims: omitempty(
      39,
      listMap(PodResourceClaim, ['name'], { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' }),
      'Claims of devices that its containers can use.',
    ),
    resources: optional(40, ResourceRequirements, 'What the pod as a whole needs and gets at most.'),
    hostnameOverride: optional(41, string, 'The host name, whatever else is said.'),
    schedulingGroup: optional(43, PodSchedulingGroup, 'The group of pods that it is scheduled with.'),
  },
  {
    applyDefaults(spec) {
      const account = spec.serviceAccountName || spec.serviceAccount
      if (account) spec.serviceAccountName = spec.serviceAccount = account
      if (spec.overhead) roundUp(spec.overhead)
    },
  },
)
export interface PodSpec extends StoredOf<typeof PodSpec> {}
