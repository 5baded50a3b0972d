import type { Column } from '#machinery/kind/kind.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from './horizontal-pod-autoscaler.ts'

export const horizontalPodAutoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  { name: 'Reference', of: ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}` },
  { name: 'Targets', of: targetsText },
  { name: 'MinPods', of: ({ spec }) => `${spec.minReplicas ?? '<unset>'}` },
  { name: 'MaxPods', of: ({ spec }) => spec.maxReplicas },
  { name: 'Replicas', of: ({ status }) => status.currentReplicas ?? 0 },
  ageColumn,
]

/** `cpu: 40%/80%, memory: <unknown>/1Gi`, at most two of them. */
function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? []
  if (metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, 2).map((metric, index) => targetText(metric, status.currentMetrics?.[index]))
  return metrics.length > 2 ? `${shown.join(', ')} + ${metrics.length - 2} more...` : shown.join(', ')
}

function targetText(metric: MetricSpec, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case 'External':
      return valueText(metric.external?.target, status?.external?.current)
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? '<unknown>'}/${metric.pods?.target.averageValue}`
    case 'Object':
      return valueText(metric.object?.target, status?.object?.current)
    case 'Resource':
      return `${metric.resource?.name}: ${resourceText(metric.resource?.target, status?.resource?.current)}`
    case 'ContainerResource':
      return `${metric.containerResource?.name}: ${resourceText(metric.containerResource?.target, status?.containerResource?.current)}`
    default:
      return '<unknown type>'
  }
}

function valueText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current?.value ?? '<unknown>'}/${target?.value}`
}

function resourceText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  const used = current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`
  return `${used}/${target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`}`
}
