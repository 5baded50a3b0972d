import type { Clock } from '#base/time/clock.ts'
import type { Informers } from '#client/informers/informer.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { DeviceClass } from '#kinds/resource/v1/device-class.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { SchedulerCache } from './cache/scheduler-cache.ts'
import type { ClusterChange, ClusterEvent } from './framework/plugin.ts'
import { groupOf, type PodGroups } from './pod-groups/pod-groups.ts'
import { VOLUME_KINDS } from './volumes/volume-view.ts'

export interface FollowOptions {
  readonly informers: Informers
  readonly cache: SchedulerCache
  /** Absent: groups of pods mean nothing. */
  readonly groups?: PodGroups | undefined
  readonly signal: AbortSignal
  /** Whether this scheduler is to place the pod. */
  isOurs(pod: Pod): boolean
  /** A pod without a node, and what it was before. */
  waits(pod: Pod, old: Pod | undefined): void
  /** A pod that needs no node any more: it was placed, has ended or was deleted. */
  gone(pod: Pod): void
  happened(change: ClusterChange): void
  readonly clock: Clock
  /** Called with how long it took to take in what happened, as upstream names it. */
  handled(event: string, durationMs: number): void
}

/** Without these no pod can be placed rightly; an API server may do without devices. */
const NEEDED_KINDS = [Node, Pod, Namespace, Service, ReplicationController, ReplicaSet, StatefulSet, PodDisruptionBudget] as const

/**
 * Keeps the cache and the queue as the API server shows the cluster, and tells what changed. Resolves once everything that is there is in
 * the cache: nodes and bound pods before the first pod is tried.
 */
export async function followCluster(options: FollowOptions): Promise<Disposable> {
  const { informers, cache, signal, happened } = options
  const timed = timing(options)
  const nodes = informers.of(Node)
  const pods = informers.of(Pod)
  const namespaces = informers.of(Namespace)
  const devices = [ResourceClaim, ResourceSlice, DeviceClass].map(kind => informers.of<AnyKind>(kind))
  const volumes = VOLUME_KINDS.map(kind => informers.of<AnyKind>(kind))
  const needed = [...NEEDED_KINDS, ...VOLUME_KINDS].map(kind => informers.of<AnyKind>(kind))
  await unlessAborted(Promise.all(needed.map(informer => informer.synced())), signal)
  const followed = [
    ...[...devices, ...volumes].map(informer =>
      informer.onChange(
        timed(changeOf(informer.kind.kind), (object, old) => {
          if (object !== old) happened({ event: devices.includes(informer) ? 'resource claims changed' : 'volumes changed' })
        }),
      ),
    ),
    nodes.onChange(
      timed(changeOf<Node>('Node'), (node, old) => {
        if (!node) {
          cache.removeNode(old!.metadata.name ?? '')
          happened({ event: 'node removed' })
          return
        }
        const info = cache.setNode(node)
        for (const event of old ? nodeEvents(node, old) : (['node added'] as const)) happened({ event, node: info })
      }),
    ),
    namespaces.onChange((namespace, old) => {
      if (old && !equal(namespace?.metadata.labels, old.metadata.labels)) cache.namespaceChanged()
    }),
    ...(options.groups
      ? [
          options.groups.onChange(({ metadata }) =>
            happened({ event: 'pod group changed', group: `${metadata.namespace}/${metadata.name}` }),
          ),
        ]
      : []),
    pods.onChange(timed(podChange, (pod, old) => followPod(options, pod, old))),
  ]
  return {
    [Symbol.dispose]() {
      for (const one of followed) one[Symbol.dispose]()
    },
  }
}

type Change<O> = (object: O | undefined, old: O | undefined) => void

/** Makes changes that are taken in be timed, under the name that they get. */
function timing({ clock, handled }: FollowOptions) {
  return <O>(nameOf: (object: O | undefined, old: O | undefined) => string, take: Change<O>): Change<O> =>
    (object, old) => {
      const since = clock.monotonic()
      take(object, old)
      handled(nameOf(object, old), clock.monotonic() - since)
    }
}

/** As upstream names what happens to objects of a kind: `NodeAdd`. */
function changeOf<O extends ApiObject>(kind: string): (object: O | undefined, old: O | undefined) => string {
  const [added, updated, deleted] = [`${kind}Add`, `${kind}Update`, `${kind}Delete`]
  return (object, old) => (object ? (old ? updated : added) : deleted)
}

const assignedChange = changeOf('AssignedPod')
const waitingChange = changeOf('UnschedulablePod')

/** A pod that gets a node is new among those that have one. */
function podChange(pod: Pod | undefined, old: Pod | undefined): string {
  const has = (one: Pod | undefined) => (one?.spec.nodeName ? one : undefined)
  return has(pod ?? old) ? assignedChange(has(pod), has(old)) : waitingChange(pod, old)
}

function followPod({ cache, groups, isOurs, waits, gone, happened }: FollowOptions, pod: Pod | undefined, old: Pod | undefined): void {
  const node = placeOf(pod)
  const oldNode = placeOf(old)
  if (pod && node) {
    cache.setPod(pod)
    if (!oldNode) {
      gone(pod)
      happened({ event: 'pod added', pod })
      if (groups && !old && pod.spec.schedulingGroup) happened({ event: 'pod of a group added', group: groupOf(pod) })
    } else if (old && !equal(pod.metadata.labels, old.metadata.labels)) happened({ event: 'pod labels changed', pod })
    else if (old && pod.spec !== old.spec && !equal(pod.spec.containers, old.spec.containers))
      happened({ event: 'pod scaled down', pod, node: cache.get(node) })
    return
  }
  if (old && oldNode) {
    cache.removePod(old)
    happened({ event: 'pod removed', pod: old, node: cache.get(oldNode) })
  }
  if (!pod || isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) {
    if (old ?? pod) gone((old ?? pod)!)
  } else if (isOurs(pod)) {
    waits(pod, old)
    if (groups && !old && pod.spec.schedulingGroup) happened({ event: 'pod of a group added', group: groupOf(pod) })
    if (old && (old.spec.schedulingGates?.length ?? 0) > (pod.spec.schedulingGates?.length ?? 0))
      happened({ event: 'pod gates removed', pod })
  }
}

/** `work`, or the signal's reason once it aborts: one listener, however many are waited for. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** The node whose room a pod takes. */
function placeOf(pod: Pod | undefined): string | undefined {
  return pod?.spec.nodeName && !isTerminal(pod) ? pod.spec.nodeName : undefined
}

function nodeEvents(node: Node, old: Node): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (!equal(node.status.allocatable, old.status.allocatable)) events.push('node allocatable changed')
  if (!equal(node.metadata.labels, old.metadata.labels)) events.push('node labels changed')
  if (!equal(node.spec.taints, old.spec.taints) || node.spec.unschedulable !== old.spec.unschedulable) events.push('node taints changed')
  if (!equal(node.status.images, old.status.images)) events.push('node images changed')
  if (!equal(node.status.declaredFeatures, old.status.declaredFeatures)) events.push('node features changed')
  return events
}
