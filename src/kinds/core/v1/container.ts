import {
  boolean,
  defaulted,
  embedded,
  int32,
  int64,
  list,
  listMap,
  listSet,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ContainerRestartPolicy } from './container-restart-policy.ts'
import { EnvFromSource, EnvVar } from './env-var.ts'
import { ExecAction, HTTPGetAction, Probe, TCPSocketAction } from './probe.ts'
import { Protocol } from './protocol.ts'
import { PullPolicy } from './pull-policy.ts'
import { RecursiveReadOnlyMode } from './recursive-read-only-mode.ts'
import { ResourceRequirements } from './resource-requirements.ts'
import { SecurityContext } from './security-context.ts'
import { TerminationMessagePolicy } from './termination-message-policy.ts'

export const ContainerPort = message('io.k8s.api.core.v1.ContainerPort', {
  name: omitempty(1, string),
  hostPort: omitempty(2, int32),
  containerPort: required(3, int32),
  protocol: defaulted(4, Protocol, 'TCP', '', 'value'),
  hostIP: omitempty(5, string),
})
export interface ContainerPort extends StoredOf<typeof ContainerPort> {}

export const ContainerResizePolicy = message('io.k8s.api.core.v1.ContainerResizePolicy', {
  resourceName: required(1, string),
  restartPolicy: required(2, oneOf('NotRequired', 'RestartContainer')),
})
export interface ContainerResizePolicy extends StoredOf<typeof ContainerResizePolicy> {}

export const ContainerRestartRuleOnExitCodes = message('io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes', {
  operator: required(1, oneOf('In', 'NotIn')),
  values: omitempty(2, listSet(int32)),
})
export interface ContainerRestartRuleOnExitCodes extends StoredOf<typeof ContainerRestartRuleOnExitCodes> {}

export const ContainerRestartRule = message('io.k8s.api.core.v1.ContainerRestartRule', {
  action: required(1, oneOf('Restart', 'RestartAllContainers')),
  exitCodes: optional(2, ContainerRestartRuleOnExitCodes),
})
export interface ContainerRestartRule extends StoredOf<typeof ContainerRestartRule> {}

export const SleepAction = message('io.k8s.api.core.v1.SleepAction', {
  seconds: required(1, int64),
})
export interface SleepAction extends StoredOf<typeof SleepAction> {}

export const LifecycleHandler = message('io.k8s.api.core.v1.LifecycleHandler', {
  exec: optional(1, ExecAction),
  httpGet: optional(2, HTTPGetAction),
  tcpSocket: optional(3, TCPSocketAction),
  sleep: optional(4, SleepAction),
})
export interface LifecycleHandler extends StoredOf<typeof LifecycleHandler> {}

export const Lifecycle = message('io.k8s.api.core.v1.Lifecycle', {
  postStart: optional(1, LifecycleHandler),
  preStop: optional(2, LifecycleHandler),
  stopSignal: optional(3, string),
})
export interface Lifecycle extends StoredOf<typeof Lifecycle> {}

export const VolumeDevice = message('io.k8s.api.core.v1.VolumeDevice', {
  name: required(1, string),
  devicePath: required(2, string),
})
export interface VolumeDevice extends StoredOf<typeof VolumeDevice> {}

export const VolumeMount = message('io.k8s.api.core.v1.VolumeMount', {
  name: required(1, string),
  readOnly: omitempty(2, boolean),
  recursiveReadOnly: optional(7, RecursiveReadOnlyMode),
  mountPath: required(3, string),
  subPath: omitempty(4, string),
  mountPropagation: optional(5, oneOf('None', 'HostToContainer', 'Bidirectional')),
  subPathExpr: omitempty(6, string),
})
export interface VolumeMount extends StoredOf<typeof VolumeMount> {}

export const Container = message(
  'io.k8s.api.core.v1.Container',
  {
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
    terminationMessagePath: defaulted(13, string, '/dev/termination-log', '', 'value'),
    terminationMessagePolicy: defaulted(20, TerminationMessagePolicy, 'File', '', 'value'),
    imagePullPolicy: defaulted(14, PullPolicy, undefined, '', 'value'),
    securityContext: optional(15, SecurityContext),
    stdin: omitempty(16, boolean),
    stdinOnce: omitempty(17, boolean),
    tty: omitempty(18, boolean),
  },
  { applyDefaults: applyContainerDefaults },
)
export interface Container extends StoredOf<typeof Container> {}

/** An image without a tag, or with `latest`, is pulled at every start; any other only where it is missing. */
export function applyContainerDefaults(container: { image?: string | undefined; imagePullPolicy: string }): void {
  container.imagePullPolicy ||= tagOf(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent'
}

/** The tag of an image: `latest` if it names none, '' if a digest stands in its place or the name is no image's. */
export function tagOf(image: string): string {
  const match = IMAGE.exec(image)
  if (!match) return ''
  return match[1] ?? (image.includes('@') ? '' : 'latest')
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*'
const DOMAIN =
  '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?|\\[[a-fA-F0-9:]+\\](?::[0-9]+)?'
const IMAGE = new RegExp(
  `^(?:(?:${DOMAIN})/)?${COMPONENT}(?:/${COMPONENT})*(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
)
