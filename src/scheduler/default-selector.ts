import type { Informers } from '#client/informers/informer.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { DefaultSelector } from './plugins/pod-topology-spread.ts'

/** The pods that belong together with a pod: what all Services that select it, and its controller, select. */
export function defaultSelector(informers: Informers): DefaultSelector {
  const services = informers.of(Service)
  const replicaSets = informers.of(ReplicaSet)
  const statefulSets = informers.of(StatefulSet)
  const replicationControllers = informers.of(ReplicationController)
  return pod => {
    const { namespace = '', labels = {}, ownerReferences = [] } = pod.metadata
    const selectors = services
      .list(namespace)
      .filter(({ spec }) => Object.keys(spec.selector ?? {}).length > 0)
      .map(({ spec }) => LabelSelector.ofLabels(spec.selector))
      .filter(selector => selector.matches(labels))
    const owner = ownerReferences.find(reference => reference.controller)
    if (owner?.kind === 'ReplicaSet') selectors.push(LabelSelector.ofObject(replicaSets.get(namespace, owner.name)?.spec.selector))
    if (owner?.kind === 'StatefulSet') selectors.push(LabelSelector.ofObject(statefulSets.get(namespace, owner.name)?.spec.selector))
    if (owner?.kind === 'ReplicationController') {
      selectors.push(LabelSelector.ofLabels(replicationControllers.get(namespace, owner.name)?.spec.selector))
    }
    const usable = selectors.filter(selector => !selector.isNothing && !selector.isEverything)
    return usable.length === 0 ? undefined : new LabelSelector(usable.flatMap(selector => selector.requirements))
  }
}
