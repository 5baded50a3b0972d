import type { Logger } from '#base/log/logger.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { defaultSelector } from './default-selector.ts'
import type { SchedulerPlugin } from './framework/plugin.ts'
import { DEFAULT_WEIGHTS, type Profile } from './framework/profile.ts'
import { defaultBinder } from './plugins/default-binder.ts'
import { defaultPreemption } from './plugins/default-preemption.ts'
import { imageLocality } from './plugins/image-locality.ts'
import { interPodAffinity } from './plugins/inter-pod-affinity.ts'
import { nodeAffinity } from './plugins/node-affinity.ts'
import { nodeName } from './plugins/node-name.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { nodeResourcesBalancedAllocation } from './plugins/node-resources-balanced-allocation.ts'
import { nodeResourcesFit } from './plugins/node-resources-fit.ts'
import { nodeUnschedulable } from './plugins/node-unschedulable.ts'
import { podTopologySpread } from './plugins/pod-topology-spread.ts'
import { prioritySort } from './plugins/priority-sort.ts'
import { schedulingGates } from './plugins/scheduling-gates.ts'
import { taintToleration } from './plugins/taint-toleration.ts'

export interface ProfileContext {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly log: Logger
}

/** The profile of pods that name no scheduler. The order is upstream's: cheap filters that refuse many nodes come first. */
export function defaultProfile({ client, informers, events, log }: ProfileContext): Profile {
  const namespaces = informers.of(Namespace)
  const budgets = informers.of(PodDisruptionBudget)
  const plugins: SchedulerPlugin[] = [
    schedulingGates(),
    prioritySort(),
    nodeUnschedulable(),
    nodeName(),
    taintToleration(),
    nodeAffinity(),
    nodePorts(),
    nodeResourcesFit(),
    podTopologySpread(defaultSelector(informers)),
    interPodAffinity(namespace => namespaces.get('', namespace)?.metadata.labels),
    defaultPreemption({
      client,
      events,
      plugins: () => plugins,
      budgets: namespace => budgets.list(namespace),
      failed: (pod, error) => log.warn('a pod could not be preempted', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, error }),
    }),
    nodeResourcesBalancedAllocation(),
    imageLocality(),
    defaultBinder(client),
  ]
  return { schedulerName: 'default-scheduler', plugins, weights: DEFAULT_WEIGHTS, percentageOfNodesToScore: 0 }
}
