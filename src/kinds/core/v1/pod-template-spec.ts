import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { embedded, message, type StoredOf } from '#machinery/schema/schema.ts'
import { PodSpec } from './pod-spec.ts'

export const PodTemplateSpec = message('io.k8s.api.core.v1.PodTemplateSpec', {
  metadata: embedded(1, ObjectMeta),
  spec: embedded(2, PodSpec),
})
export interface PodTemplateSpec extends StoredOf<typeof PodTemplateSpec> {}
