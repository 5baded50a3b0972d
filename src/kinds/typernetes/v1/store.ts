import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { int64, list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { nameColumn } from '../../meta/v1/columns.ts'

export const StoreStatus = message('dev.typernetes.v1.StoreStatus', {
  engine: required(1, string, '`lmdb`, `etcd` or `memory`.'),
  resourceVersion: required(2, string, 'The newest one.'),
  compactedResourceVersion: required(3, string, 'What is older cannot be read any more.'),
  keys: required(4, int64, 'How many objects and other records there are.'),
  sizeBytes: required(5, int64, 'What the store takes on disk.'),
  sizeInUseBytes: required(6, int64, 'How much of that holds something; the rest is given back by defragmenting.'),
  problems: omitempty(7, list(string), 'Sentences about what is wrong.'),
  damagedKeys: omitempty(8, list(string), 'Records that do not match their checksums, and are not served.'),
  unreadableKeys: omitempty(9, list(string), 'Records that cannot be decrypted or decoded, and are not served.'),
})
export interface StoreStatus extends StoredOf<typeof StoreStatus> {}

export interface Store extends ObjectWith<{ status: StoreStatus }> {}

export const Store = defineKind({
  documentation: "Where this cluster's objects are kept. There is one, named `cluster`; it is made up when it is asked for.",
  group: 'typernetes.dev',
  version: 'v1',
  kind: 'Store',
  plural: 'stores',
  scope: 'Cluster',
  openapi: 'dev.typernetes.v1',
  verbs: ['get', 'list'],
  status: StoreStatus,
  columns: [
    nameColumn,
    { name: 'Engine', of: ({ status }) => status.engine },
    { name: 'Resource Version', of: ({ status }) => status.resourceVersion },
    { name: 'Keys', type: 'integer', of: ({ status }) => status.keys },
    { name: 'Bytes', type: 'integer', of: ({ status }) => status.sizeBytes },
    { name: 'Problems', type: 'integer', of: ({ status }) => status.problems?.length ?? 0 },
  ],
})
