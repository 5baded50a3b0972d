import type { NodeMetrics } from '#kinds/metrics/v1beta1/node-metrics.ts'
import type { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import { formatDuration } from '#machinery/duration/duration.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { ResourceStats, StatsSummary } from './stats-summary.ts'

/** A kubelet's summary, and when it was read, in milliseconds since the epoch. */
export interface Sample {
  readonly atMs: number
  readonly summary: StatsSummary
}

type Usage = Readonly<Record<string, string>>
type Labels = Readonly<Record<string, string>> | undefined

const API_VERSION = 'metrics.k8s.io/v1beta1'

/** What was used of a node between two samples; undefined if they do not tell. */
export function nodeMetrics(name: string, labels: Labels, before: Sample, after: Sample): NodeMetrics | undefined {
  const usage = usageBetween(before.summary.node, after.summary.node, before, after)
  return usage && ({ ...headOf('NodeMetrics', { name, ...(labels ? { labels } : {}) }, before, after), usage } as unknown as NodeMetrics)
}

/** What the pods of a node used between two samples. A pod of which a container was started meanwhile is left out: it says too little. */
export function podMetrics(before: Sample, after: Sample, labelsOf: (namespace: string, name: string) => Labels): PodMetrics[] {
  const former = new Map(before.summary.pods.map(pod => [pod.podRef.uid, pod]))
  return after.summary.pods.flatMap(({ podRef: { namespace, name, uid }, containers = [] }) => {
    const then = new Map((former.get(uid)?.containers ?? []).map(container => [container.name, container]))
    const usages = containers.map(container => ({
      name: container.name,
      usage: usageBetween(then.get(container.name), container, before, after),
    }))
    if (usages.length === 0 || usages.some(({ usage }) => !usage)) return []
    const labels = labelsOf(namespace, name)
    const metadata = { name, namespace, ...(labels ? { labels } : {}) }
    return [{ ...headOf('PodMetrics', metadata, before, after), containers: usages } as unknown as PodMetrics]
  })
}

/** Cores in billionths and working set in KiB, as upstream's metrics server says them. */
function usageBetween(then: ResourceStats | undefined, now: ResourceStats, before: Sample, after: Sample): Usage | undefined {
  const [from, to] = [then?.cpu?.usageCoreNanoSeconds, now.cpu?.usageCoreNanoSeconds]
  const bytes = now.memory?.workingSetBytes
  if (from === undefined || to === undefined || to < from || bytes === undefined) return undefined
  const seconds = millisecondsBetween(then, now, before, after) / 1000
  if (seconds <= 0) return undefined
  const nanoCores = Math.round((to - from) / seconds)
  return { cpu: nanoCores === 0 ? '0' : `${nanoCores}n`, memory: bytes === 0 ? '0' : `${Math.floor(bytes / 1024)}Ki` }
}

/** By the kubelet's own clock where it says more than whole seconds, else by the reader's. */
function millisecondsBetween(then: ResourceStats | undefined, now: ResourceStats, before: Sample, after: Sample): number {
  const [from, to] = [then?.cpu?.time, now.cpu?.time]
  const isExact = from?.includes('.') && to?.includes('.')
  return isExact ? Date.parse(to!) - Date.parse(from!) : after.atMs - before.atMs
}

function headOf(kind: string, metadata: object, before: Sample, after: Sample) {
  return {
    kind,
    apiVersion: API_VERSION,
    metadata: { ...metadata, creationTimestamp: timeOf(after.atMs) },
    timestamp: timeOf(after.atMs),
    window: formatDuration(BigInt(Math.round((after.atMs - before.atMs) * 1e6))),
  }
}
