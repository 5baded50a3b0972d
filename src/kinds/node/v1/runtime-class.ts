import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { atomicMap, list, map, message, omitempty, optional, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { Toleration } from '../../core/v1/toleration.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

export const Overhead = message('io.k8s.api.node.v1.Overhead', {
  podFixed: omitempty(1, map(quantity)),
})
export interface Overhead extends StoredOf<typeof Overhead> {}

export const Scheduling = message('io.k8s.api.node.v1.Scheduling', {
  nodeSelector: omitempty(1, atomicMap(string)),
  tolerations: omitempty(2, list(Toleration)),
})
export interface Scheduling extends StoredOf<typeof Scheduling> {}

const fields = {
  handler: required(2, string),
  overhead: optional(3, Overhead),
  scheduling: optional(4, Scheduling),
}

export interface RuntimeClass extends ObjectOfFields<typeof fields> {}

export const RuntimeClass = defineKind({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.node.v1',
  unconditionalUpdate: false,
  fields,
  columns: [nameColumn, { name: 'Handler', of: ({ handler }) => handler }, ageColumn],
})
