import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { list, map, message, omitempty, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const LimitRangeItem = message('io.k8s.api.core.v1.LimitRangeItem', {
  type: required(1, string),
  max: omitempty(2, map(quantity)),
  min: omitempty(3, map(quantity)),
  default: omitempty(4, map(quantity)),
  defaultRequest: omitempty(5, map(quantity)),
  maxLimitRequestRatio: omitempty(6, map(quantity)),
})
export interface LimitRangeItem extends StoredOf<typeof LimitRangeItem> {}

export const LimitRangeSpec = message('io.k8s.api.core.v1.LimitRangeSpec', {
  limits: required(1, list(LimitRangeItem, { nullable: true })),
})
export interface LimitRangeSpec extends StoredOf<typeof LimitRangeSpec> {}

export interface LimitRange extends ObjectWith<{ spec: LimitRangeSpec }> {}

export const LimitRange = defineKind({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['limits'],
  createOnUpdate: true,
  spec: LimitRangeSpec,
})
