import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { int32, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ScaleSpec = message('io.k8s.api.autoscaling.v1.ScaleSpec', {
  replicas: omitempty(1, int32, 'How many pods there should be.'),
})
export interface ScaleSpec extends StoredOf<typeof ScaleSpec> {}

export const ScaleStatus = message('io.k8s.api.autoscaling.v1.ScaleStatus', {
  replicas: required(1, int32, 'How many pods there are.'),
  selector: omitempty(2, string, 'The labels of the pods, as a text.'),
})
export interface ScaleStatus extends StoredOf<typeof ScaleStatus> {}

export interface Scale extends ObjectWith<{ spec: ScaleSpec; status: ScaleStatus }> {}

export const Scale = defineKind({
  documentation: 'How many pods something has and should have.',
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.autoscaling.v1',
  verbs: [],
  spec: ScaleSpec,
  status: ScaleStatus,
})
