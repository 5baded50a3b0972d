import type { Mutable, WriteContext } from '#machinery/kind/kind.ts'
import { isDNS1123Label, isPathSegmentName } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelSelector, validateNonNegative } from '../../meta/v1/rules.ts'
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from './horizontal-pod-autoscaler.ts'

/** Cpu at 80 % where nothing was said; rules of scaling are filled in once there are any. */
export function applyAutoscalerDefaults({ spec }: Mutable<HorizontalPodAutoscaler>): void {
  spec.metrics ??= [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
  const { behavior } = spec
  if (!behavior) return
  if (!isComplete(behavior.scaleUp) || behavior.scaleUp?.stabilizationWindowSeconds === undefined) {
    behavior.scaleUp = {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
      ...behavior.scaleUp,
    }
  }
  if (!isComplete(behavior.scaleDown)) {
    behavior.scaleDown = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], ...behavior.scaleDown }
  }
}

function isComplete(rules: { readonly selectPolicy?: unknown; readonly policies?: unknown } | undefined): boolean {
  return rules?.selectPolicy !== undefined && rules.policies !== undefined
}

export function validateAutoscaler({ spec }: HorizontalPodAutoscaler, errors: FieldErrors, { isGateOn }: WriteContext): void {
  const at = errors.at('spec')
  const { minReplicas, maxReplicas } = spec
  const least = isGateOn('HPAScaleToZero') ? 0 : 1
  if (minReplicas < least) at.at('minReplicas').invalid(minReplicas, `must be greater than or equal to ${least}`)
  if (maxReplicas < 1) at.at('maxReplicas').invalid(maxReplicas, 'must be greater than 0')
  if (maxReplicas < minReplicas) at.at('maxReplicas').invalid(maxReplicas, 'must be greater than or equal to `minReplicas`')
  validateReference(spec.scaleTargetRef, at.at('scaleTargetRef'))
  spec.metrics?.forEach((metric, index) => {
    validateMetric(metric, at.at('metrics').index(index))
  })
  if (spec.behavior) validateBehavior(spec.behavior, at.at('behavior'))
}

export function validateAutoscalerUpdate(
  { status }: HorizontalPodAutoscaler,
  _old: HorizontalPodAutoscaler,
  errors: FieldErrors,
  subresource: string,
): void {
  if (subresource !== 'status') return
  validateNonNegative(status.currentReplicas, errors.at('status').at('currentReplicas'))
  validateNonNegative(status.desiredReplicas, errors.at('status').at('desiredReplicas'))
}

function validateReference({ kind, name }: CrossVersionObjectReference, errors: FieldErrors): void {
  if (kind === '') errors.at('kind').required()
  else errors.at('kind').invalidEach(kind, isPathSegmentName(kind))
  if (name === '') errors.at('name').required()
  else errors.at('name').invalidEach(name, isPathSegmentName(name))
}

const SOURCES = ['object', 'pods', 'resource', 'containerResource', 'external'] as const
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

function validateMetric(metric: MetricSpec, errors: FieldErrors): void {
  const type: string = metric.type
  if (type === '') errors.at('type').required('must specify a metric source type')
  if (!TYPES.includes(type)) errors.at('type').notSupported(type, TYPES)
  const present = SOURCES.filter(source => metric[source] !== undefined)
  if (present[0] !== undefined) validateSource(metric, present[0], errors.at(present[0]))
  const expected = type.charAt(0).toLowerCase() + type.slice(1)
  if (!present.some(source => source === expected)) errors.at(expected).required('must populate information for the given metric source')
  if (present.length === 1) return
  for (const source of present) if (source !== expected) errors.at(source).forbidden('must populate the given metric source only')
}

function validateSource(metric: MetricSpec, source: (typeof SOURCES)[number], errors: FieldErrors): void {
  const { object, pods, resource, containerResource, external } = metric
  if (source === 'object' && object) {
    validateReference(object.describedObject, errors.at('describedObject'))
    validateIdentifier(object.metric, errors.at('metric'))
    validateTarget(object.target, errors.at('target'))
    if (object.target.value === undefined && object.target.averageValue === undefined) {
      errors.at('target').at('averageValue').required('must set either a target value or averageValue')
    }
  } else if (source === 'pods' && pods) {
    validateIdentifier(pods.metric, errors.at('metric'))
    validateTarget(pods.target, errors.at('target'))
    if (!isPositive(pods.target.averageValue))
      errors.at('target').at('averageValue').required('must specify a positive target averageValue')
  } else if (source === 'external' && external) {
    validateIdentifier(external.metric, errors.at('metric'))
    validateTarget(external.target, errors.at('target'))
    if (external.target.value === undefined && external.target.averageValue === undefined) {
      errors.at('target').at('averageValue').required('must set either a target value for metric or a per-pod target')
    }
    if (external.target.value !== undefined && external.target.averageValue !== undefined) {
      errors.at('target').at('value').forbidden('may not set both a target value for metric and a per-pod target')
    }
  } else if (source === 'resource' && resource) validateResource(resource, errors)
  else if (containerResource) {
    validateResource(containerResource, errors)
    if (containerResource.container === '') errors.at('container').required('must specify a container')
    else errors.at('container').invalidEach(containerResource.container, isDNS1123Label(containerResource.container))
  }
}

function validateResource({ name, target }: { readonly name: string; readonly target: MetricTarget }, errors: FieldErrors): void {
  if (name === '') errors.at('name').required('must specify a resource name')
  validateTarget(target, errors.at('target'))
  if (target.averageUtilization === undefined && target.averageValue === undefined) {
    errors.at('target').at('averageUtilization').required('must set either a target raw value or a target utilization')
  }
  if (target.averageUtilization !== undefined && target.averageValue !== undefined) {
    errors.at('target').at('averageValue').forbidden('may not set both a target raw value and a target utilization')
  }
}

function validateIdentifier({ name, selector }: MetricIdentifier, errors: FieldErrors): void {
  if (name === '') errors.at('name').required('must specify a metric name')
  else errors.at('name').invalidEach(name, isPathSegmentName(name))
  validateLabelSelector(selector, errors.at('selector'))
}

const TARGETS = ['Utilization', 'Value', 'AverageValue']

function validateTarget({ type, value, averageValue, averageUtilization }: MetricTarget, errors: FieldErrors): void {
  if ((type as string) === '') errors.at('type').required('must specify a metric target type')
  else if (!TARGETS.includes(type)) errors.at('type').invalid(type, 'must be either Utilization, Value, or AverageValue')
  if (value !== undefined && !isPositive(value)) errors.at('value').invalid(value, 'must be positive')
  if (averageValue !== undefined && !isPositive(averageValue)) errors.at('averageValue').invalid(averageValue, 'must be positive')
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.at('averageUtilization').invalid(averageUtilization, 'must be greater than 0')
}

function isPositive(amount: string | undefined): boolean {
  return amount !== undefined && Quantity.parse(amount).sign > 0
}

function validateBehavior({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior, errors: FieldErrors): void {
  if (scaleUp) validateRules(scaleUp, errors.at('scaleUp'))
  if (scaleDown) validateRules(scaleDown, errors.at('scaleDown'))
}

const SELECTIONS = ['Disabled', 'Max', 'Min']

function validateRules(
  { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance }: HPAScalingRules,
  errors: FieldErrors,
): void {
  if (window !== undefined) {
    validateNonNegative(window, errors.at('stabilizationWindowSeconds'))
    if (window > 3600) errors.at('stabilizationWindowSeconds').invalid(window, 'must be less than or equal to 3600')
  }
  if (selectPolicy !== undefined && !SELECTIONS.includes(selectPolicy)) errors.at('selectPolicy').notSupported(selectPolicy, SELECTIONS)
  if (tolerance !== undefined && Quantity.parse(tolerance).sign < 0) {
    errors.at('tolerance').invalid(tolerance, 'must be greater than or equal to 0')
  }
  if (policies.length === 0) errors.at('policies').required('must specify at least one Policy')
  policies.forEach(({ type, value, periodSeconds }, index) => {
    const at = errors.at('policies').index(index)
    if (type !== 'Pods' && type !== 'Percent') at.at('type').notSupported(type, ['Percent', 'Pods'])
    if (value <= 0) at.at('value').invalid(value, 'must be greater than zero')
    if (periodSeconds <= 0) at.at('periodSeconds').invalid(periodSeconds, 'must be greater than zero')
    if (periodSeconds > 1800) at.at('periodSeconds').invalid(periodSeconds, 'must be less than or equal to 1800')
  })
}
