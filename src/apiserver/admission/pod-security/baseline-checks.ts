import type { Container, LifecycleHandler } from '#kinds/core/v1/container.ts'
import type { Probe } from '#kinds/core/v1/probe.ts'
import type { SELinuxOptions } from '#kinds/core/v1/security-context.ts'
import { quote } from '#machinery/status/go-text.ts'
import { type Check, containersOf, hasOwnUsers, named, namesOf, type PodLike, plural, quoted, setters, unique, valuesOf } from './check.ts'
import { seccompSetters, seccompViolation } from './seccomp.ts'

const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/'

const appArmor: Check = {
  id: 'appArmorProfile',
  since: 0,
  run(pod) {
    const isBad = (type: string | undefined) => type !== undefined && type !== '' && type !== 'RuntimeDefault' && type !== 'Localhost'
    const who = setters(pod, ({ appArmorProfile }) => isBad(appArmorProfile?.type))
    const types = unique(valuesOf(pod, ({ appArmorProfile }) => appArmorProfile?.type).filter(isBad))
    const annotations = Object.entries(pod.annotations)
      .filter(([key, value]) => key.startsWith(APP_ARMOR_ANNOTATION) && !isAllowedAnnotation(value))
      .map(([key, value]) => `${key}=${quote(value)}`)
      .sort()
    const values = [...types, ...annotations]
    if (values.length === 0) return undefined
    const all = [who, annotations.length > 0 ? plural('annotation', annotations.length) : ''].filter(Boolean).join(' and ')
    return {
      reason: plural('forbidden AppArmor profile', values.length),
      detail: `${all} must not set AppArmor profile type to ${quoted(values)}`,
    }
  },
}

function isAllowedAnnotation(value: string): boolean {
  return value === '' || value === 'runtime/default' || value.startsWith('localhost/')
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const capabilities: Check = {
  id: 'capabilities_baseline',
  since: 0,
  run(pod) {
    const extra = ({ securityContext }: Container) =>
      (securityContext?.capabilities?.add ?? []).filter(capability => !DEFAULT_CAPABILITIES.has(capability))
    const names = namesOf(pod, container => extra(container).length > 0)
    if (names.length === 0) return undefined
    const all = unique(containersOf(pod).flatMap(extra))
    const detail = `${named('container', names)} must not include ${quoted(all)} in securityContext.capabilities.add`
    return { reason: 'non-default capabilities', detail }
  },
}

const hostNamespaces: Check = {
  id: 'hostNamespaces',
  since: 0,
  run({ spec }) {
    const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(name => spec[name])
    return shared.length === 0 ? undefined : { reason: 'host namespaces', detail: shared.map(name => `${name}=true`).join(', ') }
  },
}

const hostPathVolumes: Check = {
  id: 'hostPathVolumes',
  since: 0,
  run({ spec }) {
    const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
    return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', names) }
  },
}

const hostPorts: Check = {
  id: 'hostPorts',
  since: 0,
  run(pod) {
    const portsOf = ({ ports = [] }: Container) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))
    const names = namesOf(pod, container => portsOf(container).length > 0)
    if (names.length === 0) return undefined
    const ports = unique(containersOf(pod).flatMap(portsOf))
    const detail = `${named('container', names)} ${uses(names)} ${plural('hostPort', ports.length)} ${ports.join(', ')}`
    return { reason: 'hostPort', detail }
  },
}

const hostProbes: Check = {
  id: 'hostProbesAndHostLifecycle',
  since: 34,
  run(pod) {
    const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container) =>
      [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(hosts)
    const names = unique(namesOf(pod, container => hostsOf(container).length > 0))
    if (names.length === 0) return undefined
    const all = unique(containersOf(pod).flatMap(hostsOf))
    const detail = `${named('container', names)} ${uses(names)} ${plural('probe or lifecycle host', all.length)} ${quoted(all)}`
    return { reason: 'probe or lifecycle host', detail }
  },
}

function hosts(action: Probe | LifecycleHandler | undefined): string[] {
  return [action?.httpGet?.host, action?.tcpSocket?.host].flatMap(host => host || [])
}

const privileged: Check = {
  id: 'privileged',
  since: 0,
  run(pod) {
    const names = namesOf(pod, ({ securityContext }) => securityContext?.privileged === true)
    if (names.length === 0) return undefined
    return { reason: 'privileged', detail: `${named('container', names)} must not set securityContext.privileged=true` }
  },
}

const procMount: Check = {
  id: 'procMount',
  since: 0,
  run: (pod, minor) => (minor >= 35 && hasOwnUsers(pod) ? undefined : procMountViolation(pod)),
}

/** What is said of containers that see more of `/proc` than is usual. */
export function procMountViolation(pod: PodLike) {
  const names = namesOf(pod, ({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default')
  if (names.length === 0) return undefined
  const types = unique(
    containersOf(pod)
      .flatMap(({ securityContext }) => securityContext?.procMount ?? [])
      .filter(type => type !== 'Default'),
  )
  return { reason: 'procMount', detail: `${named('container', names)} must not set securityContext.procMount to ${quoted(types)}` }
}

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const seLinuxOptions: Check = {
  id: 'seLinuxOptions',
  since: 0,
  run(pod, minor) {
    const allowed = minor >= 31 ? [...SELINUX_TYPES, 'container_engine_t'] : SELINUX_TYPES
    const isBadType = (type: string) => !allowed.includes(type)
    const isBad = (options: SELinuxOptions | undefined) =>
      options !== undefined && (isBadType(options.type ?? '') || Boolean(options.user) || Boolean(options.role))
    const who = setters(pod, rights => isBad(rights.seLinuxOptions))
    if (who === '') return undefined
    const all = valuesOf(pod, rights => rights.seLinuxOptions)
    const types = unique(all.map(({ type = '' }) => type).filter(isBadType))
    const faults = types.length > 0 ? [named('type', types)] : []
    if (all.some(({ user }) => user)) faults.push('user may not be set')
    if (all.some(({ role }) => role)) faults.push('role may not be set')
    return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}` }
  },
}

const seccomp: Check = {
  id: 'seccompProfile_baseline',
  since: 0,
  run(pod, minor) {
    if (minor < 19) return seccompAnnotations(pod)
    const who = seccompSetters(pod)
    return who === '' ? undefined : seccompViolation(pod, who)
  },
}

function seccompAnnotations(pod: PodLike) {
  const keys = [
    'seccomp.security.alpha.kubernetes.io/pod',
    ...containersOf(pod).map(({ name }) => `container.seccomp.security.alpha.kubernetes.io/${name}`),
  ]
  const isAllowed = (value: string) => value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')
  const bad = unique(
    keys.flatMap(key => {
      const value = pod.annotations[key]
      return value === undefined || isAllowed(value) ? [] : `${key}=${quote(value)}`
    }),
  )
  if (bad.length === 0) return undefined
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', bad.length)} ${bad.join(', ')}` }
}

/** Settings that reach no further than the pod, by the version since which they count as safe. */
const SAFE_SYSCTLS: readonly (readonly [number, readonly string[]])[] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.ip_unprivileged_port_start',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [29, ['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes']],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
]

const sysctls: Check = {
  id: 'sysctls',
  since: 0,
  run({ spec }, minor) {
    const safe = SAFE_SYSCTLS.filter(([since]) => since <= minor).flatMap(([, names]) => names)
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter(name => !safe.includes(name))
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
  },
}

const windowsHostProcess: Check = {
  id: 'windowsHostProcess',
  since: 0,
  run(pod) {
    const who = setters(pod, ({ windowsOptions }) => windowsOptions?.hostProcess === true)
    return who === '' ? undefined : { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` }
  },
}

/** What keeps a pod from the best known ways out of its containers. */
export const baselineChecks: readonly Check[] = [
  appArmor,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccomp,
  sysctls,
  windowsHostProcess,
]

function uses(names: readonly string[]): string {
  return names.length === 1 ? 'uses' : 'use'
}
