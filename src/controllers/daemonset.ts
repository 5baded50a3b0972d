import { ControllerRevision } from '#kinds/apps/v1/controller-revision.ts'
import { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { equal } from '#machinery/kind/draft.ts'
import { planDaemons } from './daemonset.plan.ts'
import { daemonPodFrom } from './daemonset-pod.ts'
import { claim } from './runtime/claim.ts'
import { hashOf, keepHistory, REVISION_LABEL, trimHistory } from './runtime/controller-revisions.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { createPod, deletePod } from './runtime/pod-control.ts'
import { all, inSlowStart } from './runtime/slow-start.ts'
import { claimed, selectorOf, type Watch } from './runtime/watches.ts'

/** Nodes matter by their labels and taints alone; their heartbeats come all the time. */
const nodes: Watch = {
  kind: Node,
  noticed({ object, old }, { reconciled }, due) {
    const [node, before] = [object as Node | undefined, old as Node | undefined]
    const isSame =
      node &&
      before &&
      equal(node.metadata.labels, before.metadata.labels) &&
      equal(node.spec.taints, before.spec.taints) &&
      node.spec.unschedulable === before.spec.unschedulable
    if (isSame) return
    for (const set of reconciled.list()) due(`${set.metadata.namespace}/${set.metadata.name}`)
  },
}

/** Keeps one pod of every DaemonSet on each node that it is meant for. */
export const daemonSetController = defineController({
  name: 'daemonset-controller',
  reconciles: DaemonSet,
  watches: [
    claimed<DaemonSet>(Pod, ({ spec }) => selectorOf(spec.selector)),
    claimed<DaemonSet>(ControllerRevision, ({ spec }) => selectorOf(spec.selector)),
    nodes,
  ],
  writes: [whole(Pod), whole(ControllerRevision), status(DaemonSet)],
  async reconcile(set, tools) {
    const selector = selectorOf(set.spec.selector)
    if (selector.isEverything) {
      tools.events.record(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
      return
    }
    const pods = await claim(Pod, DaemonSet, set, selector, tools)
    if (set.metadata.deletionTimestamp) return
    const { template } = set.spec
    const history = await keepHistory(DaemonSet, set, { template, selector, collisionCount: set.status.collisionCount }, tools)
    const hash = hashOf(history.current)
    const plan = planDaemons(set, tools.list(Node), pods, hash, tools.now)
    tellOfEnded(set, plan.delete, tools)
    let failure: { error: unknown } | undefined
    try {
      await inSlowStart(plan.create, node => createPod(daemonPodFrom(set, node, hash), set, tools))
      await all(plan.delete, pod => deletePod(pod, set, tools))
    } catch (error) {
      failure = { error }
    }
    const { collisionCount } = history
    const { conditions } = set.status
    const observedGeneration = set.metadata.generation
    await tools.updateStatus(DaemonSet, set, {
      ...plan.status,
      observedGeneration,
      conditions,
      ...(collisionCount > 0 ? { collisionCount } : {}),
    })
    if (!failure)
      await trimHistory(
        history,
        new Set(pods.map(pod => pod.metadata.labels?.[REVISION_LABEL])),
        set.spec.revisionHistoryLimit ?? 10,
        tools,
      )
    if (plan.againMs !== undefined) tools.again(plan.againMs)
    if (failure) throw failure.error
  },
})

function tellOfEnded(set: DaemonSet, pods: readonly Pod[], { events }: Tools): void {
  for (const { metadata, status, spec } of pods) {
    const where = `daemon pod ${metadata.namespace}/${metadata.name} on node ${spec.nodeName}`
    if (status.phase === 'Failed') events.record(set, 'Warning', 'FailedDaemonPod', `Found failed ${where}, will try to kill it`)
    if (status.phase === 'Succeeded') events.record(set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${where}, will try to delete it`)
  }
}
