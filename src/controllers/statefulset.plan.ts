import type { StatefulSet, StatefulSetStatus } from '#kinds/apps/v1/stateful-set.ts'
import { isAvailable, isReady, isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { scaledValue } from '#machinery/int-or-string/int-or-string.ts'
import { REVISION_LABEL } from './runtime/controller-revisions.ts'
import { ordinalOf } from './statefulset-pod.ts'

/** The next steps of a set. */
export interface StatefulSetPlan {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[]
  readonly delete: readonly Pod[]
  /** Pods that must be given their identity or their claims again. */
  readonly keep: readonly Pod[]
  /** Pods whose ordinals are no longer wanted, whether or not they are deleted now. */
  readonly condemned: readonly Pod[]
  readonly status: StatefulSetStatus
  /** When a pod becomes available, or may. */
  readonly againMs: number | undefined
}

export interface Revisions {
  /** The name of the revision that pods had before the update that is under way. */
  readonly current: string
  readonly update: string
  readonly collisionCount: number
}

/** Which pods to create and delete. Ordered sets take one step at a time and only when all before it are well; parallel ones take all. */
export function planStatefulSet(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number): StatefulSetPlan {
  const { replicas, minReadySeconds = 0, podManagementPolicy } = set.spec
  const start = set.spec.ordinals?.start ?? 0
  const isOrdered = podManagementPolicy !== 'Parallel'
  const byOrdinal = new Map(pods.map(pod => [ordinalOf(set, pod), pod]))
  const wanted = Array.from({ length: replicas }, (_, index) => ({ ordinal: start + index, pod: byOrdinal.get(start + index) }))
  const condemned = pods
    .filter(pod => !wanted.some(place => place.pod === pod))
    .sort((a, b) => (ordinalOf(set, b) ?? 0) - (ordinalOf(set, a) ?? 0))
  const isWell = (pod: Pod) => isRunningAndReady(pod) && isAvailable(pod, minReadySeconds, now) && !isTerminating(pod)
  const status = statusOf(set, pods, revisions, now)
  const none: StatefulSetPlan = {
    create: [],
    delete: [],
    keep: [],
    condemned,
    status,
    againMs: nextAvailableInMs(pods, minReadySeconds, now),
  }
  if (set.metadata.deletionTimestamp) return none

  const create: { ordinal: number; revision: string }[] = []
  const remove: Pod[] = []
  const keep: Pod[] = []
  let isBlocked = false
  for (const { ordinal, pod } of wanted) {
    if (!pod) create.push({ ordinal, revision: revisionFor(set, ordinal, revisions) })
    else if (isTerminal(pod) && !isTerminating(pod)) remove.push(pod)
    else keep.push(pod)
    if (isOrdered && !(pod && isWell(pod))) {
      isBlocked = true
      break
    }
  }
  const steps = { ...none, create, delete: remove, keep }
  if (isBlocked) return steps
  const goes = isOrdered ? nextToGo(condemned, isWell) : condemned.filter(pod => !isTerminating(pod))
  if (isOrdered && condemned.length > 0) return { ...steps, delete: goes }
  const isBusy = create.length + remove.length > 0
  const outdated = set.spec.updateStrategy.type === 'OnDelete' || isBusy ? [] : rollingUpdate(set, wanted, revisions, isWell)
  return { ...steps, delete: [...remove, ...goes, ...outdated] }
}

/**
 * The highest ordinal goes first, when all below it are well; of several sick ones the lowest goes first. One that has ended will never be
 * well again: nobody waits for it.
 */
function nextToGo(condemned: readonly Pod[], isWell: (pod: Pod) => boolean): Pod[] {
  const [next] = condemned
  const sick = [...condemned].reverse().find(pod => !isWell(pod))
  if (!next || isTerminating(next)) return []
  return isWell(next) || isTerminal(next) || next === sick ? [next] : []
}

/** Pods of old revisions go from the highest ordinal down to the partition, as many at a time as may be missing. */
function rollingUpdate(
  set: StatefulSet,
  wanted: readonly { readonly ordinal: number; readonly pod: Pod | undefined }[],
  revisions: Revisions,
  isWell: (pod: Pod) => boolean,
): Pod[] {
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy.rollingUpdate ?? {}
  const start = set.spec.ordinals?.start ?? 0
  const limit = Math.max(1, scaledValue(maxUnavailable, set.spec.replicas, 'up'))
  let missing = wanted.filter(({ pod }) => !pod || !isWell(pod)).length
  const chosen: Pod[] = []
  for (const { ordinal, pod } of [...wanted].reverse()) {
    if (ordinal < start + partition || !pod) break
    const isOld = revisionOf(pod) !== revisions.update
    const isGoing = isTerminating(pod)
    // One that is not well is missing already: replacing it costs nothing.
    if (isOld && !isGoing && !isWell(pod)) chosen.push(pod)
    else if (isOld && !isGoing && missing < limit) {
      chosen.push(pod)
      missing++
    }
    // One at a time: whatever stands above must be well before the next one goes.
    if (limit === 1 && (chosen.length > 0 || isGoing || !isWell(pod))) break
  }
  return chosen
}

/** Below the partition pods come back as they were before the update. */
function revisionFor(set: StatefulSet, ordinal: number, { current, update }: Revisions): string {
  const { type, rollingUpdate } = set.spec.updateStrategy
  const start = set.spec.ordinals?.start ?? 0
  if (type === 'OnDelete') return update
  return ordinal < start + (rollingUpdate?.partition ?? 0) ? current : update
}

function statusOf(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number): StatefulSetStatus {
  const { minReadySeconds = 0, replicas, updateStrategy } = set.spec
  const made = pods.filter(pod => (pod.status.phase ?? '') !== '' || pod.metadata.uid !== undefined)
  const living = made.filter(pod => !isTerminating(pod))
  const ready = made.filter(isRunningAndReady)
  const updated = living.filter(pod => revisionOf(pod) === revisions.update)
  const status = {
    observedGeneration: set.metadata.generation,
    replicas: made.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter(pod => isAvailable(pod, minReadySeconds, now)).length,
    currentReplicas: living.filter(pod => revisionOf(pod) === revisions.current).length,
    updatedReplicas: updated.length,
    currentRevision: revisions.current,
    updateRevision: revisions.update,
    collisionCount: revisions.collisionCount,
    conditions: set.status.conditions,
  }
  const isUpdated =
    updateStrategy.type === 'RollingUpdate' && updated.length === replicas && ready.length === replicas && made.length === replicas
  return isUpdated ? { ...status, currentRevision: revisions.update, currentReplicas: updated.length } : status
}

export function revisionOf(pod: Pod): string {
  return pod.metadata.labels?.[REVISION_LABEL] ?? ''
}

function isRunningAndReady(pod: Pod): boolean {
  return pod.status.phase === 'Running' && isReady(pod)
}

function nextAvailableInMs(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  if (minReadySeconds === 0) return undefined
  const waits = pods.flatMap(pod => {
    const since = pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')?.lastTransitionTime
    const inMs = since ? Date.parse(since) + minReadySeconds * 1000 - now : 0
    return inMs > 0 ? [inMs] : []
  })
  return waits.length > 0 ? Math.min(...waits) : undefined
}
