import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { duration, map, quantity, required, time } from '#machinery/schema/schema.ts'

const fields = {
  timestamp: required(2, time, 'The end of the time in which it was measured.'),
  window: required(3, duration, 'How long that time was.'),
  usage: required(4, map(quantity), 'What is used of each resource.'),
}

export interface NodeMetrics extends ObjectOfFields<typeof fields> {}

/** What is used of a node, as the resource metrics API says it. It is computed when it is asked for, and never stored. */
export const NodeMetrics = defineKind({
  documentation: 'What is used of a node.',
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  scope: 'Cluster',
  openapi: 'io.k8s.metrics.pkg.apis.metrics.v1beta1',
  verbs: ['get', 'list'],
  fields,
})
