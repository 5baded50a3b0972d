import { join } from 'node:path'
import type { Container } from '#kinds/core/v1/container.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { SeccompProfile } from '#kinds/core/v1/security-context.ts'
import type { ContainerConfig, NamespaceOptions, RuntimeImage, SandboxConfig, SecurityProfile } from '../runtime/runtime.ts'
import { ContainerConfigError } from './environment.ts'
import { describePod } from './pod-names.ts'

type ContainerSecurity = ContainerConfig['linux']['securityContext']

/** Paths that a container which is not privileged cannot look into or write, as upstream masks them. */
const MASKED = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const READONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Which namespaces the pod's containers share among each other and with the node. */
export function namespacesOf(pod: Pod): NamespaceOptions {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec
  return {
    network: hostNetwork ? 'NODE' : 'POD',
    pid: hostPID ? 'NODE' : shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: hostIPC ? 'NODE' : 'POD',
  }
}

export function sandboxSecurity(pod: Pod, seccompDirectory: string): SandboxConfig['linux']['securityContext'] {
  const { securityContext: context } = pod.spec
  const groups = supplementalGroupsOf(pod)
  const privileged = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some(container => container.securityContext?.privileged)
  return {
    namespaceOptions: namespacesOf(pod),
    privileged,
    seccomp: seccompOf(context.seccompProfile ?? { type: 'RuntimeDefault' }, seccompDirectory),
    ...(context.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
    ...(context.runAsUser === undefined || context.runAsGroup === undefined ? {} : { runAsGroup: { value: context.runAsGroup } }),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups }),
  }
}

/** The container's own security settings over those of its pod and its image; throws if it would run as root against `runAsNonRoot`. */
export function containerSecurity(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: RuntimeImage,
  seccompDirectory: string,
  targetId?: string,
  seccompDefault = false,
): ContainerSecurity {
  const outer = pod.spec.securityContext
  const own = container.securityContext
  const privileged = own?.privileged ?? false
  const runAsUser = own?.runAsUser ?? outer.runAsUser ?? image.uid
  const runAsGroup = own?.runAsGroup ?? outer.runAsGroup
  if (own?.runAsNonRoot ?? outer.runAsNonRoot)
    checkNonRoot(pod, container.name, runAsUser, own?.runAsUser ?? outer.runAsUser, image.username)
  const groups = supplementalGroupsOf(pod)
  const unsaid = seccompDefault ? ({ type: 'RuntimeDefault' } as const) : undefined
  const seccomp = own?.seccompProfile ?? outer.seccompProfile ?? unsaid
  const masked = own?.procMount !== 'Unmasked'
  return {
    privileged,
    namespaceOptions: targetId === undefined ? namespacesOf(pod) : { ...namespacesOf(pod), pid: 'TARGET', targetId },
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    noNewPrivs: own?.allowPrivilegeEscalation === false && !privileged,
    ...(own?.capabilities
      ? { capabilities: { addCapabilities: own.capabilities.add ?? [], dropCapabilities: own.capabilities.drop ?? [] } }
      : {}),
    ...(runAsUser === undefined ? (image.username === '' ? {} : { runAsUsername: image.username }) : { runAsUser: { value: runAsUser } }),
    ...(runAsGroup === undefined || (runAsUser === undefined && image.username === '') ? {} : { runAsGroup: { value: runAsGroup } }),
    ...(runAsGroup !== undefined && runAsUser === undefined && image.username === ''
      ? { runAsUser: { value: 0 }, runAsGroup: { value: runAsGroup } }
      : {}),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups }),
    ...(privileged || !masked ? {} : { maskedPaths: MASKED, readonlyPaths: READONLY }),
    ...(privileged ? { seccomp: { profileType: 'Unconfined' } } : { seccomp: seccompOf(seccomp, seccompDirectory) }),
  }
}

function checkNonRoot(pod: Pod, name: string, uid: number | undefined, asked: number | undefined, username: string): void {
  const where = `(pod: "${describePod(pod)}", container: ${name})`
  if (uid === 0) {
    throw new ContainerConfigError(
      asked === 0
        ? `container's runAsUser breaks non-root policy ${where}`
        : `container has runAsNonRoot and image will run as root ${where}`,
    )
  }
  if (uid !== undefined) return
  if (username === '') throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`)
  throw new ContainerConfigError(
    `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root ${where}`,
  )
}

function supplementalGroupsOf(pod: Pod): number[] {
  const { supplementalGroups = [], fsGroup } = pod.spec.securityContext
  return fsGroup === undefined ? [...supplementalGroups] : [...supplementalGroups, fsGroup]
}

function seccompOf(profile: SeccompProfile | undefined, directory: string): SecurityProfile {
  if (profile === undefined || profile.type === 'Unconfined') return { profileType: 'Unconfined' }
  if (profile.type === 'Localhost') return { profileType: 'Localhost', localhostRef: join(directory, profile.localhostProfile ?? '') }
  return { profileType: 'RuntimeDefault' }
}
