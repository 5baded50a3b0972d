import { isUserID } from '#machinery/meta/formats.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateDescendingPath } from './path.rules.ts'
import type { PodSpec } from './pod-spec.ts'
import type {
  AppArmorProfile,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
  WindowsSecurityContextOptions,
} from './security-context.ts'

/** The security of a pod as a whole. */
export function validatePodSecurityContext(spec: PodSpec, errors: FieldErrors): void {
  const context = spec.securityContext
  if (context.fsGroup !== undefined) errors.at('fsGroup').invalidEach(context.fsGroup, isUserID(context.fsGroup))
  validateUser(context, errors)
  context.supplementalGroups?.forEach((group, index) => {
    errors.at('supplementalGroups').index(index).invalidEach(group, isUserID(group))
  })
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.at('shareProcessNamespace').invalid(true, 'ShareProcessNamespace and HostPID cannot both be enabled')
  }
  validateSysctls(spec, errors.at('sysctls'))
  word(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], errors.at('fsGroupChangePolicy'))
  validateSeccomp(context.seccompProfile, errors.at('seccompProfile'))
  validateWindowsOptions(context.windowsOptions, errors.at('windowsOptions'))
  validateAppArmor(context.appArmorProfile, errors.at('appArmorProfile'))
  word(context.supplementalGroupsPolicy, ['Merge', 'Strict'], errors.at('supplementalGroupsPolicy'))
  word(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], errors.at('seLinuxChangePolicy'))
}

/** Containers of Windows that run as processes of the node: all of a pod's or none, and on the node's network. */
export function validateHostProcess(spec: PodSpec, errors: FieldErrors): void {
  const ofPod = spec.securityContext.windowsOptions?.hostProcess
  const own: (boolean | undefined)[] = []
  let count = 0
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    spec[list]?.forEach(({ securityContext }, index) => {
      const ofContainer = securityContext?.windowsOptions?.hostProcess
      own.push(ofContainer)
      if (ofPod !== undefined && ofContainer !== undefined && ofPod !== ofContainer) {
        const at = errors.at(list).index(index).at('securityContext').at('windowsOptions').at('hostProcess')
        at.invalid(ofContainer, `pod hostProcess value must be identical if both are specified, was ${ofPod}`)
      }
      if (ofContainer ?? ofPod) count++
    })
  }
  if (count === 0) return
  if (count < own.length) {
    errors.invalid('', 'If pod contains any hostProcess containers then all containers in pod must be HostProcess containers')
  }
  if (!spec.hostNetwork) errors.at('hostNetwork').invalid(false, 'hostNetwork must be true if pod contains any hostProcess containers')
}

/** The security of one container. `hasHostUsers`: it shares the node's user namespace. */
export function validateSecurityContext(context: SecurityContext | undefined, hasHostUsers: boolean, errors: FieldErrors): void {
  if (!context) return
  validateUser(context, errors)
  if (context.procMount !== undefined) {
    word(context.procMount, ['Default', 'Unmasked'], errors.at('procMount'))
    if (hasHostUsers && context.procMount === 'Unmasked') {
      errors.at('procMount').invalid(context.procMount, '`hostUsers` must be false to use `Unmasked`')
    }
  }
  validateSeccomp(context.seccompProfile, errors.at('seccompProfile'))
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) errors.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN')
    }
  }
  validateWindowsOptions(context.windowsOptions, errors.at('windowsOptions'))
  validateAppArmor(context.appArmorProfile, errors.at('appArmorProfile'))
}

function validateUser({ runAsUser, runAsGroup }: PodSecurityContext | SecurityContext, errors: FieldErrors): void {
  if (runAsUser !== undefined) errors.at('runAsUser').invalidEach(runAsUser, isUserID(runAsUser))
  if (runAsGroup !== undefined) errors.at('runAsGroup').invalidEach(runAsGroup, isUserID(runAsGroup))
}

function word(value: string | undefined, supported: readonly string[], errors: FieldErrors): void {
  if (value !== undefined && !supported.includes(value)) errors.notSupported(value, supported)
}

function validateSeccomp(profile: SeccompProfile | undefined, errors: FieldErrors): void {
  if (!profile) return
  validateProfileType(profile.type, 'type is required when seccompProfile is set', errors.at('type'))
  const at = errors.at('localhostProfile')
  if (profile.type === 'Localhost') {
    if (profile.localhostProfile === undefined) at.required('must be set when seccomp type is Localhost')
    else validateDescendingPath(profile.localhostProfile, at)
  } else if (profile.localhostProfile !== undefined) at.invalid(profile, 'can only be set when seccomp type is Localhost')
}

function validateAppArmor(profile: AppArmorProfile | undefined, errors: FieldErrors): void {
  if (!profile) return
  const { type, localhostProfile } = profile
  const at = errors.at('localhostProfile')
  validateProfileType(type, 'type is required when appArmorProfile is set', errors.at('type'))
  if (type === 'Localhost') {
    if (localhostProfile === undefined || localhostProfile === '') at.required('must be set when AppArmor type is Localhost')
    else if (localhostProfile.trim() !== localhostProfile) at.invalid(localhostProfile, 'must not be padded with whitespace')
    if (localhostProfile !== undefined && localhostProfile.length > 4095) at.tooLong(4095)
  } else if ((type === 'RuntimeDefault' || type === 'Unconfined') && localhostProfile !== undefined) {
    at.invalid(localhostProfile, 'can only be set when AppArmor type is Localhost')
  }
}

function validateProfileType(type: string, missing: string, errors: FieldErrors): void {
  const supported = ['Localhost', 'RuntimeDefault', 'Unconfined']
  if (type === '') errors.required(missing)
  else if (!supported.includes(type)) errors.notSupported(type, supported)
}

function validateWindowsOptions(options: WindowsSecurityContextOptions | undefined, errors: FieldErrors): void {
  if (!options) return
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options
  if (name !== undefined && name === '')
    errors.at('gmsaCredentialSpecName').invalid(name, 'gmsaCredentialSpecName cannot be an empty string')
  if (spec !== undefined) {
    if (spec === '') errors.at('gmsaCredentialSpec').invalid(spec, 'gmsaCredentialSpec cannot be an empty string')
    else if (spec.length > 64 * 1024) errors.at('gmsaCredentialSpec').invalid(spec, 'gmsaCredentialSpec size must be under 64 KiB')
  }
  if (user !== undefined) validateWindowsUser(user, errors.at('runAsUserName'))
}

function validateWindowsUser(name: string, errors: FieldErrors): void {
  if (name === '') {
    errors.invalid(name, 'runAsUserName cannot be an empty string')
    return
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(name)) {
    errors.invalid(name, 'runAsUserName cannot contain control characters')
    return
  }
  const parts = name.split('\\')
  if (parts.length > 2) {
    errors.invalid(name, 'runAsUserName cannot contain more than one backslash')
    return
  }
  const domain = parts.length === 2 ? parts[0]! : ''
  const user = parts.at(-1)!
  if (domain.length >= 256) errors.invalid(name, "runAsUserName's Domain length must be under 256 characters")
  if (user === '') errors.invalid(name, "runAsUserName's User cannot be empty")
  else if (user.length > 104) errors.invalid(name, "runAsUserName's User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user) && user !== '') errors.invalid(name, "runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\[\]:;|=,+*?<>@]/.test(user)) {
    errors.invalid(name, 'runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  }
}

function validateSysctls(spec: PodSpec, errors: FieldErrors): void {
  const seen = new Set<string>()
  spec.securityContext.sysctls?.forEach(({ name }, index) => {
    const at = errors.index(index).at('name')
    if (name === '') at.required()
    else if (name.length > 253 || !SYSCTL.test(name)) at.invalid(name, `must have at most 253 characters and match regex ${SYSCTL_TEXT}`)
    else if (seen.has(name)) at.duplicate(name)
    const space = namespaceOf(name)
    if (spec.hostNetwork && space === 'net') at.invalid(name, "may not be specified when 'hostNetwork' is true")
    else if (spec.hostIPC && space === 'ipc') at.invalid(name, "may not be specified when 'hostIPC' is true")
    seen.add(name)
  })
}

const SYSCTL_TEXT = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/

/** Which of a pod's namespaces a kernel setting belongs to. */
function namespaceOf(name: string): 'ipc' | 'net' | undefined {
  const dotted = name.replaceAll('/', '.')
  if (dotted.startsWith('net.')) return 'net'
  return dotted === 'kernel.sem' || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(dotted) ? 'ipc' : undefined
}
