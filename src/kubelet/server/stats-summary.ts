import { timeOf } from '#machinery/time/time.ts'
import { label } from '../pods/container-labels.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** Keeps the last sample of each container's cpu time, so that a rate can be told. */
export class StatsSummary {
  readonly #runtime: Runtime
  readonly #nodeName: string
  readonly #samples = new Map<string, { timestampMs: number; cpuNanoSeconds: number; rate: number }>()

  constructor(runtime: Runtime, nodeName: string) {
    this.#runtime = runtime
    this.#nodeName = nodeName
  }

  /** What pods use just now, in the shape of upstream's `/stats/summary`. */
  async read(): Promise<object> {
    const [containers, sandboxes] = await Promise.all([this.#runtime.stats(), this.#runtime.sandboxStats()])
    const pods = sandboxes.map(sandbox => ({
      podRef: { name: sandbox.metadata.name, namespace: sandbox.metadata.namespace, uid: sandbox.metadata.uid },
      containers: containers
        .filter(({ labels }) => labels[label.podUid] === sandbox.metadata.uid)
        .map(stats => ({ name: stats.labels[label.containerName], cpu: this.#cpu(stats.id, stats), memory: memoryOf(stats) })),
      cpu: this.#cpu(sandbox.id, sandbox),
      memory: memoryOf(sandbox),
      network: { time: timeOf(sandbox.timestampMs), name: 'eth0', rxBytes: sandbox.receivedBytes, txBytes: sandbox.sentBytes },
      process_stats: { process_count: sandbox.processes },
    }))
    const alive = new Set([...containers, ...sandboxes].map(({ id }) => id))
    for (const id of this.#samples.keys()) if (!alive.has(id)) this.#samples.delete(id)
    const sum = (pick: (stats: (typeof sandboxes)[number]) => number) => sandboxes.reduce((total, stats) => total + pick(stats), 0)
    const rate = pods.reduce((total, pod) => total + pod.cpu.usageNanoCores, 0)
    const time = pods[0]?.cpu.time
    const node = {
      nodeName: this.#nodeName,
      cpu: { time, usageNanoCores: rate, usageCoreNanoSeconds: sum(stats => stats.cpuNanoSeconds) },
      memory: { time, usageBytes: sum(stats => stats.memoryUsageBytes), workingSetBytes: sum(stats => stats.memoryWorkingSetBytes) },
    }
    return { node, pods }
  }

  #cpu(id: string, { timestampMs, cpuNanoSeconds }: { timestampMs: number; cpuNanoSeconds: number }) {
    const last = this.#samples.get(id)
    let rate = last?.rate ?? 0
    if (last && timestampMs > last.timestampMs)
      rate = Math.max(0, Math.round((cpuNanoSeconds - last.cpuNanoSeconds) / ((timestampMs - last.timestampMs) / 1000)))
    if (!last || timestampMs > last.timestampMs) this.#samples.set(id, { timestampMs, cpuNanoSeconds, rate })
    return { time: timeOf(timestampMs), usageNanoCores: rate, usageCoreNanoSeconds: cpuNanoSeconds }
  }
}

function memoryOf(stats: { timestampMs: number; memoryUsageBytes: number; memoryWorkingSetBytes: number; memoryRssBytes: number }) {
  const { timestampMs, memoryUsageBytes, memoryWorkingSetBytes, memoryRssBytes } = stats
  return { time: timeOf(timestampMs), usageBytes: memoryUsageBytes, workingSetBytes: memoryWorkingSetBytes, rssBytes: memoryRssBytes }
}
