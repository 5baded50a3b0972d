import { defineKind, defineVersionOf, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, int32, int64, message, omitempty, optional, required, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { horizontalPodAutoscalerColumns } from '../v2/horizontal-pod-autoscaler.columns.ts'
import { HorizontalPodAutoscaler as StoredAutoscaler } from '../v2/horizontal-pod-autoscaler.ts'
import { CARRIERS, fromStoredAutoscaler, toStoredAutoscaler } from './horizontal-pod-autoscaler.view.ts'

export const CrossVersionObjectReference = message(
  'io.k8s.api.autoscaling.v1.CrossVersionObjectReference',
  {
    kind: required(1, string, 'The kind.'),
    name: required(2, string, 'The name.'),
    apiVersion: omitempty(3, string, 'The API version.'),
  },
  { mapType: 'atomic' },
)
export interface CrossVersionObjectReference extends StoredOf<typeof CrossVersionObjectReference> {}

export const HorizontalPodAutoscalerSpec = message('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec', {
  scaleTargetRef: required(1, CrossVersionObjectReference, 'What is scaled.'),
  minReplicas: defaulted(2, int32, 1, 'The fewest pods to scale down to.'),
  maxReplicas: required(3, int32, 'The most pods to scale up to.'),
  targetCPUUtilizationPercentage: optional(4, int32, 'The share of the requested cpu to aim at.'),
})
export interface HorizontalPodAutoscalerSpec extends StoredOf<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = message('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus', {
  observedGeneration: optional(1, int64, 'The generation of the spec that this status answers to.'),
  lastScaleTime: optional(2, time, 'When the number of pods was last changed.'),
  currentReplicas: required(3, int32, 'How many pods there are.'),
  desiredReplicas: required(4, int32, 'How many pods there should be.'),
  currentCPUUtilizationPercentage: optional(5, int32, 'The share of the requested cpu in use.'),
})
export interface HorizontalPodAutoscalerStatus extends StoredOf<typeof HorizontalPodAutoscalerStatus> {}

export interface HorizontalPodAutoscaler extends ObjectWith<{ spec: HorizontalPodAutoscalerSpec; status: HorizontalPodAutoscalerStatus }> {}

const shownAutoscaler = defineKind({
  documentation: 'Changes the number of pods with the load.',
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.autoscaling.v1',
  shortNames: ['hpa'],
  categories: ['all'],
  subresources: [statusSubresource],
  innerAnnotations: [...CARRIERS],
  spec: HorizontalPodAutoscalerSpec,
  status: HorizontalPodAutoscalerStatus,
  columns: horizontalPodAutoscalerColumns.map(column => ({
    ...column,
    of: (autoscaler: HorizontalPodAutoscaler, context) => column.of(toStoredAutoscaler(autoscaler), context),
  })),
})

/** An autoscaler under the fewer fields of version 1: a share of the cpu, and annotations for the rest. */
export const HorizontalPodAutoscaler = defineVersionOf(StoredAutoscaler, shownAutoscaler, {
  up: toStoredAutoscaler,
  down: fromStoredAutoscaler,
})
