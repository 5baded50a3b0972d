import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { duration, list, map, message, quantity, required, type StoredOf, string, time } from '#machinery/schema/schema.ts'

export const ContainerMetrics = message('io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics', {
  name: required(1, string, 'The container.'),
  usage: required(2, map(quantity), 'What it uses of each resource.'),
})
export interface ContainerMetrics extends StoredOf<typeof ContainerMetrics> {}

const fields = {
  timestamp: required(2, time, 'The end of the time in which it was measured.'),
  window: required(3, duration, 'How long that time was.'),
  containers: required(4, list(ContainerMetrics), 'What each container uses.'),
}

export interface PodMetrics extends ObjectOfFields<typeof fields> {}

/** What a pod uses, as the resource metrics API says it. It is computed when it is asked for, and never stored. */
export const PodMetrics = defineKind({
  documentation: 'What a pod uses.',
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  scope: 'Namespaced',
  openapi: 'io.k8s.metrics.pkg.apis.metrics.v1beta1',
  verbs: ['get', 'list'],
  fields,
})
