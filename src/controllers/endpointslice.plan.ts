import { topologyOf } from '#kinds/core/v1/node.facts.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { isReady, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { isHeadless } from '#kinds/core/v1/service.facts.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { equal } from '#machinery/kind/draft.ts'
import { controllerReference } from '#machinery/meta/object-meta.ts'
import { canonical } from './runtime/stable-hash.ts'
import { hostnameIn, isEndpoint, podIPOf, targetPortOf } from './service-endpoints.ts'

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS = 'service.kubernetes.io/headless'
const LAST_CHANGE = 'endpoints.kubernetes.io/last-change-trigger-time'

/** How many endpoints a slice holds. */
export const MAX_ENDPOINTS = 100

/** A slice as it is to be; what the server adds is left out. */
export interface SliceDraft {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly Endpoint[]
}

/** What is to be done to the slices of a service. */
export interface SlicesPlan {
  readonly create: readonly SliceDraft[]
  readonly update: readonly { readonly slice: EndpointSlice; readonly endpoints: readonly Endpoint[] }[]
  readonly delete: readonly EndpointSlice[]
}

/** The slices that a service needs for these pods, with as few writes as it takes. */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  present: readonly EndpointSlice[],
  nodeOf: (name: string) => Node | undefined,
): SlicesPlan {
  const plan = {
    create: [] as SliceDraft[],
    update: [] as { slice: EndpointSlice; endpoints: readonly Endpoint[] }[],
    delete: [] as EndpointSlice[],
  }
  const families = (service.spec.ipFamilies ?? ['IPv4']).filter(family => family !== '') as ('IPv4' | 'IPv6')[]
  for (const slice of present) if (!(families as string[]).includes(slice.addressType)) plan.delete.push(slice)
  for (const family of families) {
    const groups = wantedGroups(service, pods, family, nodeOf)
    const mine = present.filter(slice => slice.addressType === family)
    const used = new Set<EndpointSlice>()
    for (const [key, group] of groups) {
      const slices = mine.filter(slice => portsKey(slice.ports) === key)
      for (const slice of slices) used.add(slice)
      pack(group, slices, plan)
    }
    const unused = mine.filter(slice => !used.has(slice))
    keepOrPlaceholder(family, groups.size, unused, plan)
  }
  return plan
}

/** The labels of each slice of the service: the service's own, whose it is, and who cares for it. */
export function sliceLabels(service: Service): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels }
  delete labels[HEADLESS]
  if (isHeadless(service)) labels[HEADLESS] = ''
  return { ...labels, [SERVICE_NAME]: service.metadata.name ?? '', [MANAGED_BY]: MANAGER }
}

/** The draft of a new slice. */
export function sliceFrom(service: Service, { addressType, ports, endpoints }: SliceDraft, changedAt: string | undefined) {
  const { name = '', namespace = '' } = service.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: sliceLabels(service),
      annotations: changedAt === undefined ? {} : { [LAST_CHANGE]: changedAt },
      ownerReferences: [controllerReference(service)],
    },
    addressType,
    ports,
    endpoints,
  }
}

/** A slice with other endpoints, and what else its service asks of it. */
export function changedSlice(service: Service, slice: EndpointSlice, endpoints: readonly Endpoint[], changedAt: string | undefined) {
  const annotations = { ...slice.metadata.annotations, ...(changedAt === undefined ? {} : { [LAST_CHANGE]: changedAt }) }
  const ownerReferences = [controllerReference(service)]
  return { ...slice, metadata: { ...slice.metadata, labels: sliceLabels(service), annotations, ownerReferences }, endpoints }
}

/** Whether labels and owner of a slice are what they must be. */
export function isLabelled(service: Service, slice: EndpointSlice): boolean {
  return equal(slice.metadata.labels ?? {}, sliceLabels(service))
}

interface Group {
  readonly family: 'IPv4' | 'IPv6'
  readonly ports: readonly EndpointPort[]
  readonly endpoints: Endpoint[]
}

/** Endpoints with the same port numbers go together. */
function wantedGroups(
  service: Service,
  pods: readonly Pod[],
  family: 'IPv4' | 'IPv6',
  nodeOf: (name: string) => Node | undefined,
): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const pod of pods) {
    const ip = isEndpoint(pod, true) ? podIPOf(pod, family) : undefined
    if (ip === undefined) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    const group = groups.get(key) ?? { family, ports, endpoints: [] }
    groups.set(key, group)
    group.endpoints.push(endpointOf(service, pod, ip, pod.spec.nodeName ? nodeOf(pod.spec.nodeName) : undefined))
  }
  return groups
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap(port => {
    const number = targetPortOf(pod, port)
    if (number === undefined) return []
    return [
      { name: port.name ?? '', protocol: port.protocol, port: number, ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}) },
    ]
  })
}

function endpointOf(service: Service, pod: Pod, ip: string, node: Node | undefined): Endpoint {
  const serving = isReady(pod)
  const terminating = isTerminating(pod)
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  const zone = node && topologyOf(node).zone
  const hostname = hostnameIn(pod, service)
  const { namespace, name, uid } = pod.metadata
  const hints = ready ? hintsOf(service, zone, pod.spec.nodeName) : undefined
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hints ? { hints } : {}),
  }
}

/** Where traffic to an endpoint should come from, if the service prefers nearby ones. */
function hintsOf(service: Service, zone: string | undefined, nodeName: string | undefined): Endpoint['hints'] | undefined {
  const forZones = zone ? [{ name: zone }] : undefined
  switch (service.spec.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return forZones && { forZones }
    case 'PreferSameNode':
      return { ...(forZones ? { forZones } : {}), ...(nodeName ? { forNodes: [{ name: nodeName }] } : {}) }
    default:
      return undefined
  }
}

/** Keeps endpoints where they are; new ones fill slices that are written anyway, then the fullest that has room for all, then new slices. */
function pack(group: Group, slices: readonly EndpointSlice[], plan: Plan): void {
  const wanted = new Map(group.endpoints.map(endpoint => [identityOf(endpoint), endpoint]))
  const kept = new Map<EndpointSlice, Endpoint[]>()
  const changed = new Set<EndpointSlice>()
  for (const slice of slices) {
    const endpoints: Endpoint[] = []
    for (const old of slice.endpoints ?? []) {
      const next = wanted.get(identityOf(old))
      if (next && endpoints.length < MAX_ENDPOINTS) {
        endpoints.push(next)
        wanted.delete(identityOf(old))
      }
      if (!next || !equal(next, old)) changed.add(slice)
    }
    kept.set(slice, endpoints)
  }
  const fresh = [...wanted.values()]
  const fill = (slice: EndpointSlice) => {
    const endpoints = kept.get(slice)!
    const added = fresh.splice(0, Math.max(0, MAX_ENDPOINTS - endpoints.length))
    if (added.length > 0) changed.add(slice)
    endpoints.push(...added)
  }
  for (const slice of [...changed].sort((a, b) => kept.get(b)!.length - kept.get(a)!.length)) fill(slice)
  while (fresh.length >= MAX_ENDPOINTS) plan.create.push(draftOf(group, fresh.splice(0, MAX_ENDPOINTS)))
  if (fresh.length > 0) {
    const roomy = slices.filter(slice => kept.get(slice)!.length + fresh.length <= MAX_ENDPOINTS)
    const fullest = roomy.sort((a, b) => kept.get(b)!.length - kept.get(a)!.length)[0]
    if (fullest) fill(fullest)
    else plan.create.push(draftOf(group, fresh.splice(0)))
  }
  for (const slice of slices) {
    if (kept.get(slice)!.length === 0) plan.delete.push(slice)
    else if (changed.has(slice)) plan.update.push({ slice, endpoints: kept.get(slice)! })
  }
}

/** A service without endpoints keeps one empty slice, so that clients can tell it from one that was never looked at. */
function keepOrPlaceholder(family: 'IPv4' | 'IPv6', groups: number, unused: readonly EndpointSlice[], plan: Plan): void {
  if (groups > 0) {
    plan.delete.push(...unused)
    return
  }
  const isPlaceholder = (slice: EndpointSlice) => !slice.endpoints?.length && !slice.ports?.length
  const keep = unused.find(isPlaceholder)
  plan.delete.push(...unused.filter(slice => slice !== keep))
  if (!keep) plan.create.push({ addressType: family, ports: [], endpoints: [] })
}

type Plan = {
  create: SliceDraft[]
  update: { slice: EndpointSlice; endpoints: readonly Endpoint[] }[]
  delete: EndpointSlice[]
}

const draftOf = ({ family, ports }: Group, endpoints: readonly Endpoint[]): SliceDraft => ({ addressType: family, ports, endpoints })

function identityOf({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${targetRef?.name ?? ''} ${addresses?.join(',') ?? ''}`
}

function portsKey(ports: readonly EndpointPort[] | null | undefined): string {
  return (ports ?? [])
    .map(({ name, protocol, port, appProtocol }) => canonical([name, protocol, port, appProtocol ?? null]))
    .sort()
    .join()
}
