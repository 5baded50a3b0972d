import type { CrossVersionObjectReference, MetricIdentifier } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { MetricError, type PodUsage } from './horizontalpodautoscaler.plan.ts'

/** Reads a path of the API server, and returns the answer as parsed JSON; rejects with a StatusError where the server refuses. */
export type ReadPath = (path: string) => Promise<unknown>

interface MetricValue {
  readonly describedObject?: { readonly name?: string }
  readonly timestamp?: string
  readonly value: string
}

const CUSTOM = ['v1beta2', 'v1beta1'].map(version => `/apis/custom.metrics.k8s.io/${version}`)
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1'

/** What a metric says of each pod that a selector selects, in thousandths, by the pods' names. */
export async function readPodsMetric(
  read: ReadPath | undefined,
  namespace: string,
  labelSelector: string,
  metric: MetricIdentifier,
): Promise<Map<string, PodUsage>> {
  const path = `/namespaces/${part(namespace)}/pods/*/${part(metric.name)}${query({ labelSelector, metricLabelSelector: selectorText(metric) })}`
  const items = await valuesOf(read, 'custom', CUSTOM, path)
  if (items.length === 0)
    throw new MetricError('unable to fetch metrics from custom metrics API: no metrics returned from custom metrics API')
  return new Map(
    items.map(({ describedObject, timestamp, value }) => [
      describedObject?.name ?? '',
      { atMs: timestamp ? Date.parse(timestamp) : 0, containers: { '': { [metric.name]: milli(value) } } },
    ]),
  )
}

/** What a metric says of one object, in thousandths. */
export async function readObjectMetric(
  read: ReadPath | undefined,
  namespace: string,
  { kind: _, name }: CrossVersionObjectReference,
  kind: AnyKind,
  metric: MetricIdentifier,
): Promise<number> {
  const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
  const object =
    kind.kind === 'Namespace' && kind.group === ''
      ? `/namespaces/${part(name)}/metrics`
      : `${kind.scope === 'Namespaced' ? `/namespaces/${part(namespace)}` : ''}/${resource}/${part(name)}`
  const items = await valuesOf(
    read,
    'custom',
    CUSTOM,
    `${object}/${part(metric.name)}${query({ metricLabelSelector: selectorText(metric) })}`,
  )
  if (!items[0]) throw new MetricError('unable to fetch metrics from custom metrics API: no metrics returned from custom metrics API')
  return milli(items[0].value)
}

/** The sum of what a metric from outside says, in thousandths. */
export async function readExternalMetric(read: ReadPath | undefined, namespace: string, metric: MetricIdentifier): Promise<number> {
  const path = `/namespaces/${part(namespace)}/${part(metric.name)}${query({ labelSelector: selectorText(metric) })}`
  const items = await valuesOf(read, 'external', [EXTERNAL], path)
  if (items.length === 0)
    throw new MetricError('unable to fetch metrics from external metrics API: no metrics returned from external metrics API')
  return items.reduce((sum, { value }) => sum + milli(value), 0)
}

async function valuesOf(
  read: ReadPath | undefined,
  which: 'custom' | 'external',
  bases: readonly string[],
  path: string,
): Promise<readonly MetricValue[]> {
  const absent = () =>
    new MetricError(`unable to fetch metrics from ${which} metrics API: no ${which} metrics API (${which}.metrics.k8s.io) registered`)
  if (!read) throw absent()
  let failure: unknown
  for (const base of bases) {
    try {
      return ((await read(base + path)) as { readonly items?: readonly MetricValue[] }).items ?? []
    } catch (error) {
      failure = error
      if (!isNotFound(error)) break
    }
  }
  const text = failure instanceof Error ? failure.message : String(failure)
  throw new MetricError(`unable to fetch metrics from ${which} metrics API: ${text}`, { cause: failure })
}

/** A selector as query parameters say it. */
function selectorText({ selector: { matchLabels = {}, matchExpressions = [] } = {} }: MetricIdentifier): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
  })
  return [...labels, ...expressions].join(',')
}

function query(options: Readonly<Record<string, string>>): string {
  const given = Object.entries(options).filter(([, value]) => value !== '')
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

const part = encodeURIComponent
const milli = (value: string) => Quantity.parse(value).toMilli()
