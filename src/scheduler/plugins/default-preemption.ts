import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { withNodes, wouldFit } from '../framework/filter.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { NodeSet, SchedulingCycle } from '../framework/scheduling-cycle.ts'

export interface PreemptionOptions {
  readonly client: Client
  readonly events: EventRecorder
  /** The plugins whose filters a pod has to pass. */
  plugins(): readonly SchedulerPlugin[]
  /** The budgets of a namespace. */
  budgets(namespace: string): readonly PodDisruptionBudget[]
  /** Called with an eviction that the API server refused. */
  failed(victim: Pod, error: unknown): void
}

/** The pods to evict from a node so that a pod fits there. */
export interface Candidate {
  readonly node: NodeInfo
  readonly victims: readonly PodInfo[]
  /** How many of them a disruption budget would rather keep. */
  readonly violations: number
}

/** Upstream's bounds of the search: a tenth of the nodes, at least a hundred. */
const MIN_CANDIDATES = 100
const CANDIDATE_SHARE = 0.1

const NAME = 'DefaultPreemption'

/** Evicts pods of lower priority where that makes room, sparing disruption budgets and important pods as far as it can. */
export function defaultPreemption(options: PreemptionOptions): SchedulerPlugin {
  return {
    name: NAME,
    wakesOn: ['pod removed'],
    postFilter(cycle, refusals) {
      if (cycle.pod.spec.preemptionPolicy === 'Never') return { message: 'preemption: not eligible due to preemptionPolicy=Never.' }
      const helpful = [...refusals].filter(([, refusal]) => refusal.code === 'unschedulable').map(([node]) => node)
      if (isWaitingForVictims(cycle, refusals))
        return { message: 'preemption: not eligible due to a terminating pod on the nominated node.' }
      const candidates = candidatesOf(cycle, helpful, options)
      const best = bestOf(candidates)
      if (!best) return { message: `preemption: ${describe(cycle.nodeSet.nodes.length, helpful.length)}` }
      for (const victim of best.victims) void evict(victim, cycle.pod, best.node, options)
      return { nominatedNodeName: best.node.name, message: '' }
    },
  }
}

/** A pod that already has a node nominated waits until the victims there have ended. */
function isWaitingForVictims({ pod, nodeSet, info }: SchedulingCycle, refusals: ReadonlyMap<NodeInfo, Refusal>): boolean {
  const nominated = pod.status.nominatedNodeName ? nodeSet.get(pod.status.nominatedNodeName) : undefined
  if (!nominated || refusals.get(nominated)?.code === 'unresolvable') return false
  return [...nominated.pods.values()].some(other => other.priority < info.priority && other.pod.metadata.deletionTimestamp !== undefined)
}

function describe(all: number, helpful: number): string {
  const reasons = [
    ...(helpful > 0 ? [`${helpful} No preemption victims found for incoming pod`] : []),
    ...(all > helpful ? [`${all - helpful} Preemption is not helpful for scheduling`] : []),
  ]
  return `0/${all} nodes are available: ${reasons.join(', ')}.`
}

function candidatesOf(cycle: SchedulingCycle, nodes: readonly NodeInfo[], options: PreemptionOptions): Candidate[] {
  const limit = Math.max(MIN_CANDIDATES, Math.floor(cycle.nodeSet.nodes.length * CANDIDATE_SHARE))
  const candidates: Candidate[] = []
  for (const node of nodes) {
    const candidate = victimsOn(cycle.info, node, cycle.nodeSet, options)
    if (candidate) candidates.push(candidate)
    if (candidates.length >= limit) break
  }
  return candidates
}

/**
 * The fewest pods that have to go: first all of lower priority leave, then as many as possible come back, the most important first and those
 * that a budget protects before the others.
 */
export function victimsOn(
  pod: PodInfo,
  node: NodeInfo,
  nodeSet: NodeSet,
  options: Pick<PreemptionOptions, 'plugins' | 'budgets'>,
): Candidate | undefined {
  const lower = [...node.pods.values()].filter(other => other.priority < pod.priority)
  if (lower.length === 0) return undefined
  const trial = node.copy()
  for (const other of lower) trial.removePod(other.uid)
  const fits = () => wouldFit(pod, trial, withNodes(nodeSet, [trial]), options.plugins())
  if (!fits()) return undefined
  const isProtected = protectedBy(lower, options.budgets)
  const victims: PodInfo[] = []
  for (const other of lower.sort((left, right) => Number(isProtected(right)) - Number(isProtected(left)) || moreImportant(left, right))) {
    trial.addPod(other)
    if (fits()) continue
    trial.removePod(other.uid)
    victims.push(other)
  }
  return { node, victims, violations: victims.filter(isProtected).length }
}

/** The pods whose eviction a budget would not allow, counting those before them. */
function protectedBy(pods: readonly PodInfo[], budgets: PreemptionOptions['budgets']): (pod: PodInfo) => boolean {
  const kept = new Set<PodInfo>()
  const left = new Map<PodDisruptionBudget, number>()
  for (const pod of [...pods].sort(moreImportant)) {
    for (const budget of budgets(pod.namespace)) {
      const isMeant = budget.spec.selector !== undefined && LabelSelector.ofObject(budget.spec.selector).matches(pod.pod.metadata.labels)
      if (!isMeant || budget.status.disruptedPods?.[pod.pod.metadata.name ?? ''] !== undefined) continue
      const allowed = left.get(budget) ?? budget.status.disruptionsAllowed
      left.set(budget, allowed - 1)
      if (allowed <= 0) kept.add(pod)
    }
  }
  return pod => kept.has(pod)
}

/** Negative if `left` matters more: by priority, then by how long it has been running. */
function moreImportant(left: PodInfo, right: PodInfo): number {
  return right.priority - left.priority || startOf(left).localeCompare(startOf(right))
}

const startOf = ({ pod }: PodInfo) => pod.status.startTime ?? pod.metadata.creationTimestamp ?? ''

/** The candidate that hurts least, by upstream's order of criteria. */
export function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const highest = ({ victims }: Candidate) => Math.max(...victims.map(victim => victim.priority))
  const sum = ({ victims }: Candidate) => victims.reduce((total, victim) => total + victim.priority + 2 ** 31, 0)
  const latestStart = (candidate: Candidate) =>
    candidate.victims
      .filter(victim => victim.priority === highest(candidate))
      .map(startOf)
      .sort()[0] ?? ''
  return [...candidates].sort(
    (left, right) =>
      left.violations - right.violations ||
      highest(left) - highest(right) ||
      sum(left) - sum(right) ||
      left.victims.length - right.victims.length ||
      latestStart(right).localeCompare(latestStart(left)),
  )[0]
}

async function evict(victim: PodInfo, preemptor: Pod, node: NodeInfo, { client, events, failed }: PreemptionOptions): Promise<void> {
  const { pod } = victim
  const message = `default-scheduler: preempting to accommodate a higher priority pod`
  try {
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message }
    await client.patch(Pod, pod, { type: 'strategic', body: { status: { conditions: [condition] } } }, { subresource: 'status' })
    await client.delete(Pod, pod, { preconditions: { uid: pod.metadata.uid } })
    events.record(pod, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid} on node ${node.name}`)
  } catch (error) {
    failed(pod, error)
  }
}
