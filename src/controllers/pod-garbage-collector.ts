import { every } from '#base/time/clock.ts'
import { isReady as isNodeReady, taintsOf } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isScheduled, isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { counter } from './runtime/controller-metrics.ts'
import { untilAborted } from './runtime/until-aborted.ts'

const PERIOD_MS = 20_000

const deletions = counter(
  'pod_gc_collector_force_delete_pods_total',
  'Number of pods that are being forcefully deleted since the Pod GC Controller started.',
  ['namespace', 'reason'],
)
const deletionErrors = counter(
  'pod_gc_collector_force_delete_pod_errors_total',
  'Number of errors encountered when forcefully deleting the pods since the Pod GC Controller started.',
  ['namespace', 'reason'],
)
/** How long a node must be missing before its pods are taken for lost. */
const QUARANTINE_MS = 40_000

/** Deletes pods that nobody else will: of nodes that are gone, terminating without a node, and too many that have ended. */
export const podGarbageCollectorController: Controller = {
  name: 'pod-garbage-collector-controller',
  run(context) {
    const ended = new AbortController()
    const pods = context.informers.of(Pod)
    const nodes = context.informers.of(Node)
    const missingSince = new Map<string, number>()
    let timer: Disposable | undefined
    let sweep: Promise<void> = Promise.resolve()
    const started = untilAborted(Promise.all([pods.synced(), nodes.synced()]), ended.signal).then(
      () => {
        timer = every(context.clock, PERIOD_MS, () => {
          sweep = collect(context, missingSince)
          return sweep
        })
      },
      () => undefined,
    )
    return {
      async [Symbol.asyncDispose]() {
        ended.abort(new Error('the pod garbage collector was stopped'))
        await started
        timer?.[Symbol.dispose]()
        await sweep
      },
    }
  },
}

async function collect(context: ControllerContext, missingSince: Map<string, number>): Promise<void> {
  const { informers, log } = context
  const pods = informers.of(Pod).list()
  const lost = await lostNodes(context, pods, missingSince)
  for (const { pod, why } of plan(pods, name => informers.of(Node).get('', name), lost, context.parameters.terminatedPodLimit)) {
    const labels = [pod.metadata.namespace ?? '', reasonOf(pod, lost)]
    context.metrics.count(deletions, labels)
    try {
      await remove(context, pod, why)
    } catch (error) {
      context.metrics.count(deletionErrors, labels)
      log.warn('a pod could not be collected', { pod: pod.metadata.name, error })
    }
  }
}

/** Names of nodes that have been missing for long enough, by the server's own word. */
async function lostNodes(
  { informers, client, clock }: ControllerContext,
  pods: readonly Pod[],
  missingSince: Map<string, number>,
): Promise<Set<string>> {
  const nodes = informers.of(Node)
  // Hot: of a hundred thousand pods this is done every 20 seconds. A node is looked up once.
  const named = new Set<string>()
  for (const { spec } of pods) if (spec.nodeName) named.add(spec.nodeName)
  const missing = new Set([...named].filter(name => !nodes.get('', name)))
  for (const name of missingSince.keys()) if (!missing.has(name)) missingSince.delete(name)
  const lost = new Set<string>()
  for (const name of missing) {
    const since = missingSince.get(name) ?? clock.monotonic()
    missingSince.set(name, since)
    if (clock.monotonic() - since < QUARANTINE_MS) continue
    const isThere = await client.get(Node, { name }).then(
      () => true,
      error => !isNotFound(error),
    )
    if (!isThere) lost.add(name)
  }
  return lost
}

/** As metrics name why a pod is collected. */
function reasonOf(pod: Pod, lost: ReadonlySet<string>): string {
  if (isScheduled(pod) && lost.has(pod.spec.nodeName!)) return 'orphaned'
  if (isTerminating(pod)) return isScheduled(pod) ? 'out-of-service' : 'unscheduled'
  return 'terminated'
}

/** A pod to collect, and what its condition says of why; `''` for pods that have ended anyway. */
export interface Garbage {
  readonly pod: Pod
  readonly why: string
}

/** Which pods are garbage. `limit` is how many that have ended may stay; 0 keeps all. */
export function plan(
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  lost: ReadonlySet<string>,
  limit: number,
): Garbage[] {
  const garbage: Garbage[] = []
  const ended: Pod[] = []
  for (const pod of pods) {
    if (isScheduled(pod) && lost.has(pod.spec.nodeName!)) garbage.push({ pod, why: 'PodGC: node no longer exists' })
    else if (isTerminating(pod) && !isScheduled(pod)) garbage.push({ pod, why: '' })
    else if (isTerminating(pod) && isOutOfService(nodeOf(pod.spec.nodeName!)))
      garbage.push({ pod, why: 'PodGC: terminating pod on out-of-service node' })
    else if (isTerminal(pod) && !isTerminating(pod)) ended.push(pod)
  }
  if (limit <= 0) return garbage
  const excess = ended.length - limit
  if (excess <= 0) return garbage
  const rank = (pod: Pod) => (pod.status.reason === 'Evicted' ? '0' : '1') + (pod.metadata.creationTimestamp ?? '')
  const oldest = [...ended].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, excess)
  return [...garbage, ...oldest.map(pod => ({ pod, why: '' }))]
}

/** Somebody has said that the node is off and will not come back as it was. */
function isOutOfService(node: Node | undefined): boolean {
  return node !== undefined && !isNodeReady(node) && taintsOf(node).some(({ key }) => key === 'node.kubernetes.io/out-of-service')
}

async function remove({ client, clock }: ControllerContext, pod: Pod, why: string): Promise<void> {
  if (why !== '' && !isTerminal(pod)) {
    const condition = { type: 'DisruptionTarget', status: 'True' as const, reason: 'DeletionByPodGC', message: why }
    const others = (pod.status.conditions ?? []).filter(({ type }) => type !== condition.type)
    const conditions = [...others, { ...condition, lastProbeTime: null, lastTransitionTime: timeOf(clock.now()) }]
    // Its role lets it patch the status, not replace it.
    const body = { metadata: { uid: pod.metadata.uid }, status: { phase: 'Failed', conditions } }
    await client.patch(Pod, pod, { type: 'strategic', body }, { subresource: 'status' }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  }
  await client.delete(Pod, pod, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }).catch(error => {
    if (!isNotFound(error)) throw error
  })
}
