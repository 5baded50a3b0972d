import { defineKind, defineVersionOf, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, int32, int64, message, omitempty, optional, required, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { horizontalPodAutoscalerColumns } from '../v2/horizontal-pod-autoscaler.columns.ts'
import { HorizontalPodAutoscaler as StoredAutoscaler } from '../v2/horizontal-pod-autoscaler.ts'
import { fromStoredAutoscaler, toStoredAutoscaler } from './horizontal-pod-autoscaler.view.ts'

export const CrossVersionObjectReference = message(
  'io.k8s.api.autoscaling.v1.CrossVersionObjectReference',
  {
    kind: required(1, string),
    name: required(2, string),
    apiVersion: omitempty(3, string),
  },
  { mapType: 'atomic' },
)
export interface CrossVersionObjectReference extends StoredOf<typeof CrossVersionObjectReference> {}

export const HorizontalPodAutoscalerSpec = message('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec', {
  scaleTargetRef: required(1, CrossVersionObjectReference),
  minReplicas: defaulted(2, int32, 1),
  maxReplicas: required(3, int32),
  targetCPUUtilizationPercentage: optional(4, int32),
})
export interface HorizontalPodAutoscalerSpec extends StoredOf<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = message('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus', {
  observedGeneration: optional(1, int64),
  lastScaleTime: optional(2, time),
  currentReplicas: required(3, int32),
  desiredReplicas: required(4, int32),
  currentCPUUtilizationPercentage: optional(5, int32),
})
export interface HorizontalPodAutoscalerStatus extends StoredOf<typeof HorizontalPodAutoscalerStatus> {}

export interface HorizontalPodAutoscaler extends ObjectWith<{ spec: HorizontalPodAutoscalerSpec; status: HorizontalPodAutoscalerStatus }> {}

const shownAutoscaler = defineKind({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.autoscaling.v1',
  shortNames: ['hpa'],
  categories: ['all'],
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
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
