import {
  boolean,
  embedded,
  inline,
  list,
  listMap,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ContainerPort, ContainerResizePolicy, ContainerRestartRule, Lifecycle, VolumeDevice, VolumeMount } from './container.ts'
import { ContainerRestartPolicy } from './container-restart-policy.ts'
import { EnvFromSource, EnvVar } from './env-var.ts'
import { Probe } from './probe.ts'
import { PullPolicy } from './pull-policy.ts'
import { ResourceRequirements } from './resource-requirements.ts'
import { SecurityContext } from './security-context.ts'
import { TerminationMessagePolicy } from './termination-message-policy.ts'

export const EphemeralContainerCommon = message('io.k8s.api.core.v1.EphemeralContainerCommon', {
  name: required(1, string),
  image: omitempty(2, string),
  command: omitempty(3, list(string)),
  args: omitempty(4, list(string)),
  workingDir: omitempty(5, string),
  ports: omitempty(6, listMap(ContainerPort, ['containerPort', 'protocol'], { patchStrategy: 'merge', patchMergeKey: 'containerPort' })),
  envFrom: omitempty(19, list(EnvFromSource)),
  env: omitempty(7, listMap(EnvVar, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
  resources: embedded(8, ResourceRequirements),
  resizePolicy: omitempty(23, list(ContainerResizePolicy)),
  restartPolicy: optional(24, ContainerRestartPolicy),
  restartPolicyRules: omitempty(25, list(ContainerRestartRule)),
  volumeMounts: omitempty(9, listMap(VolumeMount, ['mountPath'], { patchStrategy: 'merge', patchMergeKey: 'mountPath' })),
  volumeDevices: omitempty(21, listMap(VolumeDevice, ['devicePath'], { patchStrategy: 'merge', patchMergeKey: 'devicePath' })),
  livenessProbe: optional(10, Probe),
  readinessProbe: optional(11, Probe),
  startupProbe: optional(22, Probe),
  lifecycle: optional(12, Lifecycle),
  terminationMessagePath: omitempty(13, string),
  terminationMessagePolicy: omitempty(20, TerminationMessagePolicy),
  imagePullPolicy: omitempty(14, PullPolicy),
  securityContext: optional(15, SecurityContext),
  stdin: omitempty(16, boolean),
  stdinOnce: omitempty(17, boolean),
  tty: omitempty(18, boolean),
})
export interface EphemeralContainerCommon extends StoredOf<typeof EphemeralContainerCommon> {}

export const EphemeralContainer = message('io.k8s.api.core.v1.EphemeralContainer', {
  ...inline(1, EphemeralContainerCommon),
  targetContainerName: omitempty(2, string),
})
export interface EphemeralContainer extends StoredOf<typeof EphemeralContainer> {}
