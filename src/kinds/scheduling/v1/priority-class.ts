import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, defaulted, embedded, int32, omitempty, string } from '#machinery/schema/schema.ts'
import { PreemptionPolicy } from '../../core/v1/preemption-policy.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

const fields = {
  value: embedded(2, int32),
  globalDefault: omitempty(3, boolean),
  description: omitempty(4, string),
  preemptionPolicy: defaulted(5, PreemptionPolicy, 'PreemptLowerPriority'),
}

export interface PriorityClass extends ObjectOfFields<typeof fields> {}

export const PriorityClass = defineKind({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.scheduling.v1',
  shortNames: ['pc'],
  generation: true,
  fields,
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', of: ({ value }) => value },
    { name: 'Global-Default', type: 'boolean', of: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    { name: 'PreemptionPolicy', of: ({ preemptionPolicy }) => preemptionPolicy },
  ],
})
