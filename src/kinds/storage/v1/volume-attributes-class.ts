import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { map, omitempty, required, string } from '#machinery/schema/schema.ts'
import { validateDriverName } from '../../core/v1/volume.rules.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { validateParameters } from './storage-class.rules.ts'

const fields = {
  driverName: required(2, string, 'The CSI driver.'),
  parameters: omitempty(3, map(string), 'What the driver is told; never changes.'),
}

export interface VolumeAttributesClass extends ObjectOfFields<typeof fields> {}

export const VolumeAttributesClass = defineKind({
  documentation: 'Attributes that volumes can have.',
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  shortNames: ['vac'],
  deleteReturnsObject: true,
  fields,
  columns: [
    nameColumn,
    { name: 'DriverName', description: 'Name of the CSI driver This field is immutable.', of: ({ driverName }) => driverName },
    ageColumn,
  ],
  validate({ driverName, parameters }, errors) {
    if (driverName === '') errors.at('driverName').required()
    else validateDriverName(driverName, errors.at('driverName'))
    validateParameters(parameters, false, errors.at('parameters'))
  },
  validateUpdate({ driverName, parameters }, old, errors) {
    validateImmutable(driverName, old.driverName, errors.at('driverName'))
    if (!equal(parameters, old.parameters)) errors.at('parameters').forbidden('updates to parameters are forbidden.')
  },
})
