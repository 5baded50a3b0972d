import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { embedded, int32, list, listMap, message, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

export const VolumeNodeResources = message('io.k8s.api.storage.v1.VolumeNodeResources', {
  count: optional(1, int32),
})
export interface VolumeNodeResources extends StoredOf<typeof VolumeNodeResources> {}

export const CSINodeDriver = message('io.k8s.api.storage.v1.CSINodeDriver', {
  name: required(1, string),
  nodeID: required(2, string),
  topologyKeys: embedded(3, list(string, { nullable: true })),
  allocatable: optional(4, VolumeNodeResources),
})
export interface CSINodeDriver extends StoredOf<typeof CSINodeDriver> {}

export const CSINodeSpec = message('io.k8s.api.storage.v1.CSINodeSpec', {
  drivers: required(1, listMap(CSINodeDriver, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name', nullable: true })),
})
export interface CSINodeSpec extends StoredOf<typeof CSINodeSpec> {}

export interface CSINode extends ObjectWith<{ spec: CSINodeSpec }> {}

export const CSINode = defineKind({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  unconditionalUpdate: false,
  deleteReturnsObject: true,
  spec: CSINodeSpec,
  columns: [nameColumn, { name: 'Drivers', type: 'integer', of: ({ spec }) => spec.drivers?.length ?? 0 }, ageColumn],
})
