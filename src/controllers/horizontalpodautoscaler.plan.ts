import { isTerminating, podCondition, requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { amountsOf } from '#kinds/core/v1/resources.facts.ts'

/** What a pod was measured to use, by container: cpu in thousandths, memory in bytes. */
export interface PodUsage {
  readonly atMs: number
  readonly containers: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** What a resource metric asks for. */
export interface ResourceTarget {
  readonly resource: string
  /** One container alone. */
  readonly container?: string | undefined
  readonly averageUtilization?: number | undefined
  readonly averageValue?: number | undefined
}

/** By which share of what is aimed at a measurement may be above it, or below, without anything being done. */
export interface Tolerance {
  readonly up: number
  readonly down: number
}

export interface Timing {
  readonly now: number
  readonly tolerance: Tolerance
  readonly cpuInitializationPeriodMs: number
  readonly initialReadinessDelayMs: number
}

/** How many pods a metric calls for, and what it measured. */
export interface Proposal {
  readonly replicas: number
  readonly averageUtilization: number | undefined
  readonly averageValue: number
}

/** Nothing could be measured. The message is upstream's. */
export class MetricError extends Error {
  override readonly name = 'MetricError'
}

/** How many pods would use what is aimed at. Pods that are starting or were not measured count for what would change least. */
export function proposeByResource(
  target: ResourceTarget,
  current: number,
  pods: readonly Pod[],
  usages: ReadonlyMap<string, PodUsage>,
  timing: Timing,
): Proposal {
  const { ready, unready, missing } = group(target.resource, pods, usages, timing)
  const values = new Map(ready.map(pod => [pod, usageOf(usages.get(pod.metadata.name ?? '')!, target)]))
  if (values.size === 0) throw new MetricError('did not receive metrics for targeted pods (pods might be unready)')
  const aim = (pod: Pod) =>
    target.averageUtilization === undefined ? target.averageValue! : (requestOf(pod, target) * target.averageUtilization) / 100
  const measured = sum([...values.values()])
  const averageValue = measured / values.size
  const asked = target.averageUtilization === undefined ? 0 : sum([...values.keys()].map(pod => requestOf(pod, target)))
  const averageUtilization = target.averageUtilization === undefined ? undefined : Math.floor((measured * 100) / asked)
  const result = (replicas: number): Proposal => ({ replicas, averageUtilization, averageValue })
  const ratio = measured / sum([...values.keys()].map(aim))
  const rebalanced = unready.length > 0 && ratio > 1
  if (!rebalanced && missing.length === 0) return result(isWithin(ratio, timing) ? current : Math.ceil(roundOff(ratio * values.size)))
  const fallback = (pod: Pod) => (target.averageUtilization === undefined ? aim(pod) : Math.max(aim(pod), requestOf(pod, target)))
  for (const pod of missing) values.set(pod, ratio < 1 ? fallback(pod) : 0)
  if (rebalanced) for (const pod of unready) values.set(pod, 0)
  const next = sum([...values.values()]) / sum([...values.keys()].map(aim))
  if (isWithin(next, timing) || ratio < 1 !== next < 1) return result(current)
  const replicas = Math.ceil(roundOff(next * values.size))
  return result((next < 1 && replicas > current) || (next > 1 && replicas < current) ? current : replicas)
}

/** How many pods bring a measurement of something else than pods (an object, the world outside) to what is aimed at as a whole. */
export function proposeByValue(measured: number, aim: number, current: number, pods: readonly Pod[], tolerance: Tolerance): number {
  const ratio = measured / aim
  if (current === 0) return Math.ceil(roundOff(ratio))
  if (isWithin(ratio, { tolerance })) return current
  const ready = pods.filter(pod => pod.status.phase === 'Running' && podCondition(pod, 'Ready')?.status === 'True').length
  return Math.ceil(roundOff(ratio * ready))
}

/** How many pods there must be so that each has what is aimed at of a measurement as a whole. */
export function proposeByAverage(measured: number, aim: number, current: number, tolerance: Tolerance): number {
  return isWithin(measured / (aim * current), { tolerance }) ? current : Math.ceil(roundOff(measured / aim))
}

/** Pods that are measured and well, that are starting, and that have no measurement; ended ones and those that go don't count. */
function group(resource: string, pods: readonly Pod[], usages: ReadonlyMap<string, PodUsage>, timing: Timing) {
  const groups = { ready: [] as Pod[], unready: [] as Pod[], missing: [] as Pod[] }
  for (const pod of pods) {
    if (isTerminating(pod) || pod.status.phase === 'Failed') continue
    const usage = usages.get(pod.metadata.name ?? '')
    if (pod.status.phase === 'Pending') groups.unready.push(pod)
    else if (!usage) groups.missing.push(pod)
    else if (resource === 'cpu' && isStarting(pod, usage, timing)) groups.unready.push(pod)
    else groups.ready.push(pod)
  }
  return groups
}

/** What a pod uses while it starts says nothing about what it will use. */
function isStarting(pod: Pod, usage: PodUsage, { now, cpuInitializationPeriodMs, initialReadinessDelayMs }: Timing): boolean {
  const ready = podCondition(pod, 'Ready')
  const { startTime } = pod.status
  if (!ready || !startTime) return true
  const startMs = Date.parse(startTime)
  const changedMs = Date.parse(ready.lastTransitionTime ?? startTime)
  if (startMs + cpuInitializationPeriodMs > now) return ready.status === 'False' || usage.atMs < changedMs
  return ready.status === 'False' && startMs + initialReadinessDelayMs > changedMs
}

function usageOf({ containers }: PodUsage, { resource, container }: ResourceTarget): number {
  return sum(
    Object.entries(containers).map(([name, amounts]) => (container === undefined || container === name ? (amounts[resource] ?? 0) : 0)),
  )
}

function requestOf(pod: Pod, { resource, container }: ResourceTarget): number {
  const missing = () => new MetricError(`missing request for ${resource} in container ${container ?? ''} of Pod ${pod.metadata.name}`)
  if (container === undefined) {
    for (const { name, resources } of pod.spec.containers)
      if (resources.requests?.[resource] === undefined && !pod.spec.resources?.requests?.[resource])
        throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`)
    return requestsOf(pod)[resource] ?? 0
  }
  const found = pod.spec.containers.find(({ name }) => name === container)?.resources.requests
  const amount = amountsOf(found)[resource]
  if (amount === undefined) throw missing()
  return amount
}

const isWithin = (ratio: number, { tolerance: { up, down } }: Pick<Timing, 'tolerance'>) =>
  ratio >= 1 - down - 1e-9 && ratio <= 1 + up + 1e-9

/** 3.0000000000000004 pods are three. */
const roundOff = (value: number) => Math.round(value * 1e9) / 1e9

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
