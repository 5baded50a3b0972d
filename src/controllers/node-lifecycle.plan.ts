import { nodeCondition } from '#kinds/core/v1/node.facts.ts'
import type { Node, Taint } from '#kinds/core/v1/node.ts'
import type { NodeCondition } from '#kinds/core/v1/node-status.ts'
import { timeOf } from '#machinery/time/time.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'

/** The conditions that a kubelet keeps; all become Unknown when it falls silent. */
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** The taints that conditions bring about: type, status and key. */
const CONDITION_TAINTS: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
]
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

const MANAGED_NO_SCHEDULE: ReadonlySet<string> = new Set([...CONDITION_TAINTS.map(([, , key]) => key), UNSCHEDULABLE])

/** The conditions of a node whose kubelet has been silent for too long; undefined if they say so already. */
export function silentConditions(node: Node, now: number): NodeCondition[] | undefined {
  const present = node.status.conditions ?? []
  const at = timeOf(now)
  let changed = false
  const silent = KUBELET_CONDITIONS.map((type): NodeCondition => {
    const former = present.find(condition => condition.type === type)
    if (former?.status === 'Unknown') return former
    changed = true
    if (!former) {
      const created = node.metadata.creationTimestamp ?? at
      const text = { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' }
      return { type, status: 'Unknown', lastHeartbeatTime: created, lastTransitionTime: at, ...text }
    }
    return {
      ...former,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: at,
    }
  })
  if (!changed) return undefined
  const others = present.filter(({ type }) => !(KUBELET_CONDITIONS as readonly string[]).includes(type))
  return [...silent, ...others]
}

/** The taints that the node must have: NoSchedule follows its conditions, NoExecute is given by `evict`. Undefined if it has them. */
export function taintsFor(node: Node, evict: Taint['key'] | undefined, now: number): Taint[] | undefined {
  const present = node.spec.taints ?? []
  const wanted = noScheduleKeys(node)
  const at = timeOf(now)
  const kept = present.filter(({ key, effect }) => {
    if (effect === 'NoSchedule' && MANAGED_NO_SCHEDULE.has(key)) return wanted.has(key)
    if (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)) return key === evict
    return true
  })
  const has = (key: string, effect: Taint['effect']) => kept.some(taint => taint.key === key && taint.effect === effect)
  const added: Taint[] = []
  for (const key of wanted) if (!has(key, 'NoSchedule')) added.push({ key, effect: 'NoSchedule', timeAdded: at })
  if (evict && !has(evict, 'NoExecute')) added.push({ key: evict, effect: 'NoExecute', timeAdded: at })
  return added.length === 0 && kept.length === present.length ? undefined : [...kept, ...added]
}

/** The key of the NoExecute taint that the node's readiness calls for; undefined while it is ready. */
export function evictionKey(node: Node): string | undefined {
  switch (nodeCondition(node, 'Ready')?.status) {
    case 'False':
      return NOT_READY
    case 'Unknown':
      return UNREACHABLE
    default:
      return undefined
  }
}

/** The NoExecute taint of that sort that the node has. */
export function presentEvictionKey(node: Node): string | undefined {
  return node.spec.taints?.find(({ key, effect }) => effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE))?.key
}

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

/** How well a zone is: how many of its nodes are not ready. */
export function zoneStateOf(ready: number, notReady: number, unhealthyThreshold: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption'
  return notReady > 2 && notReady / (notReady + ready) >= unhealthyThreshold ? 'PartialDisruption' : 'Normal'
}

/** How many nodes per second may be tainted in a zone of that state. */
export function evictionRateOf(
  state: ZoneState,
  size: number,
  rates: { readonly nodeEvictionRate: number; readonly secondaryNodeEvictionRate: number; readonly largeClusterSizeThreshold: number },
): number {
  if (state !== 'PartialDisruption') return rates.nodeEvictionRate
  return size > rates.largeClusterSizeThreshold ? rates.secondaryNodeEvictionRate : 0
}

/** Zone and region of a node, as evictions are paced by. */
export function zoneOf({ metadata }: Node): string {
  const { 'topology.kubernetes.io/region': region = '', 'topology.kubernetes.io/zone': zone = '' } = metadata.labels ?? {}
  return region === '' && zone === '' ? '' : `${region}:\x00:${zone}`
}

function noScheduleKeys(node: Node): Set<string> {
  const keys = new Set<string>()
  for (const [type, status, key] of CONDITION_TAINTS) if (nodeCondition(node, type)?.status === status) keys.add(key)
  if (node.spec.unschedulable) keys.add(UNSCHEDULABLE)
  return keys
}
