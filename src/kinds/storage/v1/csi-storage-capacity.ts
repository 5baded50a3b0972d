import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { optional, quantity, required, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'

const fields = {
  nodeTopology: optional(2, LabelSelector),
  storageClassName: required(3, string),
  capacity: optional(4, quantity),
  maximumVolumeSize: optional(5, quantity),
}

export interface CSIStorageCapacity extends ObjectOfFields<typeof fields> {}

export const CSIStorageCapacity = defineKind({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.storage.v1',
  unconditionalUpdate: false,
  fields,
})
