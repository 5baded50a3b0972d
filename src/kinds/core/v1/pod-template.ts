import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { embedded } from '#machinery/schema/schema.ts'
import { PodTemplateSpec } from './pod-template-spec.ts'

const fields = {
  template: embedded(2, PodTemplateSpec),
}

export interface PodTemplate extends ObjectOfFields<typeof fields> {}

export const PodTemplate = defineKind({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  deleteReturnsObject: true,
  generation: true,
  fields,
})
