import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { message, microTime, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { nameColumn, since } from '../../meta/v1/columns.ts'

export const MomentStatus = message('dev.typernetes.v1.MomentStatus', {
  resourceVersion: required(1, string, 'The newest resourceVersion there was: what lists of that moment are lists of.'),
  time: optional(2, microTime, 'Since when; absent where that is not known any more.'),
})
export interface MomentStatus extends StoredOf<typeof MomentStatus> {}

export interface Moment extends ObjectWith<{ status: MomentStatus }> {}

export const Moment = defineKind({
  documentation:
    "A point in the cluster's past that can still be read. It is made up when it is asked for: its name is `newest`, `oldest`, a resourceVersion, a time (RFC 3339), or a duration before now (`-2m`).",
  group: 'typernetes.dev',
  version: 'v1',
  kind: 'Moment',
  plural: 'moments',
  scope: 'Cluster',
  openapi: 'dev.typernetes.v1',
  verbs: ['get', 'list'],
  subresources: [
    { name: 'objects', verbs: ['get'] },
    { name: 'snapshot', verbs: ['get'] },
  ],
  status: MomentStatus,
  columns: [
    nameColumn,
    { name: 'Resource Version', of: ({ status }) => status.resourceVersion },
    { name: 'Age', of: ({ status }, { now }) => since(status.time, now) },
  ],
})
