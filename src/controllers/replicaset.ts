import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { controllerOf } from '#machinery/meta/object-meta.ts'
import { timeOf } from '#machinery/time/time.ts'
import { countReplicas, nextAvailableInMs, planReplicas, type ReplicasPlan } from './replicaset.plan.ts'
import { claim } from './runtime/claim.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { createPod, deletePod } from './runtime/pod-control.ts'
import { podFrom } from './runtime/pod-template.ts'
import { all, inSlowStart } from './runtime/slow-start.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { claimed, selectorOf } from './runtime/watches.ts'

/** Keeps `spec.replicas` pods alive for every ReplicaSet. */
export const replicaSetController = defineController({
  name: 'replicaset-controller',
  reconciles: ReplicaSet,
  watches: [claimed<ReplicaSet>(Pod, ({ spec }) => selectorOf(spec.selector))],
  writes: [whole(Pod), status(ReplicaSet)],
  async reconcile(set, tools) {
    const { spec, metadata } = set
    const pods = await claim(Pod, ReplicaSet, set, selectorOf(spec.selector), tools)
    const related = siblingsOf(set, tools).flatMap(sibling => tools.list(Pod, { ownedBy: sibling }))
    const plan = planReplicas(spec.replicas, pods, related, tools.now)
    const failure = metadata.deletionTimestamp ? undefined : await carryOut(plan, set, tools)
    const { template, minReadySeconds = 0 } = spec
    const counts = countReplicas(
      { replicas: spec.replicas, minReadySeconds, templateLabels: template.metadata.labels ?? {} },
      pods,
      tools.now,
    )
    await tools.updateStatus(ReplicaSet, set, {
      ...counts,
      observedGeneration: metadata.generation,
      conditions: conditionsAfter(set.status.conditions ?? [], failure, plan, tools.now),
    })
    const inMs = nextAvailableInMs(pods, minReadySeconds, tools.now)
    if (inMs !== undefined) tools.again(inMs)
    if (failure) throw failure.error
  },
})

/** The sets of the same owner, itself included: the pods of one Deployment are alike whichever of its sets they belong to. */
function siblingsOf(set: ReplicaSet, { list }: Tools): readonly ReplicaSet[] {
  const owner = controllerOf(set)
  return owner ? list(ReplicaSet, { ownedBy: { metadata: { uid: owner.uid } } }) : [set]
}

/** The first error, with the reason of the condition that tells of it. */
async function carryOut(plan: ReplicasPlan, set: ReplicaSet, tools: Tools): Promise<{ error: unknown } | undefined> {
  try {
    await inSlowStart(plan.create, () => createPod(podFrom(set.spec.template, set), set, tools))
    await all(plan.delete, pod => deletePod(pod, set, tools))
    return undefined
  } catch (error) {
    return { error }
  }
}

/** The condition ReplicaFailure is there as long as pods cannot be created or deleted. */
function conditionsAfter(
  conditions: NonNullable<ReplicaSet['status']['conditions']>,
  failure: { error: unknown } | undefined,
  plan: ReplicasPlan,
  now: number,
) {
  const others = conditions.filter(({ type }) => type !== 'ReplicaFailure')
  if (!failure) return others
  const present = conditions.find(({ type }) => type === 'ReplicaFailure')
  if (present) return conditions
  const reason = plan.create > 0 ? 'FailedCreate' : 'FailedDelete'
  const message = textOfError(failure.error)
  return [...others, { type: 'ReplicaFailure', status: 'True', reason, message, lastTransitionTime: timeOf(now) }]
}
