import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Refusal } from './admission.ts'

/** Kernel settings that reach no further than the pod (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/). */
const SAFE: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
])

/** What a namespace of the kernel keeps to itself, by how names begin. */
const NAMESPACED = [
  { prefix: /^(kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/, of: 'ipc', isHosts: (pod: Pod) => pod.spec.hostIPC },
  { prefix: /^net\./, of: 'net', isHosts: (pod: Pod) => pod.spec.hostNetwork },
] as const

/** Why a pod may not set the kernel settings it asks for: `allowed` names the unsafe ones it may (`kernel.msg*`, `net.core.somaxconn`). */
export function sysctlRefusal(pod: Pod, allowed: readonly string[] = []): Refusal | undefined {
  for (const { name: written } of pod.spec.securityContext.sysctls ?? []) {
    const name = written.replaceAll('/', '.')
    const refuse = (why: string) => ({ reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(written)} ${why}` })
    const namespace = NAMESPACED.find(({ prefix }) => prefix.test(name))
    if (namespace?.isHosts(pod)) return refuse(`not allowed with host ${namespace.of} enabled`)
    const isAllowed = allowed.some(one => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name))
    if (!SAFE.has(name) && !isAllowed) return refuse('not allowlisted')
  }
  return undefined
}
