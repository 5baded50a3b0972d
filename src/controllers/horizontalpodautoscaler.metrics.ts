import type { Client } from '#client/client.ts'
import { type AnyKind, defineKind } from '#machinery/kind/kind.ts'
import { milliOf, wholeValueOf } from '#machinery/quantity/quantity.ts'
import { list, map, message, omitempty, quantity, required, string, time } from '#machinery/schema/schema.ts'
import type { PodUsage } from './horizontalpodautoscaler.plan.ts'

const ContainerMetrics = message('io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics', {
  name: required(1, string),
  usage: required(2, map(quantity)),
})

/** What a metrics server tells of a pod. It is served by whoever registers it, not by the API server itself. */
export const PodMetrics = defineKind({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  scope: 'Namespaced',
  openapi: 'io.k8s.metrics.pkg.apis.metrics.v1beta1',
  verbs: ['get', 'list'],
  fields: {
    timestamp: omitempty(2, time),
    window: omitempty(3, string),
    containers: omitempty(4, list(ContainerMetrics)),
  },
})

/** What the pods that a selector selects use, by their names. */
export async function readPodMetrics(client: Client, namespace: string, labelSelector: string): Promise<Map<string, PodUsage>> {
  const { items } = await client.list(PodMetrics as AnyKind, { namespace, labelSelector })
  return new Map(
    (items as NonNullable<(typeof PodMetrics)['stored']>[]).map(({ metadata, timestamp, containers = [] }) => [
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
