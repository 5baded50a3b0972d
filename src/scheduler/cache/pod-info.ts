import type { PodAffinityTerm } from '#kinds/core/v1/affinity.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import { requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodSpec } from '#kinds/core/v1/pod-spec.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { LabelSelector, requirement } from '#machinery/selectors/label-selector.ts'
import { claimsOf, type PodClaim } from '../volumes/pod-claims.ts'
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
  readonly claims: readonly PodClaim[]
  readonly affinity: readonly AffinityTerm[]
  readonly antiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly WeightedTerm[]
  readonly preferredAntiAffinity: readonly WeightedTerm[]
  /** Whether it has terms of any of these sorts. */
  readonly hasTerms: boolean
}

export interface HostPort {
  readonly protocol: string
  readonly ip: string
  readonly port: number
}

/** A term of (anti-)affinity, ready to be matched. */
export interface AffinityTerm {
  /** The same for terms that are about the same pods. */
  readonly key: string
  readonly topologyKey: string
  /** The namespaces it names; undefined if labels of namespaces decide. */
  readonly namespaces: ReadonlySet<string> | undefined
  readonly selector: LabelSelector
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

const NO_CLAIMS: readonly PodClaim[] = []

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
  const requests = amountsBySlot(requestsOf({ spec: heldSpec(pod) }))
  requests[PODS] = 1
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const affinity = (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term => affinityTerm(pod, term))
  const antiAffinity = (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term => affinityTerm(pod, term))
  const preferredAffinity = (podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted(pod))
  const preferredAntiAffinity = (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted(pod))
  const containers = pod.spec.containers
  const wholePod = pod.spec.resources?.requests
  const unset = (name: string) =>
    wholePod?.[name] === undefined ? containers.filter(container => container.resources.requests?.[name] === undefined).length : 0
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
    claims: pod.spec.volumes ? claimsOf(pod) : NO_CLAIMS,
    affinity,
    antiAffinity,
    preferredAffinity,
    preferredAntiAffinity,
    hasTerms: affinity.length + antiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length > 0,
  }
}

/**
 * The spec by which a pod holds room on its node: while a resize is under way, a container holds the larger of what it is to have and of
 * what it still has.
 */
function heldSpec(pod: Pod): PodSpec {
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]
  const held = new Map(statuses.flatMap(status => (status.allocatedResources || status.resources ? [[status.name, status] as const] : [])))
  if (held.size === 0 || !pod.spec.nodeName) return pod.spec
  const grown = (container: Container): Container => {
    const status = held.get(container.name)
    const requests = largest([container.resources.requests, status?.allocatedResources, status?.resources?.requests])
    return requests === undefined ? container : { ...container, resources: { ...container.resources, requests } }
  }
  const { initContainers } = pod.spec
  return {
    ...pod.spec,
    containers: pod.spec.containers.map(grown),
    ...(initContainers ? { initContainers: initContainers.map(grown) } : {}),
  }
}

type Quantities = Readonly<Record<string, string>>

/** By resource the largest of several amounts; undefined if all are the same as the first. */
function largest([first = {}, ...others]: readonly (Quantities | undefined)[]): Quantities | undefined {
  let result: Record<string, string> | undefined
  for (const amounts of others) {
    for (const [name, text] of Object.entries(amounts ?? {})) {
      const known = (result ?? first)[name]
      if (known === undefined || known === text || Quantity.parse(text).compare(Quantity.parse(known)) <= 0) continue
      result ??= { ...first }
      result[name] = text
    }
  }
  return result
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

/** With the requirements that `matchLabelKeys` and `mismatchLabelKeys` stand for, unless the API server put them into the selector. */
function affinityTerm(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const selector = selectorOf(pod, term)
  const namespaceSelector = term.namespaceSelector ? LabelSelector.ofObject(term.namespaceSelector) : undefined
  const named = new Set(term.namespaces ?? [])
  if (named.size === 0 && !namespaceSelector) named.add(pod.metadata.namespace ?? '')
  const key = `${[...named].sort().join()}|${namespaceSelector ? `${namespaceSelector} ` : '-'}|${selector.isNothing ? '!' : selector}`
  return {
    key,
    topologyKey: term.topologyKey,
    namespaces: namespaceSelector ? undefined : named,
    selector,
    matches(other, labelsOf) {
      const namespace = other.metadata.namespace ?? ''
      if (!named.has(namespace) && !namespaceSelector?.matches(labelsOf(namespace) ?? {})) return false
      return selector.matches(other.metadata.labels)
    },
  }
}

function selectorOf(pod: Pod, { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: PodAffinityTerm): LabelSelector {
  if (!labelSelector) return LabelSelector.nothing
  const own = LabelSelector.ofObject(labelSelector)
  const labels = pod.metadata.labels ?? {}
  const more = [
    ...matchLabelKeys.map(key => ({ key, operator: 'in' as const })),
    ...mismatchLabelKeys.map(key => ({ key, operator: 'notin' as const })),
  ].filter(({ key, operator }) => labels[key] !== undefined && !own.requirements.some(one => one.key === key && one.operator === operator))
  if (more.length === 0) return own
  return new LabelSelector([...own.requirements, ...more.map(({ key, operator }) => requirement(key, operator, [labels[key]!]))])
}
