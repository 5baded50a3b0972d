import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { optional } from '#machinery/schema/schema.ts'
import { DeleteOptions } from '../../meta/v1/delete-options.ts'

const fields = {
  deleteOptions: optional(2, DeleteOptions, 'How the pod is deleted.'),
}

export interface Eviction extends ObjectOfFields<typeof fields> {}

export const Eviction = defineKind({
  documentation: 'Asks a pod to leave, if its budgets allow it.',
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  plural: 'evictions',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.policy.v1',
  verbs: [],
  fields,
})
