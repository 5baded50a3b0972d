import type { ApiObject } from '#machinery/kind/kind.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { PersistentVolumeClaim } from './persistent-volume-claim.ts'
import { isTerminal, isTerminating, limitsOf, qosClassOf, requestsOf } from './pod.facts.ts'
import type { Pod } from './pod.ts'
import type { ResourceQuota, ScopedResourceSelectorRequirement } from './resource-quota.ts'
import { isExtendedResource, isHugePages, type ResourceAmounts } from './resources.facts.ts'
import { needsNodePorts } from './service.facts.ts'
import type { Service } from './service.ts'

/** Amounts by the names that quotas use. */
export type Usage = ReadonlyMap<string, Quantity>

/** What a pod uses. One that has ended still counts as an object, but needs nothing. */
export function podUsage(pod: Pod, now: number): Usage {
  const usage = new Map([['count/pods', ONE]])
  if (isTerminal(pod) || isOverdue(pod, now)) return usage
  usage.set('pods', ONE)
  addAll(usage, requestsOf(pod), 'requests.', name => !name.startsWith('attachable-volumes-'))
  addAll(usage, limitsOf(pod), 'limits.', name => !isExtendedResource(name) && !isHugePages(name))
  return usage
}

/** A service counts its node ports and load balancers too. */
export function serviceUsage(service: Service): Usage {
  const { type, ports = [] } = service.spec
  const nodePorts = needsNodePorts(service) ? ports.length : ports.filter(({ nodePort }) => nodePort).length
  return new Map([
    ['services', ONE],
    ['count/services', ONE],
    ['services.nodeports', Quantity.of(type === 'ClusterIP' || type === 'ExternalName' ? 0 : nodePorts)],
    ['services.loadbalancers', Quantity.of(type === 'LoadBalancer' ? 1 : 0)],
  ])
}

/** A claim counts what it asks for, and that under its storage class too. */
export function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): Usage {
  const usage = new Map([
    ['persistentvolumeclaims', ONE],
    ['count/persistentvolumeclaims', ONE],
  ])
  const asked = Quantity.parse(spec.resources.requests?.['storage'] ?? '0')
  const allocated = Quantity.parse(status.allocatedResources?.['storage'] ?? '0')
  const storage = asked.compare(allocated) < 0 ? allocated : asked
  usage.set('requests.storage', storage)
  const storageClass = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName
  if (storageClass) {
    usage.set(`${storageClass}.storageclass.storage.k8s.io/requests.storage`, storage)
    usage.set(`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE)
  }
  return usage
}

/** Whether the quota's scopes cover the object. Only pods and claims have scopes; a quota with scopes covers nothing else. */
export function isInScope(quota: ResourceQuota, object: ApiObject): boolean {
  return scopeRequirementsOf(quota).every(requirement => coversObject(requirement, object))
}

/** What an object must be like for the quota to count it. */
export function scopeRequirementsOf({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  return [
    ...(spec.scopes ?? []).map(scopeName => ({ scopeName, operator: 'Exists' as const })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ]
}

/** Whether an object is like that. */
export function coversObject(requirement: ScopedResourceSelectorRequirement, object: ApiObject): boolean {
  if (object.kind === 'Pod') return coversPod(requirement, object as Pod)
  if (object.kind === 'PersistentVolumeClaim') return coversClaim(requirement, object as PersistentVolumeClaim)
  return false
}

/** Adds `more` to `total`. */
export function addUsage(total: Map<string, Quantity>, more: Usage): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? Quantity.ZERO).add(amount))
}

const ONE = Quantity.of(1)

/** cpu and memory stand under their plain names too, which mean requests. */
function addAll(usage: Map<string, Quantity>, amounts: ResourceAmounts, prefix: string, isCounted: (name: string) => boolean): void {
  for (const [name, amount] of Object.entries(amounts)) {
    if (!isCounted(name)) continue
    const format = name === 'cpu' || isExtendedResource(name) ? 'decimal' : 'binary'
    const quantity = name === 'cpu' ? Quantity.milli(amount) : Quantity.of(amount, format)
    usage.set(`${prefix}${name}`, quantity)
    if (prefix === 'requests.') usage.set(name, quantity)
  }
}

/** A pod whose time to end has passed on a silent node no longer counts. */
function isOverdue(pod: Pod, now: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  return isTerminating(pod) && deletionGracePeriodSeconds !== undefined && Date.parse(deletionTimestamp!) < now
}

function coversPod({ scopeName, operator, values = [] }: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  switch (scopeName) {
    case 'Terminating':
      return pod.spec.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return qosClassOf(pod) === 'BestEffort'
    case 'NotBestEffort':
      return qosClassOf(pod) !== 'BestEffort'
    case 'PriorityClass':
      return matchesValue(pod.spec.priorityClassName ?? '', operator, values)
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod)
    default:
      return false
  }
}

function coversClaim({ scopeName, operator, values = [] }: ScopedResourceSelectorRequirement, { spec }: PersistentVolumeClaim): boolean {
  return scopeName === 'VolumeAttributesClass' && matchesValue(spec.volumeAttributesClassName ?? '', operator, values)
}

function matchesValue(value: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return values.includes(value)
    case 'NotIn':
      return !values.includes(value)
    case 'Exists':
      return value !== ''
    default:
      return value === ''
  }
}

function crossesNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  const terms = [podAffinity, podAntiAffinity].flatMap(affinity => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ])
  return terms.some(({ namespaces, namespaceSelector }) => (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined)
}
