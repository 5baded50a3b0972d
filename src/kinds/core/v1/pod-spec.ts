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
  ip: required(1, string),
  hostnames: omitempty(2, list(string)),
})
export interface HostAlias extends StoredOf<typeof HostAlias> {}

export const PodDNSConfigOption = message('io.k8s.api.core.v1.PodDNSConfigOption', {
  name: omitempty(1, string),
  value: optional(2, string),
})
export interface PodDNSConfigOption extends StoredOf<typeof PodDNSConfigOption> {}

export const PodDNSConfig = message('io.k8s.api.core.v1.PodDNSConfig', {
  nameservers: omitempty(1, list(string)),
  searches: omitempty(2, list(string)),
  options: omitempty(3, list(PodDNSConfigOption)),
})
export interface PodDNSConfig extends StoredOf<typeof PodDNSConfig> {}

export const PodOS = message('io.k8s.api.core.v1.PodOS', {
  name: required(1, oneOf('linux', 'windows')),
})
export interface PodOS extends StoredOf<typeof PodOS> {}

export const PodReadinessGate = message('io.k8s.api.core.v1.PodReadinessGate', {
  conditionType: required(1, string),
})
export interface PodReadinessGate extends StoredOf<typeof PodReadinessGate> {}

export const PodResourceClaim = message('io.k8s.api.core.v1.PodResourceClaim', {
  name: required(1, string),
  resourceClaimName: optional(3, string),
  resourceClaimTemplateName: optional(4, string),
})
export interface PodResourceClaim extends StoredOf<typeof PodResourceClaim> {}

export const PodSchedulingGate = message('io.k8s.api.core.v1.PodSchedulingGate', {
  name: required(1, string),
})
export interface PodSchedulingGate extends StoredOf<typeof PodSchedulingGate> {}

export const PodSchedulingGroup = message('io.k8s.api.core.v1.PodSchedulingGroup', {
  podGroupName: optional(1, string),
})
export interface PodSchedulingGroup extends StoredOf<typeof PodSchedulingGroup> {}

export const PodSpec = message(
  'io.k8s.api.core.v1.PodSpec',
  {
    volumes: omitempty(1, listMap(Volume, ['name'], { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' })),
    initContainers: omitempty(20, listMap(Container, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
    containers: required(2, listMap(Container, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
    ephemeralContainers: omitempty(34, listMap(EphemeralContainer, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
    restartPolicy: defaulted(3, oneOf('Always', 'OnFailure', 'Never'), 'Always', '', 'value'),
    terminationGracePeriodSeconds: defaulted(4, int64, 30),
    activeDeadlineSeconds: optional(5, int64),
    dnsPolicy: defaulted(6, oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'), 'ClusterFirst', '', 'value'),
    nodeSelector: omitempty(7, atomicMap(string)),
    serviceAccountName: omitempty(8, string),
    serviceAccount: omitempty(9, string),
    automountServiceAccountToken: optional(21, boolean),
    nodeName: omitempty(10, string),
    hostNetwork: omitempty(11, boolean),
    hostPID: omitempty(12, boolean),
    hostIPC: omitempty(13, boolean),
    shareProcessNamespace: optional(27, boolean),
    securityContext: defaulted(14, PodSecurityContext, {}),
    imagePullSecrets: omitempty(15, listMap(LocalObjectReference, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
    hostname: omitempty(16, string),
    subdomain: omitempty(17, string),
    affinity: optional(18, Affinity),
    schedulerName: defaulted(19, string, 'default-scheduler', '', 'value'),
    tolerations: omitempty(22, list(Toleration)),
    hostAliases: omitempty(23, listMap(HostAlias, ['ip'], { patchStrategy: 'merge', patchMergeKey: 'ip' })),
    priorityClassName: omitempty(24, string),
    priority: optional(25, int32),
    dnsConfig: optional(26, PodDNSConfig),
    readinessGates: omitempty(28, list(PodReadinessGate)),
    runtimeClassName: optional(29, string),
    enableServiceLinks: optional(30, boolean),
    preemptionPolicy: optional(31, PreemptionPolicy),
    overhead: omitempty(32, map(quantity)),
    topologySpreadConstraints: omitempty(
      33,
      listMap(TopologySpreadConstraint, ['topologyKey', 'whenUnsatisfiable'], { patchStrategy: 'merge', patchMergeKey: 'topologyKey' }),
    ),
    setHostnameAsFQDN: optional(35, boolean),
    os: optional(36, PodOS),
    hostUsers: optional(37, boolean),
    schedulingGates: omitempty(38, listMap(PodSchedulingGate, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
    resourceClaims: omitempty(39, listMap(PodResourceClaim, ['name'], { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' })),
    resources: optional(40, ResourceRequirements),
    hostnameOverride: optional(41, string),
    schedulingGroup: optional(43, PodSchedulingGroup),
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
