import type { Client } from '#client/client.ts'
import { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import { milliOf, wholeValueOf } from '#machinery/quantity/quantity.ts'
import type { PodUsage } from './horizontalpodautoscaler.plan.ts'

/** What the pods that a selector selects use, by their names. */
export async function readPodMetrics(client: Client, namespace: string, labelSelector: string): Promise<Map<string, PodUsage>> {
  const { items } = await client.list(PodMetrics, { namespace, labelSelector })
  return new Map(
    items.map(({ metadata, timestamp, containers = [] }) => [
      metadata.name ?? '',
      {
        atMs: timestamp ? Date.parse(timestamp) : 0,
        containers: Object.fromEntries(
          containers.map(({ name, usage }) => [
            name,
            Object.fromEntries(
              Object.entries(usage).map(([resource, text]) => [resource, resource === 'cpu' ? milliOf(text) : wholeValueOf(text)]),
            ),
          ]),
        ),
      },
    ]),
  )
}
