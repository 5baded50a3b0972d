import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { applyAutoscalerDefaults } from '../v2/horizontal-pod-autoscaler.rules.ts'
import type {
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  HorizontalPodAutoscaler as StoredAutoscaler,
} from '../v2/horizontal-pod-autoscaler.ts'
import type { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts'
import { fromOldMetric, fromOldStatus, type OldMetric, type OldMetricStatus, toOldMetric, toOldStatus } from './old-metrics.ts'

/** What version 1 has no fields for travels in annotations. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'
export const CARRIERS: ReadonlySet<string> = new Set([METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR])

/** The autoscaler as version 2 stores it. */
export function toStoredAutoscaler(autoscaler: HorizontalPodAutoscaler): StoredAutoscaler {
  const { metadata, spec, status } = autoscaler
  const { annotations = {} } = metadata
  const { targetCPUUtilizationPercentage: percentage, ...sameSpec } = spec
  const { currentCPUUtilizationPercentage: current, currentReplicas, ...sameStatus } = status
  const target: MetricSpec[] = percentage === undefined ? [] : [cpuMetric(percentage)]
  const metrics = [...(carried<OldMetric[]>(annotations[METRICS]) ?? []).map(fromOldMetric), ...target]
  const behavior = carried<CapitalBehavior>(annotations[BEHAVIOR])
  const currentMetrics = carried<OldMetricStatus[]>(annotations[CURRENT_METRICS])?.map(fromOldStatus)
  const conditions = carried<StoredAutoscaler['status']['conditions']>(annotations[CONDITIONS])
  const stored = {
    ...autoscaler,
    metadata: withAnnotations(metadata, Object.fromEntries(Object.entries(annotations).filter(([key]) => !CARRIERS.has(key)))),
    spec: {
      ...sameSpec,
      ...(metrics.length > 0 && { metrics }),
      ...(behavior && { behavior: lowerBehavior(behavior) }),
    },
    status: {
      ...sameStatus,
      ...(currentReplicas && { currentReplicas }),
      currentMetrics: currentMetrics ?? (current === undefined ? null : [cpuStatus(current)]),
      ...(conditions && { conditions }),
    },
  } as Mutable<StoredAutoscaler>
  applyAutoscalerDefaults(stored)
  return stored
}

/** What version 1 shows of a stored autoscaler. */
export function fromStoredAutoscaler(autoscaler: StoredAutoscaler): HorizontalPodAutoscaler {
  const { metadata, spec, status } = autoscaler
  const { metrics = [], behavior, ...sameSpec } = spec
  const { currentMetrics, conditions, currentReplicas, ...sameStatus } = status
  const percentage = metrics.find(isCpuShare)?.resource?.target.averageUtilization
  const current = currentMetrics?.find(
    ({ type, resource }) => type === 'Resource' && resource?.name === 'cpu' && resource.current.averageUtilization !== undefined,
  )
  const others = metrics.filter(metric => !isCpuShare(metric))
  const annotations = {
    ...metadata.annotations,
    ...(others.length > 0 && { [METRICS]: JSON.stringify(others.map(toOldMetric)) }),
    ...(currentMetrics?.length && { [CURRENT_METRICS]: JSON.stringify(currentMetrics.map(toOldStatus)) }),
    ...(behavior && { [BEHAVIOR]: JSON.stringify(capitalBehavior(behavior)) }),
    ...(conditions?.length && { [CONDITIONS]: JSON.stringify(conditions) }),
  }
  return {
    ...autoscaler,
    metadata: withAnnotations(metadata, annotations),
    spec: { ...sameSpec, ...(percentage !== undefined && { targetCPUUtilizationPercentage: percentage }) },
    status: {
      ...sameStatus,
      currentReplicas: currentReplicas ?? 0,
      ...(current && { currentCPUUtilizationPercentage: current.resource!.current.averageUtilization! }),
    },
  }
}

function cpuMetric(percentage: number): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percentage } } }
}

function cpuStatus(percentage: number): MetricStatus {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percentage } } }
}

function isCpuShare({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined
}

function withAnnotations(metadata: ApiObject['metadata'], annotations: Record<string, string>): ApiObject['metadata'] {
  const { annotations: _, ...rest } = metadata
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest
}

/** What an annotation carries; a text that is no JSON carries nothing. */
function carried<T>(text: string | undefined): T | undefined {
  if (!text) return undefined
  try {
    return (JSON.parse(text) as T | null) ?? undefined
  } catch {
    return undefined
  }
}

/** Behaviour is carried under capitalised names, with nulls. */
interface CapitalRules {
  readonly StabilizationWindowSeconds?: number | null
  readonly SelectPolicy?: 'Max' | 'Min' | 'Disabled' | null
  readonly Policies?: readonly { Type: 'Pods' | 'Percent'; Value: number; PeriodSeconds: number }[] | null
  readonly Tolerance?: string | null
}

interface CapitalBehavior {
  readonly ScaleUp?: CapitalRules | null
  readonly ScaleDown?: CapitalRules | null
}

function capitalBehavior({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): CapitalBehavior {
  return { ScaleUp: scaleUp ? capitalRules(scaleUp) : null, ScaleDown: scaleDown ? capitalRules(scaleDown) : null }
}

function capitalRules({ stabilizationWindowSeconds, selectPolicy, policies, tolerance }: HPAScalingRules): CapitalRules {
  return {
    StabilizationWindowSeconds: stabilizationWindowSeconds ?? null,
    SelectPolicy: selectPolicy ?? null,
    Policies: policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null,
    Tolerance: tolerance ?? null,
  }
}

function lowerBehavior({ ScaleUp, ScaleDown }: CapitalBehavior): HorizontalPodAutoscalerBehavior {
  return { ...(ScaleUp && { scaleUp: lowerRules(ScaleUp) }), ...(ScaleDown && { scaleDown: lowerRules(ScaleDown) }) }
}

function lowerRules({ StabilizationWindowSeconds, SelectPolicy, Policies, Tolerance }: CapitalRules): HPAScalingRules {
  return {
    ...(typeof StabilizationWindowSeconds === 'number' && { stabilizationWindowSeconds: StabilizationWindowSeconds }),
    ...(SelectPolicy && { selectPolicy: SelectPolicy }),
    ...(Policies && {
      policies: Policies.map(({ Type, Value, PeriodSeconds }) => ({ type: Type, value: Value, periodSeconds: PeriodSeconds })),
    }),
    ...(Tolerance && { tolerance: Tolerance }),
  }
}
