import type { Container } from '#kinds/core/v1/container.ts'
import { isReady, isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Service, ServicePort } from '#kinds/core/v1/service.ts'
import { equal } from '#machinery/kind/draft.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'

/** Whether the pod belongs behind services at all: it has an address and has not ended for good. */
export function isEndpoint(pod: Pod, includeTerminating: boolean): boolean {
  if (isTerminal(pod) || podIPs(pod).length === 0) return false
  return includeTerminating || !isTerminating(pod)
}

/** Every address of the pod. */
export function podIPs(pod: Pod): readonly string[] {
  const { podIP, podIPs } = pod.status
  return podIPs?.length ? podIPs.map(({ ip }) => ip) : podIP ? [podIP] : []
}

/** The pod's address of a family. */
export function podIPOf(pod: Pod, family: string): string | undefined {
  return podIPs(pod).find(ip => familyOf(ip) === family)
}

export function familyOf(ip: string): 'IPv4' | 'IPv6' {
  return ip.includes(':') ? 'IPv6' : 'IPv4'
}

/** Whether the service chooses pods by labels. */
export function hasSelector(service: Service): boolean {
  return Object.keys(service.spec.selector ?? {}).length > 0
}

/** The selector of a service that has one. */
export function serviceSelector(service: Service): LabelSelector {
  const { selector } = service.spec
  if (!selector) return LabelSelector.nothing
  let parsed = selectors.get(selector)
  if (!parsed) {
    parsed = LabelSelector.ofLabels(selector)
    selectors.set(selector, parsed)
  }
  return parsed
}

// Hot: bench/controllers — asked for every service of a namespace with every change of a pod.
const selectors = new WeakMap<object, LabelSelector>()

/** The number of the port that a service port means in this pod; undefined if the pod has no port of that name. */
export function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const { targetPort, protocol } = port
  if (typeof targetPort === 'number') return targetPort === 0 ? port.port : targetPort
  if (targetPort === '') return port.port
  const named = (container: Container) =>
    container.ports?.find(({ name, protocol: own = 'TCP' }) => name === targetPort && own === protocol)?.containerPort
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = named(container)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether the pod is known by its own name within the service's domain. */
export function hostnameIn(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec
  return hostname && subdomain === service.metadata.name ? hostname : undefined
}

/** Whether a change of a pod can change what stands behind services. */
export function isEndpointChange(pod: Pod | undefined, old: Pod | undefined): boolean {
  if (!pod || !old) return true
  return !(
    isReady(pod) === isReady(old) &&
    isTerminating(pod) === isTerminating(old) &&
    isTerminal(pod) === isTerminal(old) &&
    pod.spec.nodeName === old.spec.nodeName &&
    pod.spec.hostname === old.spec.hostname &&
    pod.spec.subdomain === old.spec.subdomain &&
    equal(podIPs(pod), podIPs(old)) &&
    equal(pod.metadata.labels, old.metadata.labels)
  )
}

/** The services of a namespace that select these labels. */
export function servicesFor(services: readonly Service[], labels: Readonly<Record<string, string>> | undefined): Service[] {
  return services.filter(service => hasSelector(service) && serviceSelector(service).matches(labels))
}
