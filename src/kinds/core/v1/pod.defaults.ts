import type { Mutable } from '#machinery/kind/kind.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { Container } from './container.ts'
import type { Pod } from './pod.ts'
import type { PodSpec } from './pod-spec.ts'
import { isHugePages } from './resources.facts.ts'

/** What holds for a pod but not for the template of one: limits stand in for requests, and services are announced to it. */
export function applyPodDefaults(pod: Mutable<Pod>): void {
  const { spec } = pod
  spec.enableServiceLinks ??= true
  const containers = [...spec.containers, ...(spec.initContainers ?? [])]
  for (const container of containers) {
    requestWhatIsLimited(container.resources)
    if (spec.hostNetwork) for (const port of container.ports ?? []) if (port.containerPort) port.hostPort ||= port.containerPort
  }
  if (spec.resources) applyPodLevelDefaults(pod)
}

interface Amounts {
  limits?: Record<string, string> | undefined
  requests?: Record<string, string> | undefined
}

function requestWhatIsLimited(resources: Amounts): void {
  if (!resources.limits) return
  for (const [name, limit] of Object.entries(resources.limits)) {
    resources.requests ??= {}
    resources.requests[name] ??= limit
  }
}

/** What the pod as a whole may use follows from its parts: requests from theirs, else from its own limits. */
function applyPodLevelDefaults(pod: Mutable<Pod>): void {
  const whole = pod.spec.resources
  if (!whole?.limits || Object.keys(whole.limits).length === 0) return
  const requests: Record<string, string> = { ...whole.requests }
  for (const [name, amount] of containerRequests(pod)) {
    if (isPodLevel(name) && !isHugePages(name)) requests[name] ??= amount.toString()
  }
  for (const [name, limit] of Object.entries(whole.limits)) if (isPodLevel(name)) requests[name] ??= limit
  if (Object.keys(requests).length > Object.keys(whole.requests ?? {}).length) whole.requests = requests
}

function isPodLevel(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name)
}

/** What the containers request together: see `requestsOf`, which reckons in numbers. */
export function containerRequests({ spec }: { readonly spec: PodSpec | Mutable<PodSpec> }): Map<string, Quantity> {
  const running = new Map<string, Quantity>()
  const sidecars = new Map<string, Quantity>()
  const starting = new Map<string, Quantity>()
  for (const container of spec.containers) each(container, (name, amount) => plus(running, name, amount))
  for (const container of spec.initContainers ?? []) {
    const isSidecar = container.restartPolicy === 'Always'
    each(container, (name, amount) => {
      if (isSidecar) for (const total of [running, sidecars]) plus(total, name, amount)
      const needed = isSidecar ? sidecars.get(name)! : (sidecars.get(name) ?? Quantity.ZERO).add(amount)
      most(starting, name, needed)
    })
  }
  for (const [name, amount] of starting) most(running, name, amount)
  return running
}

function each(container: Container | Mutable<Container>, visit: (name: string, amount: Quantity) => void): void {
  for (const [name, text] of Object.entries(container.resources.requests ?? {})) visit(name, Quantity.parse(text))
}

function plus(into: Map<string, Quantity>, name: string, amount: Quantity): void {
  into.set(name, (into.get(name) ?? Quantity.ZERO).add(amount))
}

function most(into: Map<string, Quantity>, name: string, amount: Quantity): void {
  const known = into.get(name)
  if (!known || known.compare(amount) < 0) into.set(name, amount)
}
