import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '#kinds/core/v1/endpoints.ts'
import { isReady, podCondition } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { isHeadless } from '#kinds/core/v1/service.facts.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import { canonical } from './runtime/stable-hash.ts'
import { familyOf, hostnameIn, isEndpoint, podIPOf, podIPs, targetPortOf } from './service-endpoints.ts'

export const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
const LAST_CHANGE = 'endpoints.kubernetes.io/last-change-trigger-time'
const HEADLESS = 'service.kubernetes.io/headless'

/** How many addresses one object holds; the rest is left out. */
const CAPACITY = 1000

export interface SubsetsPlan {
  readonly subsets: readonly EndpointSubset[]
  readonly total: number
}

/** The subsets of a service: addresses with the same ports go together, in a fixed order. */
export function planSubsets(service: Service, pods: readonly Pod[]): SubsetsPlan {
  const byPorts = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>()
  let total = 0
  const family = service.spec.ipFamilies?.[0] || familyOf(service.spec.clusterIP && !isHeadless(service) ? service.spec.clusterIP : '')
  for (const pod of pods) {
    const isTolerant = service.spec.publishNotReadyAddresses === true
    const ip = isEndpoint(pod, isTolerant) ? (podIPOf(pod, family) ?? (isHeadless(service) ? podIPs(pod)[0] : undefined)) : undefined
    if (ip === undefined) continue
    const ports = portsOf(service, pod)
    // A headless service needs no ports; any other has nothing to offer where none can be found.
    if (ports.length === 0 && !(isHeadless(service) && !service.spec.ports?.length)) continue
    total++
    const key = canonical(ports)
    const subset = byPorts.get(key) ?? { ports, ready: [], notReady: [] }
    byPorts.set(key, subset)
    if (isTolerant || isReady(pod)) subset.ready.push(addressOf(service, pod, ip))
    else subset.notReady.push(addressOf(service, pod, ip))
  }
  return { subsets: limited([...byPorts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset)), total }
}

export function isOverCapacity({ total }: SubsetsPlan): boolean {
  return total > CAPACITY
}

export function endpointsLabels(service: Service): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels }
  delete labels[HEADLESS]
  if (isHeadless(service)) labels[HEADLESS] = ''
  return { ...labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }
}

export function endpointsAnnotations(
  service: Service,
  present: Endpoints | undefined,
  pods: readonly Pod[],
  isOver: boolean,
): Record<string, string> {
  const annotations: Record<string, string> = { ...present?.metadata.annotations }
  const changes = pods.flatMap(pod => podCondition(pod, 'Ready')?.lastTransitionTime ?? [])
  const last = changes.sort().at(-1) ?? service.metadata.creationTimestamp
  if (last) annotations[LAST_CHANGE] = last
  if (isOver) annotations[OVER_CAPACITY] = 'truncated'
  else delete annotations[OVER_CAPACITY]
  return annotations
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  const ports = (service.spec.ports ?? []).flatMap(port => {
    const number = targetPortOf(pod, port)
    if (number === undefined) return []
    const { name, protocol, appProtocol } = port
    return [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
  return ports.sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { namespace, name, uid } = pod.metadata
  const hostname = hostnameIn(pod, service)
  return {
    ip,
    ...(hostname ? { hostname } : {}),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

/** Ready addresses are kept first where there are too many. */
function limited(subsets: readonly { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }[]): EndpointSubset[] {
  let room = CAPACITY
  const take = (addresses: EndpointAddress[]) => {
    const taken = addresses.sort((a, b) => (a.ip < b.ip ? -1 : 1)).slice(0, Math.max(0, room))
    room -= taken.length
    return taken
  }
  const ready = subsets.map(subset => take(subset.ready))
  const notReady = subsets.map(subset => take(subset.notReady))
  return subsets.flatMap(({ ports }, index) => {
    const [addresses, notReadyAddresses] = [ready[index]!, notReady[index]!]
    if (addresses.length + notReadyAddresses.length === 0) return []
    return [
      {
        ...(addresses.length > 0 ? { addresses } : {}),
        ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
        ...(ports.length > 0 ? { ports } : {}),
      },
    ]
  })
}
