import type { LabelSelector } from '../../meta/v1/label-selector.ts'
import type { MetricIdentifier, MetricSpec, MetricStatus, MetricTarget } from '../v2/horizontal-pod-autoscaler.ts'
import type { CrossVersionObjectReference } from './horizontal-pod-autoscaler.ts'

/** A metric in the form that version 1 carries in an annotation. */
export interface OldMetric {
  readonly type: MetricSpec['type']
  readonly object?: {
    target: CrossVersionObjectReference
    metricName: string
    targetValue: string
    selector?: LabelSelector
    averageValue?: string
  }
  readonly pods?: { metricName: string; targetAverageValue: string; selector?: LabelSelector }
  readonly resource?: OldResource
  readonly containerResource?: OldResource & { container: string }
  readonly external?: { metricName: string; metricSelector?: LabelSelector; targetValue?: string; targetAverageValue?: string }
}

interface OldResource {
  readonly name: string
  readonly targetAverageUtilization?: number
  readonly targetAverageValue?: string
}

/** The measured value of a metric, in the form that version 1 carries. */
export interface OldMetricStatus {
  readonly type: MetricStatus['type']
  readonly object?: {
    target: CrossVersionObjectReference
    metricName: string
    currentValue: string
    selector?: LabelSelector
    averageValue?: string
  }
  readonly pods?: { metricName: string; currentAverageValue: string; selector?: LabelSelector }
  readonly resource?: OldResourceStatus
  readonly containerResource?: OldResourceStatus & { container: string }
  readonly external?: { metricName: string; metricSelector?: LabelSelector; currentValue: string; currentAverageValue?: string }
}

interface OldResourceStatus {
  readonly name: string
  readonly currentAverageUtilization?: number
  readonly currentAverageValue: string
}

export function toOldMetric({ type, object, pods, resource, containerResource, external }: MetricSpec): OldMetric {
  return {
    type,
    ...(object && {
      object: {
        target: object.describedObject,
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        ...selected(object.metric),
        ...(object.target.averageValue !== undefined && { averageValue: object.target.averageValue }),
      },
    }),
    ...(pods && { pods: { metricName: pods.metric.name, targetAverageValue: pods.target.averageValue ?? '0', ...selected(pods.metric) } }),
    ...(resource && { resource: oldResource(resource) }),
    ...(containerResource && { containerResource: { ...oldResource(containerResource), container: containerResource.container } }),
    ...(external && {
      external: {
        metricName: external.metric.name,
        ...(external.metric.selector && { metricSelector: external.metric.selector }),
        ...(external.target.value !== undefined && { targetValue: external.target.value }),
        ...(external.target.averageValue !== undefined && { targetAverageValue: external.target.averageValue }),
      },
    }),
  }
}

export function fromOldMetric({ type, object, pods, resource, containerResource, external }: OldMetric): MetricSpec {
  return {
    type,
    ...(object && {
      object: {
        describedObject: object.target,
        target:
          object.averageValue === undefined
            ? { type: 'Value', value: object.targetValue }
            : { type: 'AverageValue', averageValue: object.averageValue },
        metric: metricOf(object.metricName, object.selector),
      },
    }),
    ...(pods && {
      pods: { metric: metricOf(pods.metricName, pods.selector), target: { type: 'AverageValue', averageValue: pods.targetAverageValue } },
    }),
    ...(resource && { resource: { name: resource.name, target: resourceTarget(resource) } }),
    ...(containerResource && {
      containerResource: {
        name: containerResource.name,
        target: resourceTarget(containerResource),
        container: containerResource.container,
      },
    }),
    ...(external && {
      external: {
        metric: metricOf(external.metricName, external.metricSelector),
        target:
          external.targetValue === undefined
            ? { type: 'AverageValue', ...(external.targetAverageValue !== undefined && { averageValue: external.targetAverageValue }) }
            : { type: 'Value', value: external.targetValue },
      },
    }),
  }
}

export function toOldStatus({ type, object, pods, resource, containerResource, external }: MetricStatus): OldMetricStatus {
  return {
    type,
    ...(object && {
      object: {
        target: object.describedObject,
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        ...selected(object.metric),
        ...(object.current.averageValue !== undefined && { averageValue: object.current.averageValue }),
      },
    }),
    ...(pods && {
      pods: { metricName: pods.metric.name, currentAverageValue: pods.current.averageValue ?? '0', ...selected(pods.metric) },
    }),
    ...(resource && { resource: oldResourceStatus(resource) }),
    ...(containerResource && { containerResource: { ...oldResourceStatus(containerResource), container: containerResource.container } }),
    ...(external && {
      external: {
        metricName: external.metric.name,
        ...(external.metric.selector && { metricSelector: external.metric.selector }),
        currentValue: external.current.value ?? '0',
        ...(external.current.averageValue !== undefined && { currentAverageValue: external.current.averageValue }),
      },
    }),
  }
}

export function fromOldStatus({ type, object, pods, resource, containerResource, external }: OldMetricStatus): MetricStatus {
  return {
    type,
    ...(object && {
      object: {
        metric: metricOf(object.metricName, object.selector),
        current: { value: object.currentValue, ...(object.averageValue !== undefined && { averageValue: object.averageValue }) },
        describedObject: object.target,
      },
    }),
    ...(pods && { pods: { metric: metricOf(pods.metricName, pods.selector), current: { averageValue: pods.currentAverageValue } } }),
    ...(resource && { resource: { name: resource.name, current: resourceCurrent(resource) } }),
    ...(containerResource && {
      containerResource: {
        name: containerResource.name,
        current: resourceCurrent(containerResource),
        container: containerResource.container,
      },
    }),
    ...(external && {
      external: {
        metric: metricOf(external.metricName, external.metricSelector),
        current: {
          value: external.currentValue,
          ...(external.currentAverageValue !== undefined && { averageValue: external.currentAverageValue }),
        },
      },
    }),
  }
}

function selected({ selector }: MetricIdentifier): { selector?: LabelSelector } {
  return selector ? { selector } : {}
}

function metricOf(name: string, selector: LabelSelector | undefined): MetricIdentifier {
  return { name, ...(selector && { selector }) }
}

function oldResource({ name, target }: { name: string; target: MetricTarget }): OldResource {
  return {
    name,
    ...(target.averageUtilization !== undefined && { targetAverageUtilization: target.averageUtilization }),
    ...(target.averageValue !== undefined && { targetAverageValue: target.averageValue }),
  }
}

function resourceTarget({ targetAverageUtilization, targetAverageValue }: OldResource): MetricTarget {
  if (targetAverageUtilization !== undefined) return { type: 'Utilization', averageUtilization: targetAverageUtilization }
  return { type: 'AverageValue', ...(targetAverageValue !== undefined && { averageValue: targetAverageValue }) }
}

function oldResourceStatus({ name, current }: NonNullable<MetricStatus['resource']>): OldResourceStatus {
  return {
    name,
    ...(current.averageUtilization !== undefined && { currentAverageUtilization: current.averageUtilization }),
    currentAverageValue: current.averageValue ?? '0',
  }
}

function resourceCurrent({ currentAverageUtilization, currentAverageValue }: OldResourceStatus) {
  return {
    averageValue: currentAverageValue,
    ...(currentAverageUtilization !== undefined && { averageUtilization: currentAverageUtilization }),
  }
}
