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
  name: omitempty(1, string, 'A name by which services find the port.'),
  hostPort: omitempty(2, int32, 'The port of the node that leads here.'),
  containerPort: required(3, int32, 'The port in the container.'),
  protocol: defaulted(4, Protocol, 'TCP', 'TCP, UDP or SCTP.', 'value'),
  hostIP: omitempty(5, string, 'The address of the node to bind to.'),
})
export interface ContainerPort extends StoredOf<typeof ContainerPort> {}

export const ContainerResizePolicy = message('io.k8s.api.core.v1.ContainerResizePolicy', {
  resourceName: required(1, string, 'The resource: `cpu` or `memory`.'),
  restartPolicy: required(2, oneOf('NotRequired', 'RestartContainer'), 'Whether the container is restarted when the resource is resized.'),
})
export interface ContainerResizePolicy extends StoredOf<typeof ContainerResizePolicy> {}

export const ContainerRestartRuleOnExitCodes = message('io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes', {
  operator: required(1, oneOf('In', 'NotIn'), 'Whether the exit code has to be among the values, or not.'),
  values: omitempty(2, listSet(int32), 'The exit codes.'),
})
export interface ContainerRestartRuleOnExitCodes extends StoredOf<typeof ContainerRestartRuleOnExitCodes> {}

export const ContainerRestartRule = message('io.k8s.api.core.v1.ContainerRestartRule', {
  action: required(1, oneOf('Restart', 'RestartAllContainers'), 'What is done: `Restart`, or `RestartAllContainers`.'),
  exitCodes: optional(2, ContainerRestartRuleOnExitCodes, 'With which exit codes the rule applies.'),
})
export interface ContainerRestartRule extends StoredOf<typeof ContainerRestartRule> {}

export const SleepAction = message('io.k8s.api.core.v1.SleepAction', {
  seconds: required(1, int64, 'How long to pause.'),
})
export interface SleepAction extends StoredOf<typeof SleepAction> {}

export const LifecycleHandler = message('io.k8s.api.core.v1.LifecycleHandler', {
  exec: optional(1, ExecAction, 'A command in the container.'),
  httpGet: optional(2, HTTPGetAction, 'An HTTP request.'),
  tcpSocket: optional(3, TCPSocketAction, 'A connection.'),
  sleep: optional(4, SleepAction, 'A pause.'),
})
export interface LifecycleHandler extends StoredOf<typeof LifecycleHandler> {}

export const Lifecycle = message('io.k8s.api.core.v1.Lifecycle', {
  postStart: optional(1, LifecycleHandler, 'Runs right after the container was created.'),
  preStop: optional(2, LifecycleHandler, 'Runs before the container is told to stop.'),
  stopSignal: optional(3, string, 'The signal that stops the container.'),
})
export interface Lifecycle extends StoredOf<typeof Lifecycle> {}

export const VolumeDevice = message('io.k8s.api.core.v1.VolumeDevice', {
  name: required(1, string, 'The claim of the pod.'),
  devicePath: required(2, string, 'The path of the device in the container.'),
})
export interface VolumeDevice extends StoredOf<typeof VolumeDevice> {}

export const VolumeMount = message('io.k8s.api.core.v1.VolumeMount', {
  name: required(1, string, 'The volume.'),
  readOnly: omitempty(2, boolean, 'Whether the container can only read.'),
  recursiveReadOnly: optional(7, RecursiveReadOnlyMode, 'Whether mounts below are read-only as well.'),
  mountPath: required(3, string, 'The path in the container.'),
  subPath: omitempty(4, string, 'The part of the volume that is mounted.'),
  mountPropagation: optional(5, oneOf('None', 'HostToContainer', 'Bidirectional'), 'Whether mounts made later are seen on the other side.'),
  subPathExpr: omitempty(6, string, 'The same, with environment variables in it.'),
})
export interface VolumeMount extends StoredOf<typeof VolumeMount> {}

export const Container = message(
  'io.k8s.api.core.v1.Container',
  {
    name: required(1, string, 'The name of the container, a DNS label unique in its pod.'),
    image: omitempty(2, string, 'The image to run.'),
    command: omitempty(3, list(string), "What is run in place of the image's entry point."),
    args: omitempty(4, list(string), "Arguments in place of the image's own."),
    workingDir: omitempty(5, string, 'The directory in which it starts.'),
    ports: omitempty(
      6,
      listMap(ContainerPort, ['containerPort', 'protocol'], { patchStrategy: 'merge', patchMergeKey: 'containerPort' }),
      'Ports that the container listens on.',
    ),
    envFrom: omitempty(19, list(EnvFromSource), 'Where to take whole sets of environment variables from.'),
    env: omitempty(7, listMap(EnvVar, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }), 'Environment variables.'),
    resources: embedded(8, ResourceRequirements, "What it needs, and at most gets, of the node's resources."),
    resizePolicy: omitempty(23, list(ContainerResizePolicy), 'Which resources can change without a restart.'),
    restartPolicy: optional(24, ContainerRestartPolicy, '`Always` makes an init container run beside the others.'),
    restartPolicyRules: omitempty(25, list(ContainerRestartRule), 'When to restart, by exit code.'),
    volumeMounts: omitempty(
      9,
      listMap(VolumeMount, ['mountPath'], { patchStrategy: 'merge', patchMergeKey: 'mountPath' }),
      "Where the pod's volumes appear in the container.",
    ),
    volumeDevices: omitempty(
      21,
      listMap(VolumeDevice, ['devicePath'], { patchStrategy: 'merge', patchMergeKey: 'devicePath' }),
      'Which block devices the container sees.',
    ),
    livenessProbe: optional(10, Probe, 'Restarts the container when it fails.'),
    readinessProbe: optional(11, Probe, 'Takes the pod out of its services when it fails.'),
    startupProbe: optional(22, Probe, 'Holds the other probes back until it succeeds.'),
    lifecycle: optional(12, Lifecycle, 'What is done after the start and before the stop.'),
    terminationMessagePath: defaulted(13, string, '/dev/termination-log', 'The file in which the container may say why it ended.', 'value'),
    terminationMessagePolicy: defaulted(
      20,
      TerminationMessagePolicy,
      'File',
      'Where the message of an ended container is taken from.',
      'value',
    ),
    imagePullPolicy: defaulted(14, PullPolicy, undefined, 'When the image is pulled.', 'value'),
    securityContext: optional(15, SecurityContext, 'With which rights the container runs.'),
    stdin: omitempty(16, boolean, 'Whether the container has an input.'),
    stdinOnce: omitempty(17, boolean, 'Whether the input closes after the first session.'),
    tty: omitempty(18, boolean, 'Whether the container gets a terminal.'),
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
