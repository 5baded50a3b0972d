import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import type { Scale } from '#kinds/autoscaling/v1/scale.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import type { ObjectOf } from '#machinery/kind/kind.ts'
import { controllerOf, groupVersionOf, type OwnerReference } from '#machinery/meta/object-meta.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { failedStatus, needsScale, planBudget } from './disruption.plan.ts'
import { defineController, status, type Tools } from './runtime/define-controller.ts'
import { consulted, mapped, selectorOf } from './runtime/watches.ts'

/** Says of every PodDisruptionBudget how many of its pods may be evicted. */
export const disruptionController = defineController({
  name: 'disruption-controller',
  component: 'controllermanager',
  reconciles: PodDisruptionBudget,
  watches: [
    mapped(Pod, (pod, { reconciled }) =>
      (reconciled.list(pod.metadata.namespace) as readonly PodDisruptionBudget[]).filter(({ spec }) =>
        selectorOf(spec.selector).matches(pod.metadata.labels),
      ),
    ),
    consulted(ReplicaSet),
    consulted(Deployment),
    consulted(StatefulSet),
    consulted(ReplicationController),
  ],
  writes: [status(PodDisruptionBudget)],
  async reconcile(budget, tools) {
    const { namespace = '' } = budget.metadata
    const pods = tools.list(Pod, { namespace, selector: selectorOf(budget.spec.selector) }).filter(pod => !isTerminal(pod))
    if (pods.length === 0) tools.events.record(budget, 'Normal', 'NoPods', 'No matching pods found')
    try {
      const expected = needsScale(budget) ? await expectedPods(pods, tools) : pods.length
      const { status, againMs } = planBudget(budget, pods, expected, tools.now)
      await tools.updateStatus(PodDisruptionBudget, budget, status)
      if (againMs !== undefined) tools.again(againMs)
    } catch (error) {
      if (!(error instanceof UncountableError)) throw error
      tools.events.record(
        budget,
        'Warning',
        'CalculateExpectedPodCountFailed',
        `Failed to calculate the number of expected pods: ${error.message}`,
      )
      await tools.updateStatus(PodDisruptionBudget, budget, failedStatus(budget, error.message, tools.now))
    }
  },
})

/** It cannot be told how many pods there should be. */
class UncountableError extends Error {
  override readonly name = 'UncountableError'
}

/** How many pods the owners of these want together; each owner counts once. */
async function expectedPods(pods: readonly Pod[], tools: Tools): Promise<number> {
  const owners = new Map<string, number>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) continue
    const scale = await scaleOf(owner, pod.metadata.namespace ?? '', tools)
    if (!scale) throw new UncountableError(`found no controllers for pod "${pod.metadata.name}"`)
    owners.set(scale.uid, scale.replicas)
  }
  return [...owners.values()].reduce((sum, replicas) => sum + replicas, 0)
}

/** What the owner, or the deployment above it, asks for. */
async function scaleOf(owner: OwnerReference, namespace: string, tools: Tools): Promise<{ uid: string; replicas: number } | undefined> {
  const { group } = groupVersionOf(owner.apiVersion)
  const of = (object: ReplicaSet | StatefulSet | ReplicationController | Deployment | undefined) =>
    object?.metadata.uid === owner.uid ? { uid: owner.uid, replicas: object.spec.replicas } : undefined
  if (group === 'apps' && owner.kind === 'ReplicaSet') {
    const set = tools.get(ReplicaSet, namespace, owner.name)
    const above = set && set.metadata.uid === owner.uid ? controllerOf(set) : undefined
    return above?.kind === 'Deployment' ? scaleOf(above, namespace, tools) : of(set)
  }
  if (group === 'apps' && owner.kind === 'Deployment') return of(tools.get(Deployment, namespace, owner.name))
  if (group === 'apps' && owner.kind === 'StatefulSet') return of(tools.get(StatefulSet, namespace, owner.name))
  if (group === '' && owner.kind === 'ReplicationController') return of(tools.get(ReplicationController, namespace, owner.name))
  return scaleOfOther(owner, namespace, tools)
}

/** Any other kind may have a `scale` subresource. */
async function scaleOfOther({ apiVersion, kind, name, uid }: OwnerReference, namespace: string, { kinds, client }: Tools) {
  const { group, version } = groupVersionOf(apiVersion)
  const known = kinds.byKind(group, version, kind)
  if (!known?.subresources.some(subresource => subresource.name === 'scale')) return undefined
  try {
    const scale = (await client.subresource(known, { namespace, name }, { subresource: 'scale', verb: 'get' })) as ObjectOf<typeof Scale>
    return { uid, replicas: scale.spec.replicas ?? 0 }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
