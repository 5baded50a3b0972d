import { isPortName, isPortNumber } from '#machinery/meta/formats.ts'
import { isDNS1123Label } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateWord } from '../../meta/v1/rules.ts'
import type { Container, ContainerPort, VolumeMount } from './container.ts'
import { validateEnv, validateEnvFrom } from './env-var.rules.ts'
import type { EphemeralContainer } from './ephemeral-container.ts'
import { validateDescendingPath } from './path.rules.ts'
import type { PodSpec } from './pod-spec.ts'
import { validateLifecycle, validateProbes } from './probe.rules.ts'
import { validateContainerResources } from './resource-requirements.rules.ts'
import { validateSecurityContext } from './security-context.rules.ts'
import { validatePullPolicy } from './volume.rules.ts'
import type { Volume } from './volume.ts'

/** What a container's rules need to know of its pod. */
export interface ContainerSurroundings {
  readonly spec: PodSpec
  readonly volumes: ReadonlyMap<string, Volume>
  /** Names of the pod's resource claims. */
  readonly claims: ReadonlySet<string>
}

/** The containers of a pod; `errors` stands at its spec. */
export function validateContainers(surroundings: ContainerSurroundings, errors: FieldErrors): void {
  const { spec } = surroundings
  const { containers, initContainers = [], ephemeralContainers = [], terminationGracePeriodSeconds: grace } = spec
  const names = new Set<string>()
  if (containers.length === 0) errors.at('containers').required()
  containers.forEach((container, index) => {
    const at = errors.at('containers').index(index)
    validateContainer(container, surroundings, at)
    if (names.has(container.name)) at.at('name').duplicate(container.name)
    names.add(container.name)
    validateLifecycle(container.lifecycle, grace, spec.os?.name, at.at('lifecycle'))
    validateProbes(container, grace, at)
    validateRestarts(container, at)
  })
  validateHostPorts(containers, errors.at('containers'))
  initContainers.forEach((container, index) => {
    const at = errors.at('initContainers').index(index)
    validateContainer(container, surroundings, at)
    if (names.has(container.name)) at.at('name').duplicate(container.name)
    else if (container.name !== '') names.add(container.name)
    validateHostPorts([container], errors.at('initContainers'))
    validateInitContainer(container, spec, at)
  })
  ephemeralContainers.forEach((container, index) => {
    const at = errors.at('ephemeralContainers').index(index)
    validateContainer(container, surroundings, at)
    validateImageText(container, at)
    if (names.has(container.name)) at.at('name').duplicate(container.name)
    names.add(container.name)
    const target = container.targetContainerName
    if (target && ![...containers, ...initContainers].some(other => other.name === target)) at.at('targetContainerName').notFound(target)
    validateEphemeral(container, at)
  })
}

/** What holds for containers of every sort. */
function validateContainer(
  container: Container | EphemeralContainer,
  { spec, volumes, claims }: ContainerSurroundings,
  errors: FieldErrors,
): void {
  if (container.name === '') errors.at('name').required()
  else errors.at('name').invalidEach(container.name, isDNS1123Label(container.name))
  if (!container.image) errors.at('image').required()
  validateWord(container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError'], errors.at('terminationMessagePolicy'))
  validatePorts(container.ports, errors.at('ports'))
  validateEnv(container.env, volumes, errors.at('env'))
  validateEnvFrom(container.envFrom, errors.at('envFrom'))
  validateMounts(container, volumes, errors.at('volumeMounts'))
  validateDevices(container, volumes, errors.at('volumeDevices'))
  validatePullPolicy(container.imagePullPolicy, errors.at('imagePullPolicy'))
  validateContainerResources(container.resources, claims, errors.at('resources'))
  validateResizePolicy(container, spec.restartPolicy, errors.at('resizePolicy'))
  validateSecurityContext(container.securityContext, spec.hostUsers !== false, errors.at('securityContext'))
}

/** Pods, unlike templates of them, may not have images with spaces around. */
export function validateImageText({ image = '' }: { readonly image?: string | undefined }, errors: FieldErrors): void {
  if (image.trim() !== image) errors.at('image').invalid(image, 'must not have leading or trailing whitespace')
}

function validateInitContainer(container: Container, spec: PodSpec, errors: FieldErrors): void {
  const { terminationGracePeriodSeconds: grace } = spec
  validateRestarts(container, errors)
  if (container.restartPolicy === 'Always') {
    validateLifecycle(container.lifecycle, grace, spec.os?.name, errors.at('lifecycle'))
    validateProbes(container, grace, errors)
    return
  }
  for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[name]) errors.at(name).forbidden('may not be set for init containers without restartPolicy=Always')
  }
}

const RESTART_ACTIONS = ['Restart', 'RestartAllContainers']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']

/** When a container is started again: a policy of its own, and rules by exit code that need one. */
function validateRestarts({ restartPolicy, restartPolicyRules = [] }: Container, errors: FieldErrors): void {
  if (restartPolicy !== undefined && !RESTART_POLICIES.includes(restartPolicy)) {
    errors.at('restartPolicy').notSupported(restartPolicy, RESTART_POLICIES)
  }
  const rules = errors.at('restartPolicyRules')
  if (restartPolicyRules.length === 0) return
  if (restartPolicy === undefined) errors.at('restartPolicy').required('must specify restartPolicy when restart rules are used')
  if (restartPolicyRules.length > 20) rules.tooLong(20)
  restartPolicyRules.forEach(({ action, exitCodes }, index) => {
    const at = rules.index(index)
    if (!RESTART_ACTIONS.includes(action)) at.at('action').notSupported(action, RESTART_ACTIONS)
    if (!exitCodes) {
      at.at('exitCodes').required('must be specified')
      return
    }
    const { operator, values = [] } = exitCodes
    if (operator !== 'In' && operator !== 'NotIn') at.at('exitCodes').at('operator').notSupported(operator, ['In', 'NotIn'])
    if (values.length === 0) at.at('exitCodes').at('values').required('must specify at least one value')
    else if (values.length > 255) at.at('exitCodes').at('values').tooLong(255)
  })
}

/** Fields that promise something an ephemeral container can't keep. */
function validateEphemeral(container: EphemeralContainer, errors: FieldErrors): void {
  const detail = 'cannot be set for an Ephemeral Container'
  const { limits, requests, claims } = container.resources
  if (limits || requests || claims) errors.at('resources').forbidden(detail)
  for (const name of FORBIDDEN_IN_EPHEMERAL) if (container[name] !== undefined) errors.at(name).forbidden(detail)
  container.volumeMounts?.forEach((mount, index) => {
    for (const name of ['subPath', 'subPathExpr'] as const) {
      if (mount[name]) errors.at('volumeMounts').index(index).at(name).forbidden(detail)
    }
  })
}

const FORBIDDEN_IN_EPHEMERAL = [
  'ports',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

function validatePorts(ports: readonly ContainerPort[] | undefined, errors: FieldErrors): void {
  const names = new Set<string>()
  ports?.forEach(({ name = '', containerPort, hostPort, protocol }, index) => {
    const at = errors.index(index)
    if (name !== '') {
      const wrong = isPortName(name)
      at.at('name').invalidEach(name, wrong)
      if (wrong.length === 0 && names.has(name)) at.at('name').duplicate(name)
      names.add(name)
    }
    if (containerPort === 0) at.at('containerPort').required()
    else at.at('containerPort').invalidEach(containerPort, isPortNumber(containerPort))
    if (hostPort) at.at('hostPort').invalidEach(hostPort, isPortNumber(hostPort))
    validateWord(protocol, PROTOCOLS, at.at('protocol'))
  })
}

/** Ports of the node that several containers of one pod want. */
function validateHostPorts(containers: readonly Container[], errors: FieldErrors): void {
  const taken = new Set<string>()
  containers.forEach((container, index) => {
    container.ports?.forEach(({ hostPort, hostIP = '', protocol }, position) => {
      if (!hostPort) return
      const port = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(port)) errors.index(index).at('ports').index(position).at('hostPort').duplicate(port)
      taken.add(port)
    })
  })
}

function validateMounts(container: Container | EphemeralContainer, volumes: ReadonlyMap<string, Volume>, errors: FieldErrors): void {
  const paths = new Set<string>()
  const devices = container.volumeDevices ?? []
  container.volumeMounts?.forEach((mount, index) => {
    const { name, mountPath, subPath = '', subPathExpr = '' } = mount
    const at = errors.index(index)
    if (name === '') at.at('name').required()
    if (!volumes.has(name)) at.at('name').notFound(name)
    if (mountPath === '') at.at('mountPath').required()
    if (paths.has(mountPath)) at.at('mountPath').invalid(mountPath, 'must be unique')
    paths.add(mountPath)
    if (devices.some(device => device.name === name)) at.at('name').invalid(name, 'must not already exist in volumeDevices')
    if (devices.some(device => device.devicePath === mountPath)) {
      at.at('mountPath').invalid(mountPath, 'must not already exist as a path in volumeDevices')
    }
    if (subPath !== '') validateDescendingPath(subPath, errors.at('subPath'))
    if (subPathExpr !== '') {
      if (subPath !== '') at.at('subPathExpr').invalid(subPathExpr, 'subPathExpr and subPath are mutually exclusive')
      validateDescendingPath(subPathExpr, errors.at('subPathExpr'))
    }
    validatePropagation(mount, container.securityContext?.privileged === true, errors)
  })
}

const PROPAGATION = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible']

function validatePropagation(
  { mountPropagation, readOnly, recursiveReadOnly }: VolumeMount,
  isPrivileged: boolean,
  errors: FieldErrors,
): void {
  const at = errors.at('mountPropagation')
  if (mountPropagation !== undefined && !PROPAGATION.includes(mountPropagation)) at.notSupported(mountPropagation, PROPAGATION)
  if (mountPropagation === 'Bidirectional' && !isPrivileged) {
    at.forbidden('Bidirectional mount propagation is available only to privileged containers')
  }
  const recursive = errors.at('recursiveReadOnly')
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return
  if (!RECURSIVE.includes(recursiveReadOnly)) {
    recursive.notSupported(recursiveReadOnly, RECURSIVE)
    return
  }
  if (!readOnly) recursive.forbidden('may only be specified when readOnly is true')
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    recursive.forbidden('may only be specified when mountPropagation is None or not specified')
  }
}

function validateDevices(container: Container | EphemeralContainer, volumes: ReadonlyMap<string, Volume>, errors: FieldErrors): void {
  const names = new Set<string>()
  const paths = new Set<string>()
  const mounts = container.volumeMounts ?? []
  container.volumeDevices?.forEach(({ name, devicePath }, index) => {
    const at = errors.index(index)
    const volume = volumes.get(name)
    if (name === '') at.at('name').required()
    if (names.has(name)) at.at('name').invalid(name, 'must be unique')
    if (!volume) at.at('name').notFound(name)
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      at.at('name').invalid(name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode')
    }
    if (devicePath === '') at.at('devicePath').required()
    if (paths.has(devicePath)) at.at('devicePath').invalid(devicePath, 'must be unique')
    if (devicePath.split('/').includes('..')) at.at('devicePath').invalid(devicePath, "can not contain backsteps ('..')")
    else paths.add(devicePath)
    if (mounts.some(mount => mount.name === name)) at.at('name').invalid(name, 'must not already exist in volumeMounts')
    if (mounts.some(mount => mount.mountPath === devicePath)) {
      at.at('devicePath').invalid(devicePath, 'must not already exist as a path in volumeMounts')
    }
    if (name !== '') names.add(name)
  })
}

function validateResizePolicy({ resizePolicy }: Container | EphemeralContainer, podRestartPolicy: string, errors: FieldErrors): void {
  const seen = new Set<string>()
  resizePolicy?.forEach(({ resourceName, restartPolicy }, index) => {
    if (seen.has(resourceName)) errors.index(index).duplicate(resourceName)
    seen.add(resourceName)
    validateWord(resourceName, ['cpu', 'memory'], errors)
    validateWord(restartPolicy, ['NotRequired', 'RestartContainer'], errors)
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.invalid(restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")
    }
  })
}
