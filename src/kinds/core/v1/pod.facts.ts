import { Quantity } from '#machinery/quantity/quantity.ts'
import type { Container } from './container.ts'
import type { ContainerStatus } from './container-status.ts'
import type { EphemeralContainer } from './ephemeral-container.ts'
import type { Pod } from './pod.ts'
import type { PodSpec } from './pod-spec.ts'
import type { PodCondition } from './pod-status.ts'
import { addAmounts, amountsOf, maxAmounts, type ResourceAmounts } from './resources.facts.ts'

/** Where a pod is in its life: Pending, Running, Succeeded, Failed or Unknown. */
export type PodPhase = NonNullable<Pod['status']['phase']>
export type QosClass = NonNullable<Pod['status']['qosClass']>

/** The pod's phase; Pending while nothing was reported. */
export function phaseOf(pod: Pod): PodPhase {
  return pod.status.phase ?? 'Pending'
}

/** Whether its containers have ended for good. */
export function isTerminal(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
}

/** Whether it counts as one that runs or will run: neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined
}

/** Whether it was asked to go. */
export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

/** Whether it may get traffic: its Ready condition is True. */
export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True'
}

/** Whether it has been ready for at least `minReadySeconds`, at `now` (milliseconds since the epoch). */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const ready = podCondition(pod, 'Ready')
  if (ready?.status !== 'True') return false
  if (minReadySeconds === 0) return true
  return ready.lastTransitionTime !== null && Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 <= now
}

/** Whether a node was chosen for it. */
export function isScheduled(pod: Pod): boolean {
  return (pod.spec.nodeName ?? '') !== ''
}

/** Whether its kubelet mirrors it from a manifest: it can't be changed by way of the API. */
export function isMirror(pod: Pod): boolean {
  return pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined
}

/** Whether it came from a manifest of its node and not from the API. */
export function isStatic(pod: Pod): boolean {
  const source = pod.metadata.annotations?.['kubernetes.io/config.source']
  return source !== undefined && source !== 'api'
}

export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

/** The condition of that type, if it was ever reported. */
export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status.conditions?.find(condition => condition.type === type)
}

/** The status of the container of that name, of whichever sort. */
export function containerStatusOf(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status
  const isNamed = (status: ContainerStatus) => status.name === name
  return containerStatuses.find(isNamed) ?? initContainerStatuses.find(isNamed) ?? ephemeralContainerStatuses.find(isNamed)
}

/** Whether an init container keeps running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always'
}

/** Every container: init containers, containers and ephemeral ones. */
export function* allContainers(spec: PodSpec): Generator<Container | EphemeralContainer> {
  yield* spec.initContainers ?? []
  yield* spec.containers
  yield* spec.ephemeralContainers ?? []
}

/** The scheduling group's importance; 0 where admission gave none. */
export function priorityOf(pod: Pod): number {
  return pod.spec.priority ?? 0
}

/**
 * What a node has to set aside for the pod: cpu in thousandths, the rest in units.
 *
 * Init containers run one after the other, sidecars beside all that follow, so the most that is needed at any moment counts. Amounts for
 * the pod as a whole take the place of its containers', and the overhead of its runtime comes on top.
 */
export function requestsOf(pod: { readonly spec: PodSpec }): ResourceAmounts {
  return totalOf(pod.spec, 'requests')
}

/** The same of the limits, as far as containers have any: one that has none may use more. */
export function limitsOf(pod: { readonly spec: PodSpec }): ResourceAmounts {
  return totalOf(pod.spec, 'limits')
}

/** How safe the pod is when its node runs short of memory. */
export function qosClassOf(pod: { readonly spec: PodSpec }): QosClass {
  const { resources, containers, initContainers = [] } = pod.spec
  const parts = resources ? [resources] : [...containers, ...initContainers].map(container => container.resources)
  const requests = new Map<string, Quantity>()
  const limits = new Map<string, Quantity>()
  let allLimited = true
  for (const part of parts) {
    collect(part.requests, requests)
    if (collect(part.limits, limits) < QOS_RESOURCES.length) allLimited = false
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort'
  const asLimited = [...requests].every(([name, amount]) => limits.get(name)?.equals(amount))
  return allLimited && asLimited && requests.size === limits.size ? 'Guaranteed' : 'Burstable'
}

function totalOf(spec: PodSpec, which: 'requests' | 'limits'): ResourceAmounts {
  let running: ResourceAmounts = {}
  for (const container of spec.containers) running = addAmounts(running, amountsOf(container.resources[which]))
  let sidecars: ResourceAmounts = {}
  let starting: ResourceAmounts = {}
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container.resources[which])
    if (isSidecar(container)) {
      sidecars = addAmounts(sidecars, own)
      running = addAmounts(running, own)
      starting = maxAmounts(starting, sidecars)
    } else starting = maxAmounts(starting, addAmounts(sidecars, own))
  }
  let total = maxAmounts(running, starting)
  const wholePod = spec.resources?.[which]
  if (wholePod) total = { ...total, ...amountsOf(wholePod) }
  if (!spec.overhead) return total
  const overhead = amountsOf(spec.overhead)
  if (which === 'requests') return addAmounts(total, overhead)
  // A limit of nothing is none.
  const limited = Object.entries(overhead).filter(([name]) => (total[name] ?? 0) !== 0)
  return addAmounts(total, Object.fromEntries(limited))
}

const QOS_RESOURCES = ['cpu', 'memory']

/** Adds what is more than zero to `into`; answers how many resources that were. */
function collect(from: Readonly<Record<string, string>> | undefined, into: Map<string, Quantity>): number {
  let count = 0
  for (const name of QOS_RESOURCES) {
    const text = from?.[name]
    if (text === undefined) continue
    const amount = Quantity.parse(text)
    if (amount.sign <= 0) continue
    count++
    into.set(name, (into.get(name) ?? Quantity.ZERO).add(amount))
  }
  return count
}
