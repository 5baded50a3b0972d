import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, defaulted, list, map, omitempty, oneOf, optional, required, string } from '#machinery/schema/schema.ts'
import { PersistentVolumeReclaimPolicy } from '../../core/v1/persistent-volume-reclaim-policy.ts'
import { TopologySelectorTerm } from '../../core/v1/topology-selector-term.ts'

const fields = {
  provisioner: required(2, string),
  parameters: omitempty(3, map(string)),
  reclaimPolicy: defaulted(4, PersistentVolumeReclaimPolicy, 'Delete'),
  mountOptions: omitempty(5, list(string)),
  allowVolumeExpansion: optional(6, boolean),
  volumeBindingMode: defaulted(7, oneOf('Immediate', 'WaitForFirstConsumer'), 'Immediate'),
  allowedTopologies: omitempty(8, list(TopologySelectorTerm)),
}

export interface StorageClass extends ObjectOfFields<typeof fields> {}

export const StorageClass = defineKind({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  shortNames: ['sc'],
  deleteReturnsObject: true,
  fields,
})
