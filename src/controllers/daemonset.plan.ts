import type { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { taintsOf } from '#kinds/core/v1/node.facts.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { matchesRequiredAffinity } from '#kinds/core/v1/node-selector.facts.ts'
import { isAvailable, isReady, isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { firstUntolerated } from '#kinds/core/v1/toleration.facts.ts'
import { scaledValue } from '#machinery/int-or-string/int-or-string.ts'
import { daemonTolerations, nodeNameOf } from './daemonset-pod.ts'
import { finishTimeOf } from './job-failures.ts'
import { REVISION_LABEL } from './runtime/controller-revisions.ts'

/** A daemon pod that has ended is replaced after so long, so that one that cannot run costs little. */
const RETRY_MS = 5_000

/** The next steps of a set. */
export interface DaemonSetPlan {
  /** Names of nodes that need a pod. */
  readonly create: readonly string[]
  readonly delete: readonly Pod[]
  readonly status: Omit<DaemonSet['status'], 'collisionCount' | 'conditions' | 'observedGeneration'>
  readonly againMs: number | undefined
}

/** Where pods are missing or too many, and which old ones may be replaced. `hash` is that of the present template. */
export function planDaemons(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], hash: string, now: number): DaemonSetPlan {
  const byNode = new Map<string, Pod[]>()
  for (const pod of pods) {
    const name = nodeNameOf(pod)
    byNode.set(name, [...(byNode.get(name) ?? []), pod])
  }
  const places = nodes.map(node => ({ node, pods: byNode.get(node.metadata.name ?? '') ?? [], ...fitOf(set, node) }))
  const create: string[] = []
  const remove = new Set<Pod>()
  let againMs: number | undefined
  for (const place of places) {
    if (!place.continues) {
      for (const pod of place.pods) if (!isTerminating(pod)) remove.add(pod)
      continue
    }
    const running = place.pods.filter(pod => !isTerminal(pod))
    for (const pod of place.pods.filter(isTerminal)) {
      const waitMs = finishTimeOf(pod) + RETRY_MS - now
      if (waitMs > 0) againMs = Math.min(againMs ?? waitMs, waitMs)
      else if (!isTerminating(pod)) remove.add(pod)
    }
    if (place.runs && place.pods.length === 0) create.push(place.node.metadata.name ?? '')
    for (const pod of surplus(set, running, hash)) remove.add(pod)
  }
  const gone = pods.filter(pod => !nodes.some(node => node.metadata.name === nodeNameOf(pod)) && !isTerminating(pod))
  for (const pod of gone) remove.add(pod)
  if (set.spec.updateStrategy.type === 'RollingUpdate' && create.length === 0) {
    const steps = roll(
      set,
      places.filter(({ runs }) => runs),
      hash,
      now,
    )
    for (const pod of steps.delete) remove.add(pod)
    create.push(...steps.create)
  }
  return { create, delete: [...remove], status: statusOf(set, places, hash, now), againMs: againMs ?? nextAvailableInMs(set, pods, now) }
}

interface Place {
  readonly node: Node
  readonly pods: readonly Pod[]
  /** Whether the node is to have a pod. */
  readonly runs: boolean
  /** Whether a pod that is there may stay. */
  readonly continues: boolean
}

/** Taints that only keep new pods away don't drive present ones out. */
function fitOf(set: DaemonSet, node: Node): { runs: boolean; continues: boolean } {
  const { spec } = set.spec.template
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { runs: false, continues: false }
  if (!matchesRequiredAffinity(spec, node)) return { runs: false, continues: false }
  const tolerations = [...(spec.tolerations ?? []), ...daemonTolerations(spec.hostNetwork ?? false)]
  const taints = taintsOf(node)
  if (firstUntolerated(taints, tolerations, ['NoExecute'])) return { runs: false, continues: false }
  return { runs: firstUntolerated(taints, tolerations, ['NoSchedule']) === undefined, continues: true }
}

/** Of several pods on a node the oldest stays; while one surges, that is one of each template. */
function surplus(set: DaemonSet, running: readonly Pod[], hash: string): Pod[] {
  const living = running.filter(pod => !isTerminating(pod)).sort(byAge)
  if (maxSurgeOf(set, 1) === 0) return living.slice(1)
  const isNew = (pod: Pod) => pod.metadata.labels?.[REVISION_LABEL] === hash
  return [...living.filter(isNew).slice(1), ...living.filter(pod => !isNew(pod)).slice(1)]
}

function roll(set: DaemonSet, places: readonly Place[], hash: string, now: number): { create: string[]; delete: Pod[] } {
  const { minReadySeconds = 0 } = set.spec
  const desired = places.length
  const maxSurge = maxSurgeOf(set, desired)
  const living = places.map(({ node, pods }) => {
    const there = pods.filter(pod => !isTerminal(pod) && !isTerminating(pod))
    const fresh = there.find(pod => pod.metadata.labels?.[REVISION_LABEL] === hash)
    return { name: node.metadata.name ?? '', fresh, old: there.find(pod => pod !== fresh), isTerminating: pods.some(isTerminating) }
  })
  const available = (pod: Pod | undefined) => pod !== undefined && isAvailable(pod, minReadySeconds, now)
  if (maxSurge === 0) {
    const maxUnavailable = Math.max(1, scaledValue(set.spec.updateStrategy.rollingUpdate?.maxUnavailable ?? 1, desired, 'up'))
    const outdated = living.filter(({ old, fresh }) => old && !fresh)
    const unavailable = living.filter(({ old, fresh }) => !available(fresh ?? old)).length
    const broken = outdated.filter(({ old }) => !available(old)).map(({ old }) => old!)
    const room = Math.max(0, maxUnavailable - unavailable)
    const rest = outdated.filter(({ old }) => available(old)).map(({ old }) => old!)
    return { create: [], delete: [...broken, ...rest.slice(0, room)] }
  }
  // The old pod goes when the new one is available; so many new ones may stand beside old ones.
  const replaced = living
    .filter(({ old, fresh }) => old && (available(fresh) || (fresh === undefined && !available(old))))
    .map(({ old }) => old!)
  const surging = living.filter(({ old, fresh }) => old && fresh && !available(fresh)).length
  const waiting = living.filter(({ old, fresh, isTerminating }) => old && !fresh && !isTerminating && available(old))
  return { create: waiting.slice(0, Math.max(0, maxSurge - surging)).map(({ name }) => name), delete: replaced }
}

function maxSurgeOf(set: DaemonSet, desired: number): number {
  const { type, rollingUpdate } = set.spec.updateStrategy
  return type === 'RollingUpdate' ? scaledValue(rollingUpdate?.maxSurge ?? 0, desired, 'up') : 0
}

function statusOf(set: DaemonSet, places: readonly Place[], hash: string, now: number): DaemonSetPlan['status'] {
  const { minReadySeconds = 0 } = set.spec
  const wanted = places.filter(({ runs }) => runs)
  const scheduled = wanted.flatMap(({ pods }) => [...pods].sort(byAge).slice(0, 1))
  const updated = wanted.flatMap(({ pods }) => pods.filter(pod => pod.metadata.labels?.[REVISION_LABEL] === hash).slice(0, 1))
  const counted = wanted.map(({ pods }) => pods.find(pod => isReady(pod)))
  const ready = counted.filter(pod => pod !== undefined)
  const numberAvailable = ready.filter(pod => isAvailable(pod, minReadySeconds, now)).length
  return {
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: scheduled.length,
    numberMisscheduled: places.filter(({ runs, pods }) => !runs && pods.length > 0).length,
    numberReady: ready.length,
    updatedNumberScheduled: updated.length,
    numberAvailable,
    numberUnavailable: wanted.length - numberAvailable,
  }
}

function nextAvailableInMs(set: DaemonSet, pods: readonly Pod[], now: number): number | undefined {
  const { minReadySeconds = 0 } = set.spec
  const waits = pods.flatMap(pod => {
    const since = pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')?.lastTransitionTime
    const inMs = since ? Date.parse(since) + minReadySeconds * 1000 - now : 0
    return inMs > 0 ? [inMs] : []
  })
  return waits.length > 0 ? Math.min(...waits) : undefined
}

function byAge(a: Pod, b: Pod): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return first < second ? -1 : first > second ? 1 : 0
}
