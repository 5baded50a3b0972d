import type { Pod } from '#kinds/core/v1/pod.ts'
import type { SandboxConfig } from '../runtime/runtime.ts'
import { sandboxLabels } from './container-labels.ts'
import type { DnsConfig } from './dns.ts'
import { namespaceOf, podNameOf, uidOf } from './pod-names.ts'
import { sandboxSecurity } from './security-context.ts'

/** What of the node goes into a sandbox. */
export interface SandboxFacts {
  readonly nodeName: string
  readonly dns: DnsConfig
  readonly clusterDomain: string
  readonly logDirectory: string
  readonly cgroupParent: string | undefined
  readonly seccompDirectory: string
  readonly runtimeHandler: string
}

/** The sandbox that a pod's containers live in. */
export function sandboxConfigOf(pod: Pod, attempt: number, facts: SandboxFacts): SandboxConfig {
  const sysctls = Object.fromEntries((pod.spec.securityContext.sysctls ?? []).map(({ name, value }) => [name, value]))
  const { hostname } = hostnameOf(pod, facts.nodeName, facts.clusterDomain)
  return {
    metadata: { name: podNameOf(pod), namespace: namespaceOf(pod), uid: uidOf(pod), attempt },
    hostname: hostname.slice(0, 64),
    logDirectory: facts.logDirectory,
    dnsConfig: facts.dns,
    portMappings: pod.spec.hostNetwork ? [] : portMappingsOf(pod),
    labels: sandboxLabels(pod),
    annotations: { ...pod.metadata.annotations },
    ...(facts.runtimeHandler === '' ? {} : { runtimeHandler: facts.runtimeHandler }),
    linux: {
      ...(facts.cgroupParent === undefined ? {} : { cgroupParent: facts.cgroupParent }),
      ...(Object.keys(sysctls).length === 0 ? {} : { sysctls }),
      securityContext: sandboxSecurity(pod, facts.seccompDirectory),
    },
  }
}

/** What the pod calls itself: its short name, and its full one where it has a subdomain. */
export function hostnameOf(pod: Pod, nodeName: string, clusterDomain: string): { hostname: string; fqdn: string | undefined } {
  if (pod.spec.hostnameOverride) return { hostname: pod.spec.hostnameOverride, fqdn: undefined }
  if (pod.spec.hostNetwork) return { hostname: nodeName, fqdn: undefined }
  const short = (pod.spec.hostname || podNameOf(pod)).slice(0, 63).replace(/[-.]+$/, '')
  if (!pod.spec.subdomain) return { hostname: short, fqdn: undefined }
  const fqdn = `${short}.${pod.spec.subdomain}.${namespaceOf(pod)}.svc.${clusterDomain}`
  return { hostname: pod.spec.setHostnameAsFQDN ? fqdn : short, fqdn }
}

function portMappingsOf(pod: Pod) {
  const sidecars = (pod.spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always')
  return [...sidecars, ...pod.spec.containers].flatMap(container =>
    (container.ports ?? [])
      .filter(port => port.hostPort)
      .map(port => ({ protocol: port.protocol, containerPort: port.containerPort, hostPort: port.hostPort!, hostIp: port.hostIP ?? '' })),
  )
}
