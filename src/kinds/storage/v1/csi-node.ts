import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { embedded, int32, list, listMap, message, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { validateDriverName } from '../../core/v1/volume.rules.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { internal, validateLabelName, validateNonNegative } from '../../meta/v1/rules.ts'

export const VolumeNodeResources = message('io.k8s.api.storage.v1.VolumeNodeResources', {
  count: optional(1, int32, 'How many volumes can be there.'),
})
export interface VolumeNodeResources extends StoredOf<typeof VolumeNodeResources> {}

export const CSINodeDriver = message('io.k8s.api.storage.v1.CSINodeDriver', {
  name: required(1, string, 'The driver.'),
  nodeID: required(2, string, 'The id by which the driver knows the node.'),
  topologyKeys: embedded(3, list(string, { nullable: true }), 'Labels that say where the node is.'),
  allocatable: optional(4, VolumeNodeResources, 'What the driver can do on the node.'),
})
export interface CSINodeDriver extends StoredOf<typeof CSINodeDriver> {}

export const CSINodeSpec = message('io.k8s.api.storage.v1.CSINodeSpec', {
  drivers: required(
    1,
    listMap(CSINodeDriver, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name', nullable: true }),
    'The drivers of the node.',
  ),
})
export interface CSINodeSpec extends StoredOf<typeof CSINodeSpec> {}

export interface CSINode extends ObjectWith<{ spec: CSINodeSpec }> {}

export const CSINode = defineKind({
  documentation: 'The storage drivers of a node.',
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  unconditionalUpdate: false,
  deleteReturnsObject: true,
  spec: CSINodeSpec,
  columns: [
    nameColumn,
    {
      name: 'Drivers',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
      type: 'integer',
      of: ({ spec }) => spec.drivers?.length ?? 0,
    },
    ageColumn,
  ],
  validate({ spec }, errors) {
    const names = new Set<string>()
    spec.drivers?.forEach((driver, index) => {
      const at = errors.at('spec').at('drivers').index(index)
      validateDriverName(driver.name, at.at('name'))
      if (driver.nodeID === '') at.at('nodeID').required()
      else if (driver.nodeID.length > 256) at.at('nodeID').invalid(driver.nodeID, 'must be 256 characters or less')
      validateNonNegative(driver.allocatable?.count, at.at('allocatable').at('count'))
      if (names.has(driver.name)) at.at('name').duplicate(driver.name)
      names.add(driver.name)
      const keys = driver.topologyKeys ?? []
      keys.forEach((key, position) => {
        if (key === '' || keys.indexOf(key) < position) {
          if (key === '') at.at('topologyKeys').required()
          else at.at('topologyKeys').duplicate(key)
        }
        validateLabelName(key, at.at('topologyKeys'))
      })
    })
  },
  validateUpdate({ spec }, old, errors) {
    old.spec.drivers?.forEach(before => {
      const index = spec.drivers?.findIndex(({ name }) => name === before.name) ?? -1
      const after = spec.drivers?.[index]
      if (!after) return
      const at = errors.at('CSINode').at('spec')
      if (!equal({ ...after, allocatable: undefined }, { ...before, allocatable: undefined })) {
        at.at('drivers').invalid(internal(after), 'field is immutable')
      }
    })
  },
})
