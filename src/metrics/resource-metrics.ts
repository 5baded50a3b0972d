import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { NodeMetrics } from '#kinds/metrics/v1beta1/node-metrics.ts'
import { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import type { StatsSummary } from './stats-summary.ts'
import { nodeMetrics, podMetrics, type Sample } from './usage.plan.ts'

/** What the resource metrics API answers from. */
export interface ResourceMetrics {
  readonly nodes: {
    readonly kind: typeof NodeMetrics
    get(name: string): Promise<NodeMetrics | undefined>
    list(): Promise<readonly NodeMetrics[]>
  }
  readonly pods: {
    readonly kind: typeof PodMetrics
    get(name: string, namespace: string): Promise<PodMetrics | undefined>
    /** Of all namespaces if it is ''. */
    list(namespace: string): Promise<readonly PodMetrics[]>
  }
}

export interface ResourceMetricsOptions {
  /** Of nodes and pods. */
  readonly informers: Informers
  /** Asks the kubelet of a node; rejects if it does not answer. */
  readonly readSummary: (node: Node) => Promise<StatsSummary>
  readonly clock: Clock
  readonly log: Logger
}

/** Whoever asks again so soon gets the same answer. */
const FRESH_MS = 10_000
/** A measurement older than this says nothing about now: two new ones are taken, so far apart. */
const OLD_MS = 60_000
const GAP_MS = 1_000

/**
 * Measures pods and nodes when somebody asks, by two readings of what kubelets have counted: nobody asks, nothing is read. Readings are kept
 * per node, so that who asks regularly (autoscalers do) gets averages over the time since the last question.
 */
export function resourceMetrics({ informers, readSummary, clock, log }: ResourceMetricsOptions): ResourceMetrics {
  const nodes = informers.of(Node)
  const pods = informers.of(Pod)
  const measured = new Map<string, Measurement>()
  const asking = new Map<string, Promise<Measurement | undefined>>()

  const sample = async (node: Node): Promise<Sample> => ({ summary: await readSummary(node), atMs: clock.now() })
  const measure = async (node: Node, former: Measurement | undefined): Promise<Measurement> => {
    const isOld = !former || clock.now() - former.after.atMs > OLD_MS
    const before = isOld ? await sample(node) : former.after
    if (isOld) await sleep(clock, GAP_MS)
    return { before, after: await sample(node) }
  }
  const measurementOf = (node: Node): Promise<Measurement | undefined> => {
    const name = node.metadata.name ?? ''
    const former = measured.get(name)
    if (former && clock.now() - former.after.atMs < FRESH_MS) return Promise.resolve(former)
    let running = asking.get(name)
    if (!running) {
      running = measure(node, former)
        .then(found => {
          measured.set(name, found)
          return found
        })
        .catch((error: unknown) => {
          measured.delete(name)
          log.verbose('a node does not say what it uses', { node: name, error })
          return undefined
        })
        .finally(() => asking.delete(name))
      asking.set(name, running)
    }
    return running
  }
  const all = async (): Promise<readonly (readonly [Node, Measurement])[]> => {
    await Promise.all([nodes.synced(), pods.synced()])
    const present = nodes.list()
    for (const name of measured.keys()) if (!nodes.get('', name)) measured.delete(name)
    const found = await Promise.all(present.map(async node => [node, await measurementOf(node)] as const))
    return found.flatMap(([node, measurement]) => (measurement ? [[node, measurement] as const] : []))
  }
  const labelsOf = (namespace: string, name: string) => pods.get(namespace, name)?.metadata.labels
  const ofNode = (node: Node, { before, after }: Measurement) => nodeMetrics(node.metadata.name ?? '', node.metadata.labels, before, after)
  /** What is gone, or stands only in a kubelet's memory, is not told of. */
  const ofPods = ({ before, after }: Measurement) =>
    podMetrics(before, after, labelsOf).filter(({ metadata }) => pods.get(metadata.namespace ?? '', metadata.name ?? '') !== undefined)

  return {
    nodes: {
      kind: NodeMetrics,
      async get(name) {
        await nodes.synced()
        const node = nodes.get('', name)
        const measurement = node && (await measurementOf(node))
        return measurement && ofNode(node, measurement)
      },
      list: async () => (await all()).flatMap(([node, measurement]) => ofNode(node, measurement) ?? []),
    },
    pods: {
      kind: PodMetrics,
      async get(name, namespace) {
        await Promise.all([nodes.synced(), pods.synced()])
        const node = nodes.get('', pods.get(namespace, name)?.spec.nodeName ?? '')
        const measurement = node && (await measurementOf(node))
        return measurement && ofPods(measurement).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
      },
      list: async namespace =>
        (await all())
          .flatMap(([, measurement]) => ofPods(measurement))
          .filter(({ metadata }) => namespace === '' || metadata.namespace === namespace),
    },
  }
}

interface Measurement {
  readonly before: Sample
  readonly after: Sample
}
