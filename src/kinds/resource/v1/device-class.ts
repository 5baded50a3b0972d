import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { inline, list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { DeviceConfiguration } from './device-configuration.ts'
import { DeviceSelector } from './device-selector.ts'
import { validateConfiguration, validateDeviceSelectors } from './resource-claim-spec.rules.ts'

export const DeviceClassConfiguration = message('io.k8s.api.resource.v1.DeviceClassConfiguration', {
  ...inline(1, DeviceConfiguration),
})
export interface DeviceClassConfiguration extends StoredOf<typeof DeviceClassConfiguration> {}

export const DeviceClassSpec = message('io.k8s.api.resource.v1.DeviceClassSpec', {
  selectors: omitempty(1, list(DeviceSelector), 'Expressions that devices must satisfy.'),
  config: omitempty(2, list(DeviceClassConfiguration), 'What drivers are told.'),
  extendedResourceName: optional(4, string, 'The extended resource that stands for the class.'),
})
export interface DeviceClassSpec extends StoredOf<typeof DeviceClassSpec> {}

export interface DeviceClass extends ObjectWith<{ spec: DeviceClassSpec }> {}

export const DeviceClass = defineKind({
  documentation: 'A sort of devices.',
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.resource.v1',
  deleteReturnsObject: true,
  generation: true,
  spec: DeviceClassSpec,
  columns: [nameColumn, ageColumn],
  gatedFields: [{ gate: 'DRAExtendedResource', path: 'spec.extendedResourceName' }],
  validate({ spec }, errors) {
    validateDeviceSelectors(spec.selectors, errors.at('spec').at('selectors'))
    spec.config?.forEach((config, index) => {
      validateConfiguration(config, errors.at('spec').at('config').index(index))
    })
  },
})
