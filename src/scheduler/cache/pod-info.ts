import type { PodAffinityTerm } from '#kinds/core/v1/affinity.ts'
import { requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { amountsBySlot, CPU, MEMORY, PODS } from './resource-slots.ts'

/** A pod with what scheduling asks of it again and again, computed once per version of the pod. */
export interface PodInfo {
  readonly pod: Pod
  readonly uid: string
  readonly namespace: string
  readonly priority: number
  /** What it requests, by slot; one of `pods`. */
  readonly requests: readonly number[]
  /** The slots of {@link requests} that are not zero. */
  readonly requestedSlots: readonly number[]
  /** CPU and memory as scores count them: a container without a request counts as a small one. */
  readonly scoredCpu: number
  readonly scoredMemory: number
  readonly hostPorts: readonly HostPort[]
  readonly affinity: readonly AffinityTerm[]
  readonly antiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly WeightedTerm[]
  readonly preferredAntiAffinity: readonly WeightedTerm[]
}

export interface HostPort {
  readonly protocol: string
  readonly ip: string
  readonly port: number
}

/** A term of (anti-)affinity, ready to be matched. */
export interface AffinityTerm {
  readonly topologyKey: string
  /** Whether the term is about this pod. `labelsOf` gives a namespace's labels. */
  matches(pod: Pod, labelsOf: NamespaceLabels): boolean
}

export interface WeightedTerm {
  readonly weight: number
  readonly term: AffinityTerm
}

/** The labels of a namespace, as last seen. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

/** Upstream's stand-ins for containers that request nothing, used by scores alone. */
const SCORED_CPU_MILLI = 100
const SCORED_MEMORY_BYTES = 200 * 1024 * 1024

const known = new WeakMap<Pod, PodInfo>()

/** The information of a pod; the same object for the same version. */
export function podInfo(pod: Pod): PodInfo {
  let info = known.get(pod)
  if (!info) {
    info = compute(pod)
    known.set(pod, info)
  }
  return info
}

function compute(pod: Pod): PodInfo {
  const requests = amountsBySlot(requestsOf(pod))
  requests[PODS] = 1
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const containers = pod.spec.containers
  const unset = (name: string) => containers.filter(container => container.resources.requests?.[name] === undefined).length
  return {
    pod,
    uid: pod.metadata.uid ?? '',
    namespace: pod.metadata.namespace ?? '',
    priority: pod.spec.priority ?? 0,
    requests,
    requestedSlots: requests.flatMap((amount, slot) => (amount > 0 ? [slot] : [])),
    scoredCpu: requests[CPU]! + unset('cpu') * SCORED_CPU_MILLI,
    scoredMemory: requests[MEMORY]! + unset('memory') * SCORED_MEMORY_BYTES,
    hostPorts: hostPortsOf(pod),
    affinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term => affinityTerm(pod, term)),
    antiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term => affinityTerm(pod, term)),
    preferredAffinity: (podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted(pod)),
    preferredAntiAffinity: (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted(pod)),
  }
}

function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always')
  return [...pod.spec.containers, ...sidecars].flatMap(container =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ protocol, ip: hostIP ?? '0.0.0.0', port: hostPort }] : [],
    ),
  )
}

const weighted =
  (pod: Pod) =>
  ({ weight, podAffinityTerm }: { readonly weight: number; readonly podAffinityTerm: PodAffinityTerm }): WeightedTerm => ({
    weight,
    term: affinityTerm(pod, podAffinityTerm),
  })

/** `matchLabelKeys` and `mismatchLabelKeys` were turned into requirements of the selector when the pod was created. */
function affinityTerm(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const selector = term.labelSelector ? LabelSelector.ofObject(term.labelSelector) : LabelSelector.nothing
  const namespaceSelector = term.namespaceSelector ? LabelSelector.ofObject(term.namespaceSelector) : undefined
  const named = new Set(term.namespaces ?? [])
  if (named.size === 0 && !namespaceSelector) named.add(pod.metadata.namespace ?? '')
  return {
    topologyKey: term.topologyKey,
    matches(other, labelsOf) {
      const namespace = other.metadata.namespace ?? ''
      if (!named.has(namespace) && !namespaceSelector?.matches(labelsOf(namespace) ?? {})) return false
      return selector.matches(other.metadata.labels)
    },
  }
}
