import type { DeleteOptions } from '#client/client.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { Eviction } from '#kinds/policy/v1/eviction.ts'
import type { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import type { ShallowDraft } from '#machinery/kind/draft.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { badRequest, forbidden } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { objectFrom } from '../registry/body.ts'
import { type Core, timestamp } from '../registry/core.ts'
import { remove } from '../registry/delete.ts'
import { get } from '../registry/read.ts'
import { rewrite } from '../registry/rewrite.ts'
import { boundsOf } from '../watch-cache/watch-cache.ts'
import { admitBody } from './admit-body.ts'
import type { SubresourceCall, SubresourceHandler } from './subresource.ts'
import { success } from './success.ts'

/** `pods/eviction`: deletes a pod, if its disruption budget can spare it. */
export const podEviction: SubresourceHandler = { group: '', resource: 'pods', name: 'eviction', create: evict }

async function evict(core: Core, call: SubresourceCall) {
  const { target } = call
  const write = { ...call, ...target, subresource: '' }
  const eviction = objectFrom({ value: call.body }, { ...write, kind: Eviction }, core.kinds) as Eviction
  if (eviction.metadata.name !== target.name) throw badRequest('name in URL does not match name in Eviction object')
  const sent = (eviction.deleteOptions ?? {}) as DeleteOptions & { readonly dryRun?: unknown }
  const dryRun = call.dryRun || (Array.isArray(sent.dryRun) && sent.dryRun.includes('All'))
  const { dryRun: _, ...options } = sent
  const pod = (await get(core, target, {})) as Pod
  await admitBody(core, { ...call, dryRun }, 'eviction', eviction)
  if (!canIgnoreBudget(pod)) await spend(core, pod, dryRun)
  if (!dryRun) await markEvicted(core, pod)
  const preconditions = { uid: pod.metadata.uid!, ...options.preconditions }
  await remove(core, { ...write, dryRun }, { ...options, preconditions })
  return { object: success(201), code: 201 }
}

/** The pod carries why it goes. */
async function markEvicted(core: Core, pod: Pod): Promise<void> {
  const kind = core.kinds.byKind('', 'v1', 'Pod')!
  const { namespace = '', name = '' } = pod.metadata
  await rewrite(core, { kind, namespace, name }, object => {
    const { status } = object as ShallowDraft<Pod>
    const condition = {
      type: 'DisruptionTarget',
      status: 'True' as const,
      lastProbeTime: null,
      lastTransitionTime: timestamp(core.clock.now()),
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    }
    status.conditions = [...(status.conditions ?? []).filter(({ type }) => type !== condition.type), condition]
  })
}

/** A pod that does not run, or ends already, disrupts nothing. */
function canIgnoreBudget({ metadata, status }: Pod): boolean {
  return ['Succeeded', 'Failed', 'Pending'].includes(status.phase ?? '') || metadata.deletionTimestamp !== undefined
}

/** Takes the disruption from the pod's budget, if it has one; throws if there is none left. */
async function spend(core: Core, pod: Pod, dryRun: boolean): Promise<void> {
  const budgets = budgetsOf(core, pod)
  if (budgets.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
    throw new StatusError({ code: 500, reason: '', message })
  }
  const [budget] = budgets
  if (!budget || isSpared(pod, budget)) return
  const kind = core.kinds.byKind('policy', 'v1', 'PodDisruptionBudget')!
  const { namespace = '', name = '' } = budget.metadata
  const take = (object: object) => takeFrom(object as ShallowDraft<PodDisruptionBudget>, pod, core.clock.now())
  await rewrite(core, { kind, namespace, name }, take, { dryRun })
}

function budgetsOf(core: Core, pod: Pod): PodDisruptionBudget[] {
  const kind = core.kinds.byKind('policy', 'v1', 'PodDisruptionBudget')
  if (!kind) return []
  const [from, end] = boundsOf(pod.metadata.namespace ?? '')
  const all = core.objects.cacheOf(kind).snapshot().objects.values(from, end) as unknown as PodDisruptionBudget[]
  return all.filter(({ spec }) => LabelSelector.ofObject(spec.selector).matches(pod.metadata.labels))
}

/** A pod that is not ready costs nothing where the budget says so, or where enough others are healthy. */
function isSpared(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isReady(pod)) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0
}

function takeFrom(budget: ShallowDraft<PodDisruptionBudget>, pod: Pod, now: number): void {
  const { status, metadata } = budget
  const { name = '' } = metadata
  const of = { group: 'policy', resource: 'poddisruptionbudgets' }
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw blocked(`The disruption budget ${name} is still being processed by the server.`, 10)
  }
  if (status.disruptionsAllowed < 0) throw forbidden(of, name, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    throw forbidden(of, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  }
  if (status.disruptionsAllowed === 0) {
    const failed = status.conditions?.find(({ type, status: value }) => type === 'DisruptionAllowed' && value === 'False')
    const because =
      failed?.reason === 'SyncFailed'
        ? `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`
        : undefined
    throw blocked(
      because ?? `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
      0,
    )
  }
  status.disruptionsAllowed--
  if (status.disruptionsAllowed === 0) markExhausted(budget, now)
  status.disruptedPods = { ...status.disruptedPods, [pod.metadata.name ?? '']: timestamp(now) }
}

const MAX_DISRUPTED_PODS = 2000

function markExhausted({ status, metadata }: ShallowDraft<PodDisruptionBudget>, now: number): void {
  const conditions = status.conditions ?? []
  const before = conditions.find(({ type }) => type === 'DisruptionAllowed')
  const isNew = before?.status !== 'False'
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False' as const,
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: isNew ? timestamp(now) : before.lastTransitionTime,
    reason: 'InsufficientPods',
    message: '',
  }
  status.conditions = [...conditions.filter(({ type }) => type !== 'DisruptionAllowed'), condition]
}

function blocked(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget', message }], retryAfterSeconds },
  })
}
