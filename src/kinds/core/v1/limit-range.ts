import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { list, map, message, omitempty, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { validateLimitRange } from './limit-range.rules.ts'
import { roundUp } from './resource-requirements.ts'

export const LimitRangeItem = message(
  'io.k8s.api.core.v1.LimitRangeItem',
  {
    type: required(1, string, 'What is limited: `Container`, `Pod` or `PersistentVolumeClaim`.'),
    max: omitempty(2, map(quantity), 'The most that may be asked for.'),
    min: omitempty(3, map(quantity), 'The least that must be asked for.'),
    default: omitempty(4, map(quantity), 'The limit of who says none.'),
    defaultRequest: omitempty(5, map(quantity), 'The request of who says none.'),
    maxLimitRequestRatio: omitempty(6, map(quantity), 'How many times its request a limit may be.'),
  },
  {
    applyDefaults(item) {
      for (const amounts of [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio])
        if (amounts) roundUp(amounts)
      if (item.type !== 'Container') return
      const limits = { ...item.max, ...item.default }
      const requests = { ...item.min, ...limits, ...item.defaultRequest }
      if (Object.keys(limits).length > 0) item.default = limits
      if (Object.keys(requests).length > 0) item.defaultRequest = requests
    },
  },
)
export interface LimitRangeItem extends StoredOf<typeof LimitRangeItem> {}

export const LimitRangeSpec = message('io.k8s.api.core.v1.LimitRangeSpec', {
  limits: required(1, list(LimitRangeItem, { nullable: true }), 'The limits, one entry per type of object.'),
})
export interface LimitRangeSpec extends StoredOf<typeof LimitRangeSpec> {}

export interface LimitRange extends ObjectWith<{ spec: LimitRangeSpec }> {}

export const LimitRange = defineKind({
  documentation: 'Limits and defaults of what single pods of a namespace may ask for.',
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['limits'],
  createOnUpdate: true,
  spec: LimitRangeSpec,
  validate: validateLimitRange,
})
