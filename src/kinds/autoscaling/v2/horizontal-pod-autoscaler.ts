import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  defaulted,
  embedded,
  int32,
  int64,
  list,
  listMap,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { conditionFields } from '../../meta/v1/condition-fields.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { horizontalPodAutoscalerColumns } from './horizontal-pod-autoscaler.columns.ts'
import { applyAutoscalerDefaults, validateAutoscaler, validateAutoscalerUpdate } from './horizontal-pod-autoscaler.rules.ts'

export const MetricSourceType = oneOf('Object', 'Pods', 'Resource', 'ContainerResource', 'External')
export type MetricSourceType = StoredOf<typeof MetricSourceType>

export const CrossVersionObjectReference = message('io.k8s.api.autoscaling.v2.CrossVersionObjectReference', {
  kind: required(1, string, 'The kind.'),
  name: required(2, string, 'The name.'),
  apiVersion: omitempty(3, string, 'The API version.'),
})
export interface CrossVersionObjectReference extends StoredOf<typeof CrossVersionObjectReference> {}

export const HPAScalingPolicy = message('io.k8s.api.autoscaling.v2.HPAScalingPolicy', {
  type: required(1, oneOf('Pods', 'Percent'), 'What the value counts: `Pods`, or `Percent` of them.'),
  value: required(2, int32, 'How much may change within the period.'),
  periodSeconds: required(3, int32, 'How many seconds lie between two of them.'),
})
export interface HPAScalingPolicy extends StoredOf<typeof HPAScalingPolicy> {}

export const HPAScalingRules = message('io.k8s.api.autoscaling.v2.HPAScalingRules', {
  stabilizationWindowSeconds: optional(3, int32, 'For how long earlier wishes count.'),
  selectPolicy: optional(1, oneOf('Max', 'Min', 'Disabled'), 'Which policy counts if several apply.'),
  policies: omitempty(2, list(HPAScalingPolicy), 'How much may change in which time.'),
  tolerance: optional(4, quantity, 'How far off does not matter.'),
})
export interface HPAScalingRules extends StoredOf<typeof HPAScalingRules> {}

export const HorizontalPodAutoscalerBehavior = message('io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior', {
  scaleUp: optional(1, HPAScalingRules, 'How fast to go up.'),
  scaleDown: optional(2, HPAScalingRules, 'How fast to go down.'),
})
export interface HorizontalPodAutoscalerBehavior extends StoredOf<typeof HorizontalPodAutoscalerBehavior> {}

export const MetricTarget = message('io.k8s.api.autoscaling.v2.MetricTarget', {
  type: required(1, oneOf('Utilization', 'Value', 'AverageValue'), 'What the value means.'),
  value: optional(2, quantity, 'The value as a whole.'),
  averageValue: optional(3, quantity, 'The value for each pod.'),
  averageUtilization: optional(4, int32, 'The share of what is requested, in percent.'),
})
export interface MetricTarget extends StoredOf<typeof MetricTarget> {}

export const ContainerResourceMetricSource = message('io.k8s.api.autoscaling.v2.ContainerResourceMetricSource', {
  name: required(1, string, 'The resource: `cpu`, `memory`.'),
  target: required(2, MetricTarget, 'The value that is aimed at.'),
  container: required(3, string, 'The container of each pod.'),
})
export interface ContainerResourceMetricSource extends StoredOf<typeof ContainerResourceMetricSource> {}

export const MetricIdentifier = message('io.k8s.api.autoscaling.v2.MetricIdentifier', {
  name: required(1, string, 'The name of the metric.'),
  selector: optional(2, LabelSelector, 'Which series of the metric, by their labels.'),
})
export interface MetricIdentifier extends StoredOf<typeof MetricIdentifier> {}

export const ExternalMetricSource = message('io.k8s.api.autoscaling.v2.ExternalMetricSource', {
  metric: required(1, MetricIdentifier, 'The metric.'),
  target: required(2, MetricTarget, 'The value that is aimed at.'),
})
export interface ExternalMetricSource extends StoredOf<typeof ExternalMetricSource> {}

export const ObjectMetricSource = message('io.k8s.api.autoscaling.v2.ObjectMetricSource', {
  describedObject: required(1, CrossVersionObjectReference, 'The object that is measured.'),
  target: required(2, MetricTarget, 'The value that is aimed at.'),
  metric: required(3, MetricIdentifier, 'The metric.'),
})
export interface ObjectMetricSource extends StoredOf<typeof ObjectMetricSource> {}

export const PodsMetricSource = message('io.k8s.api.autoscaling.v2.PodsMetricSource', {
  metric: required(1, MetricIdentifier, 'The metric.'),
  target: required(2, MetricTarget, 'The value that is aimed at.'),
})
export interface PodsMetricSource extends StoredOf<typeof PodsMetricSource> {}

export const ResourceMetricSource = message('io.k8s.api.autoscaling.v2.ResourceMetricSource', {
  name: required(1, string, 'The resource: `cpu`, `memory`.'),
  target: required(2, MetricTarget, 'The value that is aimed at.'),
})
export interface ResourceMetricSource extends StoredOf<typeof ResourceMetricSource> {}

export const MetricSpec = message('io.k8s.api.autoscaling.v2.MetricSpec', {
  type: required(1, MetricSourceType, 'Where the metric comes from: `Resource`, `ContainerResource`, `Pods`, `Object` or `External`.'),
  object: optional(2, ObjectMetricSource, 'A metric of one object.'),
  pods: optional(3, PodsMetricSource, 'A metric of each pod, averaged.'),
  resource: optional(4, ResourceMetricSource, 'A resource that the pods use.'),
  containerResource: optional(7, ContainerResourceMetricSource, 'A resource of one container.'),
  external: optional(5, ExternalMetricSource, 'A metric from outside of the cluster.'),
})
export interface MetricSpec extends StoredOf<typeof MetricSpec> {}

export const HorizontalPodAutoscalerSpec = message('io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec', {
  scaleTargetRef: required(1, CrossVersionObjectReference, 'What is scaled.'),
  minReplicas: defaulted(2, int32, 1, 'The fewest pods to scale down to.'),
  maxReplicas: required(3, int32, 'The most pods to scale up to.'),
  metrics: omitempty(4, list(MetricSpec), 'What the number of pods depends on.'),
  behavior: optional(5, HorizontalPodAutoscalerBehavior, 'How fast to scale.'),
})
export interface HorizontalPodAutoscalerSpec extends StoredOf<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerCondition = message('io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition', conditionFields)
export interface HorizontalPodAutoscalerCondition extends StoredOf<typeof HorizontalPodAutoscalerCondition> {}

export const MetricValueStatus = message('io.k8s.api.autoscaling.v2.MetricValueStatus', {
  value: optional(1, quantity, 'The value.'),
  averageValue: optional(2, quantity, 'The value for each pod.'),
  averageUtilization: optional(3, int32, 'The share of what is requested, in percent.'),
})
export interface MetricValueStatus extends StoredOf<typeof MetricValueStatus> {}

export const ContainerResourceMetricStatus = message('io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus', {
  name: required(1, string, 'The resource.'),
  current: required(2, MetricValueStatus, 'The value now.'),
  container: required(3, string, 'The container of each pod.'),
})
export interface ContainerResourceMetricStatus extends StoredOf<typeof ContainerResourceMetricStatus> {}

export const ExternalMetricStatus = message('io.k8s.api.autoscaling.v2.ExternalMetricStatus', {
  metric: required(1, MetricIdentifier, 'The metric.'),
  current: required(2, MetricValueStatus, 'The value now.'),
})
export interface ExternalMetricStatus extends StoredOf<typeof ExternalMetricStatus> {}

export const ObjectMetricStatus = message('io.k8s.api.autoscaling.v2.ObjectMetricStatus', {
  metric: required(1, MetricIdentifier, 'The metric.'),
  current: required(2, MetricValueStatus, 'The value now.'),
  describedObject: required(3, CrossVersionObjectReference, 'The object that is measured.'),
})
export interface ObjectMetricStatus extends StoredOf<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = message('io.k8s.api.autoscaling.v2.PodsMetricStatus', {
  metric: required(1, MetricIdentifier, 'The metric.'),
  current: required(2, MetricValueStatus, 'The value now.'),
})
export interface PodsMetricStatus extends StoredOf<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = message('io.k8s.api.autoscaling.v2.ResourceMetricStatus', {
  name: required(1, string, 'The resource.'),
  current: required(2, MetricValueStatus, 'The value now.'),
})
export interface ResourceMetricStatus extends StoredOf<typeof ResourceMetricStatus> {}

export const MetricStatus = message('io.k8s.api.autoscaling.v2.MetricStatus', {
  type: required(1, MetricSourceType, 'Where the metric comes from.'),
  object: optional(2, ObjectMetricStatus, 'A metric of one object.'),
  pods: optional(3, PodsMetricStatus, 'A metric of each pod, averaged.'),
  resource: optional(4, ResourceMetricStatus, 'A resource that the pods use.'),
  containerResource: optional(7, ContainerResourceMetricStatus, 'A resource of one container.'),
  external: optional(5, ExternalMetricStatus, 'A metric from outside of the cluster.'),
})
export interface MetricStatus extends StoredOf<typeof MetricStatus> {}

export const HorizontalPodAutoscalerStatus = message('io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus', {
  observedGeneration: optional(1, int64, 'The generation of the spec that this status answers to.'),
  lastScaleTime: optional(2, time, 'When the number of pods was last changed.'),
  currentReplicas: omitempty(3, int32, 'How many pods there are.'),
  desiredReplicas: required(4, int32, 'How many pods there should be.'),
  currentMetrics: embedded(5, list(MetricStatus, { nullable: true }), 'The measured values.'),
  conditions: omitempty(
    6,
    listMap(HorizontalPodAutoscalerCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface HorizontalPodAutoscalerStatus extends StoredOf<typeof HorizontalPodAutoscalerStatus> {}

export interface HorizontalPodAutoscaler extends ObjectWith<{ spec: HorizontalPodAutoscalerSpec; status: HorizontalPodAutoscalerStatus }> {}

export const HorizontalPodAutoscaler = defineKind({
  documentation: 'Changes the number of pods with the load.',
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.autoscaling.v2',
  shortNames: ['hpa'],
  categories: ['all'],
  subresources: [statusSubresource],
  spec: HorizontalPodAutoscalerSpec,
  status: HorizontalPodAutoscalerStatus,
  columns: horizontalPodAutoscalerColumns,
  applyDefaults: applyAutoscalerDefaults,
  gatedFields: [
    { gate: 'HPAConfigurableTolerance', path: 'spec.behavior.scaleUp.tolerance' },
    { gate: 'HPAConfigurableTolerance', path: 'spec.behavior.scaleDown.tolerance' },
  ],
  prepareCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0, currentMetrics: null }
  },
  validate: validateAutoscaler,
  validateUpdate: validateAutoscalerUpdate,
})
