import { exponentialBounds } from '#base/metrics/labelled-series.ts'
import type { Scale } from '#kinds/autoscaling/v1/scale.ts'
import {
  type CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerCondition,
  type MetricSpec,
  type MetricTarget,
} from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { LabelSelector } from '#kinds/meta/v1/label-selector.ts'
import type { AnyKind, ObjectOf } from '#machinery/kind/kind.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { parseLabelSelector } from '#machinery/selectors/parse-label-selector.ts'
import { timeOf } from '#machinery/time/time.ts'
import { readExternalMetric, readObjectMetric, readPodsMetric } from './custom-metrics.ts'
import { readPodMetrics } from './horizontalpodautoscaler.metrics.ts'
import {
  MetricError,
  type Proposal,
  proposeByAverage,
  proposeByResource,
  proposeByValue,
  type ResourceTarget,
  type Tolerance,
} from './horizontalpodautoscaler.plan.ts'
import { limit, noteChange, type ScalingMemory } from './horizontalpodautoscaler.scaling.ts'
import type { Controller } from './runtime/controller.ts'
import { counter, histogram } from './runtime/controller-metrics.ts'
import { defineController, status, type Tools } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { consulted } from './runtime/watches.ts'

const reconciliations = counter(
  'horizontal_pod_autoscaler_controller_reconciliations_total',
  'Number of reconciliations of HPA controller.',
  ['action', 'error'],
)
const reconciliationTimes = histogram(
  'horizontal_pod_autoscaler_controller_reconciliation_duration_seconds',
  'The time(seconds) that the HPA controller takes to reconcile once.',
  ['action', 'error'],
  exponentialBounds(0.001, 2, 15),
)

type Conditions = Map<string, HorizontalPodAutoscalerCondition>

/** Sets the number of pods by what they use. */
export const horizontalPodAutoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler-controller',
  run(context) {
    context.metrics.gauge({
      name: 'horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers',
      help: 'Current number of controlled HPA objects.',
      read: () => [[{}, context.informers.of(HorizontalPodAutoscaler).list().length]],
    })
    const memories = new Map<string, ScalingMemory & { nextMs: number }>()
    return defineController({
      name: 'horizontal-pod-autoscaler-controller',
      component: 'horizontal-pod-autoscaler',
      reconciles: HorizontalPodAutoscaler,
      watches: [consulted(Pod)],
      writes: [status(HorizontalPodAutoscaler)],
      resyncMs: context.parameters.horizontalPodAutoscalerSyncPeriodMs,
      async reconcile(autoscaler, tools) {
        const { uid = '' } = autoscaler.metadata
        const memory = memories.get(uid) ?? { wishes: [], changes: [], nextMs: 0 }
        memories.set(uid, memory)
        // Its own status makes it due again at once: it looks only as often as it should.
        if (tools.now < memory.nextMs && autoscaler.status.observedGeneration === autoscaler.metadata.generation) {
          tools.again(memory.nextMs - tools.now)
          return
        }
        memory.nextMs = tools.now + context.parameters.horizontalPodAutoscalerSyncPeriodMs
        const since = tools.clock.monotonic()
        let did: Outcome = { action: 'none', error: 'internal' }
        try {
          did = await autoscale(autoscaler, memory, tools)
        } finally {
          tools.metrics.count(reconciliations, [did.action, did.error])
          tools.metrics.observe(reconciliationTimes, [did.action, did.error], (tools.clock.monotonic() - since) / 1000)
        }
      },
      async gone() {
        for (const uid of memories.keys()) {
          if (
            !context.informers
              .of(HorizontalPodAutoscaler)
              .list()
              .some(({ metadata }) => metadata.uid === uid)
          )
            memories.delete(uid)
        }
      },
    }).run(context)
  },
}

/** What came of a look at an autoscaler, as metrics name it. */
interface Outcome {
  readonly action: 'none' | 'scale_up' | 'scale_down'
  readonly error: 'none' | 'internal' | 'spec'
}

async function autoscale(autoscaler: HorizontalPodAutoscaler, memory: ScalingMemory, tools: Tools): Promise<Outcome> {
  const { spec } = autoscaler
  const { namespace = '' } = autoscaler.metadata
  const conditions: Conditions = new Map((autoscaler.status.conditions ?? []).map(condition => [condition.type, condition]))
  const say = (type: string, state: 'True' | 'False', reason: string, message: string) =>
    setCondition(conditions, type, state, reason, message, tools.now)
  const finish = (fields: object) =>
    tools.updateStatus(HorizontalPodAutoscaler, autoscaler, {
      ...autoscaler.status,
      observedGeneration: autoscaler.metadata.generation,
      ...fields,
      conditions: [...conditions.values()],
    })
  const kind = kindOf(spec.scaleTargetRef, tools)
  let scale: ObjectOf<typeof Scale>
  try {
    if (!kind) throw new Error(`no matches for kind "${spec.scaleTargetRef.kind}" in version "${spec.scaleTargetRef.apiVersion ?? ''}"`)
    const target = { namespace, name: spec.scaleTargetRef.name }
    scale = (await tools.client.subresource(kind, target, { subresource: 'scale', verb: 'get' })) as ObjectOf<typeof Scale>
  } catch (error) {
    const message = `the HPA controller was unable to get the target's current scale: ${textOfError(error)}`
    say('AbleToScale', 'False', 'FailedGetScale', message)
    tools.events.record(autoscaler, 'Warning', 'FailedGetScale', textOfError(error))
    await finish({})
    return { action: 'none', error: 'internal' }
  }
  say('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
  const current = scale.spec.replicas ?? 0
  const currentReplicas = scale.status.replicas ?? 0
  if (current === 0 && spec.minReplicas !== 0) {
    say('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
    await finish({ currentReplicas, desiredReplicas: 0 })
    return { action: 'none', error: 'none' }
  }
  const outcome = await wishFor(autoscaler, scale, currentReplicas, tools)
  if (outcome.error) {
    say('ScalingActive', 'False', outcome.error.reason, outcome.error.message)
    tools.events.record(autoscaler, 'Warning', outcome.error.reason, outcome.error.message)
  } else
    say('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${outcome.metric}`)
  const outside = current > spec.maxReplicas ? spec.maxReplicas : current < spec.minReplicas ? spec.minReplicas : undefined
  let desired = outside ?? current
  if (outside === undefined && outcome.replicas !== undefined) {
    const limited = limit(
      autoscaler,
      current,
      outcome.replicas,
      memory,
      tools.parameters.horizontalPodAutoscalerDownscaleStabilizationMs,
      tools.now,
    )
    desired = limited.replicas
    if (limited.isStabilized)
      say(
        'AbleToScale',
        'True',
        'ScaleDownStabilized',
        'recent recommendations were higher than current one, applying the highest recent recommendation',
      )
    else say('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size')
    say('ScalingLimited', limited.isLimited ? 'True' : 'False', limited.reason, limited.message)
  }
  let { lastScaleTime } = autoscaler.status
  if (desired !== current) {
    const reason =
      outside !== undefined
        ? boundsReason(current, autoscaler)
        : desired > current
          ? `${outcome.metric} above target`
          : 'All metrics below target'
    const body = { ...scale, spec: { ...scale.spec, replicas: desired } }
    await tools.client.subresource(kind!, { namespace, name: spec.scaleTargetRef.name }, { subresource: 'scale', verb: 'update', body })
    tools.events.record(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`)
    say('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`)
    noteChange(memory, desired - current, tools.now)
    lastScaleTime = timeOf(tools.now)
  }
  await finish({ currentReplicas, desiredReplicas: desired, currentMetrics: outcome.measured, ...(lastScaleTime ? { lastScaleTime } : {}) })
  const action = desired === current ? 'none' : desired > current ? 'scale_up' : 'scale_down'
  return { action, error: outcome.error ? 'internal' : 'none' }
}

function boundsReason(current: number, { spec }: HorizontalPodAutoscaler): string {
  return current > spec.maxReplicas
    ? 'Current number of replicas above Spec.MaxReplicas'
    : 'Current number of replicas below Spec.MinReplicas'
}

interface Wish {
  readonly replicas: number | undefined
  readonly metric: string
  readonly measured: readonly object[]
  readonly error: { readonly reason: string; readonly message: string } | undefined
}

/** The most that any metric calls for. Where one could not be read nothing is taken away. */
async function wishFor(autoscaler: HorizontalPodAutoscaler, scale: ObjectOf<typeof Scale>, current: number, tools: Tools): Promise<Wish> {
  const { namespace = '' } = autoscaler.metadata
  const selector = parseLabelSelector(scale.status.selector ?? '')
  const pods = tools.list(Pod, { namespace, selector })
  const measured: object[] = []
  let best: { replicas: number; metric: string } | undefined
  let error: Wish['error']
  const metrics = autoscaler.spec.metrics ?? []
  for (const metric of metrics) {
    try {
      const { proposal, name, status } = await propose(metric, autoscaler, scale.status.selector ?? '', current, pods, tools)
      measured.push(status)
      if (!best || proposal.replicas > best.replicas) best = { replicas: proposal.replicas, metric: name }
    } catch (failure) {
      const reason = `FailedGet${metric.type}Metric`
      const message = `the HPA was unable to compute the replica count: ${textOfError(failure)}`
      error ??= { reason, message }
    }
  }
  if (!best) return { replicas: undefined, metric: '', measured, error }
  if (error && best.replicas < current) return { replicas: undefined, metric: best.metric, measured, error }
  return { ...best, measured, error: undefined }
}

interface Proposed {
  readonly proposal: Pick<Proposal, 'replicas'>
  /** As conditions and events name the metric. */
  readonly name: string
  /** For `status.currentMetrics`. */
  readonly status: object
}

async function propose(
  metric: MetricSpec,
  autoscaler: HorizontalPodAutoscaler,
  selector: string,
  current: number,
  pods: readonly Pod[],
  tools: Tools,
): Promise<Proposed> {
  const { namespace = '' } = autoscaler.metadata
  const { parameters, now } = tools
  const read = parameters.readMetrics
  const tolerance = toleranceOf(autoscaler, parameters.horizontalPodAutoscalerTolerance)
  const timing = {
    now,
    tolerance,
    cpuInitializationPeriodMs: parameters.horizontalPodAutoscalerCpuInitializationPeriodMs,
    initialReadinessDelayMs: parameters.horizontalPodAutoscalerInitialReadinessDelayMs,
  }
  const byTarget = (measured: number, { value, averageValue }: MetricTarget) =>
    averageValue !== undefined
      ? {
          replicas: proposeByAverage(measured, milli(averageValue), current, tolerance),
          current: { averageValue: ofMilli(Math.ceil(measured / Math.max(1, current))) },
        }
      : { replicas: proposeByValue(measured, milli(value ?? '1'), current, pods, tolerance), current: { value: ofMilli(measured) } }
  if (metric.pods) {
    const { metric: which, target } = metric.pods
    const usages = await readPodsMetric(read, namespace, selector, which)
    const proposal = proposeByResource(
      { resource: which.name, averageValue: milli(target.averageValue ?? '0') },
      current,
      pods,
      usages,
      timing,
    )
    const status = { type: metric.type, pods: { metric: which, current: { averageValue: ofMilli(proposal.averageValue) } } }
    return { proposal, name: `pods metric ${which.name}`, status }
  }
  if (metric.object) {
    const { metric: which, describedObject, target } = metric.object
    const kind = kindOf(describedObject, tools)
    if (!kind) throw new MetricError(`no matches for kind "${describedObject.kind}" in version "${describedObject.apiVersion ?? ''}"`)
    const found = byTarget(await readObjectMetric(read, namespace, describedObject, kind, which), target)
    const status = { type: metric.type, object: { metric: which, describedObject, current: found.current } }
    return { proposal: found, name: `${describedObject.kind} metric ${which.name}`, status }
  }
  if (metric.external) {
    const { metric: which, target } = metric.external
    const found = byTarget(await readExternalMetric(read, namespace, which), target)
    const status = { type: metric.type, external: { metric: which, current: found.current } }
    return { proposal: found, name: `external metric ${which.name}(${selectorAsGo(which.selector)})`, status }
  }
  const source = metric.containerResource ?? metric.resource
  if (!source) throw new MetricError(`unknown metric source type "${metric.type}" found`)
  const usages = await readPodMetrics(tools.client, namespace, selector)
  const { name: resource, target } = source
  const container = metric.containerResource?.container
  const scaleOf = (text: string) => (resource === 'cpu' ? milli(text) : Quantity.parse(text).toNumber())
  const wanted: ResourceTarget = {
    resource,
    container,
    averageUtilization: target.averageUtilization,
    averageValue: target.averageValue === undefined ? undefined : scaleOf(target.averageValue),
  }
  const proposal = proposeByResource(wanted, current, pods, usages, timing)
  const what = container === undefined ? `${resource} resource` : `${resource} container resource`
  const name = target.averageUtilization === undefined ? what : `${what} utilization (percentage of request)`
  return { proposal, name, status: statusOf(metric, proposal, resource, container) }
}

/** What the behaviour says of a direction counts there; elsewhere what holds for all autoscalers. */
function toleranceOf({ spec: { behavior } }: HorizontalPodAutoscaler, usual: number): Tolerance {
  const share = (text: string | undefined) => (text === undefined ? usual : Quantity.parse(text).toFloat())
  return { up: share(behavior?.scaleUp?.tolerance), down: share(behavior?.scaleDown?.tolerance) }
}

const milli = (text: string) => Quantity.parse(text).toMilli()
const ofMilli = (value: number) => Quantity.milli(Math.round(value)).toString()

/** A selector as upstream's messages print it. */
function selectorAsGo(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil'
  const { matchLabels = {}, matchExpressions = [] } = selector
  const labels = Object.keys(matchLabels)
    .sort()
    .map(key => `${key}: ${matchLabels[key]},`)
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

function statusOf(
  metric: MetricSpec,
  { averageUtilization, averageValue }: Proposal,
  resource: string,
  container: string | undefined,
): object {
  const value = resource === 'cpu' ? Quantity.milli(Math.round(averageValue)) : Quantity.of(Math.round(averageValue))
  const current = { averageValue: value.toString(), ...(averageUtilization === undefined ? {} : { averageUtilization }) }
  if (container !== undefined) return { type: metric.type, containerResource: { name: resource, container, current } }
  return { type: metric.type, resource: { name: resource, current } }
}

function kindOf({ apiVersion = '', kind }: CrossVersionObjectReference, { kinds }: Tools): AnyKind | undefined {
  const { group, version } = groupVersionOf(apiVersion)
  return kinds.byKind(group, version, kind)
}

function setCondition(conditions: Conditions, type: string, status: 'True' | 'False', reason: string, message: string, now: number): void {
  const former = conditions.get(type)
  const lastTransitionTime = former?.status === status ? former.lastTransitionTime : timeOf(now)
  conditions.set(type, { type, status, reason, message, lastTransitionTime })
}
