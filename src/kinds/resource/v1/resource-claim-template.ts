import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { FIELD_IMMUTABLE } from '#machinery/meta/validate-object-meta.ts'
import { embedded, message, required, type StoredOf } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { internal } from '../../meta/v1/rules.ts'
import { gatedClaimFields } from './gated-slice-fields.ts'
import { validateDeviceClaim } from './resource-claim-spec.rules.ts'
import { ResourceClaimSpec } from './resource-claim-spec.ts'

export const ResourceClaimTemplateSpec = message('io.k8s.api.resource.v1.ResourceClaimTemplateSpec', {
  metadata: embedded(1, ObjectMeta, 'Labels and annotations of the claims.'),
  spec: required(2, ResourceClaimSpec, 'What the claims ask for.'),
})
export interface ResourceClaimTemplateSpec extends StoredOf<typeof ResourceClaimTemplateSpec> {}

export interface ResourceClaimTemplate extends ObjectWith<{ spec: ResourceClaimTemplateSpec }> {}

export const ResourceClaimTemplate = defineKind({
  documentation: 'A template for claims of devices.',
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.resource.v1',
  deleteReturnsObject: true,
  spec: ResourceClaimTemplateSpec,
  columns: [nameColumn, ageColumn],
  gatedFields: gatedClaimFields('spec.spec'),
  validate: ({ spec }, errors) => validateDeviceClaim(spec.spec.devices, errors.at('spec').at('spec').at('devices')),
  validateUpdate({ spec }, old, errors) {
    if (!equal(spec, old.spec)) errors.at('spec').invalid(internal(spec), FIELD_IMMUTABLE)
  },
})
