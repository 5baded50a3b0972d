import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { embedded, message, type StoredOf } from '#machinery/schema/schema.ts'
import { PodSpec } from './pod-spec.ts'

export const PodTemplateSpec = message('io.k8s.api.core.v1.PodTemplateSpec', {
  metadata: embedded(1, ObjectMeta, 'Labels and annotations of the pods.'),
  spec: embedded(2, PodSpec, 'What the pods are to be.'),
})
export interface PodTemplateSpec extends StoredOf<typeof PodTemplateSpec> {}
