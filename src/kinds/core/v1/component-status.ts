import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { listMap, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { nameColumn } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'

export const ComponentCondition = message('io.k8s.api.core.v1.ComponentCondition', {
  type: required(1, string, 'What this is about.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  message: omitempty(3, string, 'What happened, for people.'),
  error: omitempty(4, string, 'The error with which the check failed.'),
})
export interface ComponentCondition extends StoredOf<typeof ComponentCondition> {}

const fields = {
  conditions: omitempty(
    2,
    listMap(ComponentCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
}

export interface ComponentStatus extends ObjectOfFields<typeof fields> {}

export const ComponentStatus = defineKind({
  documentation: 'Whether a part of the control plane is well. Out of use.',
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['cs'],
  verbs: ['get', 'list'],
  fields,
  columns: [
    nameColumn,
    { name: 'Status', description: 'Status of the component conditions', of: status => healthOf(status).text },
    { name: 'Message', description: 'Message of the component conditions', of: status => healthOf(status).message },
    { name: 'Error', description: 'Error of the component conditions', of: status => healthOf(status).error },
  ],
})

function healthOf({ conditions = [] }: ComponentStatus): { readonly text: string; readonly message: string; readonly error: string } {
  const healthy = conditions.find(condition => condition.type === 'Healthy')
  const text = healthy?.status === 'True' ? 'Healthy' : healthy?.status === 'False' ? 'Unhealthy' : 'Unknown'
  return { text, message: healthy?.message ?? '', error: healthy?.error ?? '' }
}
