import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { timeOf } from '#machinery/time/time.ts'
import { countReplicas, nextAvailableInMs, planReplicas } from './replicaset.plan.ts'
import { claim } from './runtime/claim.ts'
import { defineController, status, whole } from './runtime/define-controller.ts'
import { createPod, deletePod } from './runtime/pod-control.ts'
import { podFrom } from './runtime/pod-template.ts'
import { all, inSlowStart } from './runtime/slow-start.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { claimed } from './runtime/watches.ts'

/** Keeps `spec.replicas` pods alive for every ReplicationController: the elder of ReplicaSet, with equality selectors only. */
export const replicationControllerController = defineController({
  name: 'replicationcontroller-controller',
  component: 'replication-controller',
  reconciles: ReplicationController,
  watches: [claimed<ReplicationController>(Pod, ({ spec }) => selectorOf(spec.selector))],
  writes: [whole(Pod), status(ReplicationController)],
  async reconcile(controller, tools) {
    const { spec, metadata } = controller
    const { template, minReadySeconds = 0 } = spec
    if (!template) return
    const pods = await claim(Pod, ReplicationController, controller, selectorOf(spec.selector), tools)
    const plan = planReplicas(spec.replicas, pods, pods, tools.now)
    let failure: { error: unknown } | undefined
    if (!metadata.deletionTimestamp) {
      try {
        await inSlowStart(plan.create, () => createPod(podFrom(template, controller), controller, tools))
        await all(plan.delete, pod => deletePod(pod, controller, tools))
      } catch (error) {
        failure = { error }
      }
    }
    const { terminatingReplicas: _, ...counts } = countReplicas(
      { replicas: spec.replicas, minReadySeconds, templateLabels: template.metadata.labels ?? {} },
      pods,
      tools.now,
    )
    const others = (controller.status.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure')
    const present = controller.status.conditions?.find(({ type }) => type === 'ReplicaFailure')
    const conditions = failure
      ? [
          ...others,
          present ?? {
            type: 'ReplicaFailure',
            status: 'True',
            reason: plan.create > 0 ? 'FailedCreate' : 'FailedDelete',
            message: textOfError(failure.error),
            lastTransitionTime: timeOf(tools.now),
          },
        ]
      : others
    await tools.updateStatus(ReplicationController, controller, { ...counts, observedGeneration: metadata.generation, conditions })
    const inMs = nextAvailableInMs(pods, minReadySeconds, tools.now)
    if (inMs !== undefined) tools.again(inMs)
    if (failure) throw failure.error
  },
})

/** An absent selector selects nothing; the server fills it in from the template's labels. */
function selectorOf(labels: Readonly<Record<string, string>> | undefined): LabelSelector {
  return labels && Object.keys(labels).length > 0 ? LabelSelector.ofLabels(labels) : LabelSelector.nothing
}
