import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { prefilter, trialOn } from '../framework/filter.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { PluginWith, Profile } from '../framework/profile.ts'
import type { Refusals } from '../framework/refusals.ts'
import { isTrialState, type SchedulingCycle, schedulingCycle } from '../framework/scheduling-cycle.ts'
import type { Nominations } from '../framework/select-node.ts'
import type { SchedulerMetrics } from '../scheduler-metrics.ts'
import { CandidateCache } from './candidate-cache.ts'
import { bestOf, type Candidate, moreImportant } from './preemption.plan.ts'

/** Upstream's DefaultPreemptionArgs: how many nodes are looked at. */
export interface DefaultPreemptionArgs {
  readonly minCandidateNodesPercentage?: number
  readonly minCandidateNodesAbsolute?: number
}

export interface PreemptionOptions {
  readonly client: Client
  readonly events: EventRecorder
  readonly args?: DefaultPreemptionArgs
  /** The profile whose filters a pod has to pass. */
  profile(): Profile
  /** The budgets of a namespace; of all without one. */
  budgets(namespace?: string): readonly PodDisruptionBudget[]
  /** Pods that are on their way to nodes. */
  readonly nominations: Nominations
  /** Called with an eviction that the API server refused. */
  failed(victim: Pod, error: unknown): void
  readonly metrics: Pick<SchedulerMetrics, 'preempting' | 'preempted' | 'evicted'>
  readonly clock: Clock
  /** Nothing is left to wait for: the pod is to be tried again. */
  retry(pod: PodInfo): void
  /** Victims are on their way: the pod is to be tried again if something happened meanwhile. */
  released(pod: PodInfo): void
  /** The pod is to be tried again after its backoff: an eviction was refused. */
  retryLater(pod: PodInfo): void
}

const NAME = 'DefaultPreemption'

/** Evicts pods of lower priority where that makes room, sparing disruption budgets and important pods as far as it can. */
export function defaultPreemption(options: PreemptionOptions): SchedulerPlugin {
  const underWay = new Set<string>()
  const known = new CandidateCache()
  const percent = options.args?.minCandidateNodesPercentage ?? 10
  const absolute = options.args?.minCandidateNodesAbsolute ?? 100

  /** The pod stays out of the queue until the last eviction was asked for: tried before, it would choose victims once more. */
  const evictAll = async ({ info, pod }: SchedulingCycle, { victims }: Candidate, node: NodeInfo) => {
    underWay.add(info.uid)
    const since = options.clock.monotonic()
    const evicted = await Promise.all(victims.map(victim => evict(victim, pod, node, options)))
    underWay.delete(info.uid)
    options.metrics.evicted(evicted.includes(false) ? 'error' : 'success', options.clock.monotonic() - since)
    if (evicted.includes(false)) options.retryLater(info)
    else if (!victims.some(({ uid }) => node.pods.has(uid))) options.retry(info)
    // Victims that take their time wake the pod as they go.
    else options.released(info)
  }

  const limitOf = ({ nodeSet }: SchedulingCycle) => Math.max(absolute, Math.floor((nodeSet.nodes.length * percent) / 100))

  return {
    name: NAME,
    preEnqueue: pod => (underWay.has(pod.metadata.uid ?? '') ? WAITING : undefined),
    roomFor(cycle, refusals) {
      if (cycle.pod.spec.preemptionPolicy === 'Never') return undefined
      if (isWaitingForVictims(cycle, options.nominations, refusals)) return options.nominations.nodeOf(cycle.info.uid)
      return bestOf(candidatesOf(cycle, refusals.resolvable, limitOf(cycle), options, known))?.node.name
    },
    postFilter(cycle, refusals) {
      options.metrics.preempting()
      if (cycle.pod.spec.preemptionPolicy === 'Never') return { message: 'preemption: not eligible due to preemptionPolicy=Never.' }
      if (isWaitingForVictims(cycle, options.nominations, refusals))
        return { message: 'preemption: not eligible due to a terminating pod on the nominated node.', keepsNomination: true }
      const helpful = refusals.resolvable
      const all = cycle.nodeSet.nodes.length
      const best = bestOf(candidatesOf(cycle, helpful, limitOf(cycle), options, known))
      if (!best) return { message: `preemption: ${describe(all, helpful.length)}` }
      options.metrics.preempted(best.victims.length)
      if (best.victims.length > 0) void evictAll(cycle, best, best.node)
      return { nominatedNodeName: best.node.name, message: '' }
    },
  }
}

const WAITING: Refusal = { plugin: NAME, code: 'unresolvable', reasons: ['waiting for the preemption for this pod to be finished'] }

/** A pod that already has a node nominated waits until the victims there have ended. */
function isWaitingForVictims({ nodeSet, info }: SchedulingCycle, nominations: Nominations, refusals: Refusals): boolean {
  const nominated = nodeSet.get(nominations.nodeOf(info.uid) ?? '')
  if (!nominated || refusals.of(nominated)?.code === 'unresolvable') return false
  return [...nominated.pods.values()].some(other => other.priority < info.priority && other.pod.metadata.deletionTimestamp !== undefined)
}

function describe(all: number, helpful: number): string {
  const reasons = [
    ...(helpful > 0 ? [`${helpful} No preemption victims found for incoming pod`] : []),
    ...(all > helpful ? [`${all - helpful} Preemption is not helpful for scheduling`] : []),
  ]
  return `0/${all} nodes are available: ${reasons.join(', ')}.`
}

/** Stops once there are enough to choose among. Starts where the pod's uid says, so that not all pods look at the same nodes. */
function candidatesOf(
  cycle: SchedulingCycle,
  nodes: readonly NodeInfo[],
  limit: number,
  options: PreemptionOptions,
  known: CandidateCache,
): Candidate[] {
  const asked = schedulingCycle(cycle.info, cycle.nodeSet)
  const { refusal, filters } = prefilter(asked, options.profile())
  if (refusal) return []
  const candidates: Candidate[] = []
  // What one node would have to give up is the same for pods of one shape, as long as nothing but the node itself counts.
  const isLocal = [...asked.state.values()].every(state => !isTrialState(state)) && cycle.info.claims.length === 0
  const shape = isLocal && options.budgets().length === 0 ? known.forShape(shapeOf(cycle.info, options.profile())) : undefined
  const start = nodes.length > 0 ? hashOf(cycle.info.uid) % nodes.length : 0
  for (let index = 0; index < nodes.length && candidates.length < limit; index++) {
    const node = nodes[(start + index) % nodes.length]!
    const coming = options.nominations.on(node.name)
    const known = shape?.of(node, coming)
    const candidate = known ? known.candidate : victimsOn(node, asked, filters, options, coming)
    if (!known) shape?.remember(node, coming, candidate)
    if (candidate) candidates.push(candidate)
  }
  return candidates
}

/** All of a pod that plugins which look at single nodes ask for. */
function shapeOf({ pod: { spec }, priority, requests, hostPorts }: PodInfo, profile: Profile): string {
  return JSON.stringify([
    profile.schedulerName,
    priority,
    requests,
    hostPorts,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.nodeName,
  ])
}

function hashOf(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) >>> 0
  return hash
}

/**
 * The fewest pods that have to go: first all of lower priority leave, then as many as possible come back, the most important first and those
 * that a budget protects before the others.
 */
function victimsOn(
  node: NodeInfo,
  cycle: SchedulingCycle,
  filters: readonly PluginWith<'filter'>[],
  options: PreemptionOptions,
  coming: readonly PodInfo[],
): Candidate | undefined {
  const lower: PodInfo[] = []
  for (const other of node.pods.values()) if (other.priority < cycle.info.priority) lower.push(other)
  if (lower.length === 0) return undefined
  const trial = trialOn(node, cycle, options.profile(), filters)
  for (const other of coming) if (other.priority >= cycle.info.priority && other.uid !== cycle.info.uid) trial.add(other)
  for (const other of lower) trial.remove(other)
  if (trial.refusal()) return undefined
  const isProtected = protectedBy(lower, options.budgets)
  const victims: PodInfo[] = []
  for (const other of lower.sort((left, right) => Number(isProtected(right)) - Number(isProtected(left)) || moreImportant(left, right))) {
    trial.add(other)
    if (!trial.refusal()) continue
    trial.remove(other)
    victims.push(other)
  }
  return { node, victims: victims.sort(moreImportant), violations: victims.filter(isProtected).length }
}

/** The pods whose eviction a budget would not allow, counting those before them. */
function protectedBy(pods: readonly PodInfo[], budgets: PreemptionOptions['budgets']): (pod: PodInfo) => boolean {
  if (pods.every(pod => budgets(pod.namespace).length === 0)) return () => false
  const kept = new Set<PodInfo>()
  const left = new Map<PodDisruptionBudget, number>()
  for (const pod of [...pods].sort(moreImportant)) {
    for (const budget of budgets(pod.namespace)) {
      if (!isMeant(budget, pod.pod) || budget.status.disruptedPods?.[pod.pod.metadata.name ?? ''] !== undefined) continue
      const allowed = left.get(budget) ?? budget.status.disruptionsAllowed
      left.set(budget, allowed - 1)
      if (allowed <= 0) kept.add(pod)
    }
  }
  return pod => kept.has(pod)
}

/** As upstream: to preemption, a budget without a selector or with an empty one means no pod, and no budget means a pod without labels. */
function isMeant({ spec: { selector } }: PodDisruptionBudget, { metadata: { labels = {} } }: Pod): boolean {
  if (!selector?.matchExpressions?.length && Object.keys(selector?.matchLabels ?? {}).length === 0) return false
  return Object.keys(labels).length > 0 && LabelSelector.ofObject(selector!).matches(labels)
}

/** Whether the API server has seen to it that the victim goes. */
async function evict({ pod }: PodInfo, preemptor: Pod, node: NodeInfo, { client, events, failed }: PreemptionOptions): Promise<boolean> {
  const message = `${preemptor.spec.schedulerName ?? 'default-scheduler'}: preempting to accommodate a higher priority pod`
  try {
    if (pod.metadata.deletionTimestamp === undefined) {
      const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message }
      await client.patch(Pod, pod, { type: 'strategic', body: { status: { conditions: [condition] } } }, { subresource: 'status' })
      await client.delete(Pod, pod, { preconditions: { uid: pod.metadata.uid } })
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return true
    failed(pod, error)
    return false
  }
  events.record(pod, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid} on node ${node.name}`)
  return true
}
