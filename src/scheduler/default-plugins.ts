import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import type { FeatureGates } from '#machinery/feature-gates/feature-gates.ts'
import type { PodInfo } from './cache/pod-info.ts'
import type { PluginArgs } from './configuration/plugin-args.ts'
import { defaultSelector } from './default-selector.ts'
import type { SchedulerPlugin } from './framework/plugin.ts'
import type { Profile } from './framework/profile.ts'
import type { Nominations } from './framework/select-node.ts'
import { defaultBinder } from './plugins/default-binder.ts'
import { defaultPreemption } from './plugins/default-preemption.ts'
import { dynamicResources } from './plugins/dynamic-resources.ts'
import { gangScheduling } from './plugins/gang-scheduling.ts'
import { imageLocality } from './plugins/image-locality.ts'
import { interPodAffinity } from './plugins/inter-pod-affinity.ts'
import { nodeAffinity } from './plugins/node-affinity.ts'
import { nodeDeclaredFeatures } from './plugins/node-declared-features.ts'
import { nodeName } from './plugins/node-name.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { nodeResourcesBalancedAllocation } from './plugins/node-resources-balanced-allocation.ts'
import { nodeResourcesFit } from './plugins/node-resources-fit.ts'
import { nodeUnschedulable } from './plugins/node-unschedulable.ts'
import { nodeVolumeLimits } from './plugins/node-volume-limits.ts'
import { podGroupPodsCount } from './plugins/pod-group-pods-count.ts'
import { podTopologySpread } from './plugins/pod-topology-spread.ts'
import { prioritySort } from './plugins/priority-sort.ts'
import { schedulingGates } from './plugins/scheduling-gates.ts'
import { taintToleration } from './plugins/taint-toleration.ts'
import { topologyPlacementGenerator } from './plugins/topology-placement-generator.ts'
import { volumeBinding } from './plugins/volume-binding.ts'
import { volumeRestrictions } from './plugins/volume-restrictions.ts'
import { volumeZone } from './plugins/volume-zone.ts'
import type { PodGroups } from './pod-groups/pod-groups.ts'
import type { SchedulerMetrics } from './scheduler-metrics.ts'
import { volumeView } from './volumes/volume-view.ts'

/** What plugins need of the scheduler around them. */
export interface PluginContext {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly clock: Clock
  readonly log: Logger
  /** Which of upstream's gates are on, as `--feature-gates` says it. */
  readonly featureGates?: FeatureGates
  /** The groups that pods are in; absent unless the gate GenericWorkload is on. */
  readonly groups?: PodGroups | undefined
  /** The profile that a plugin belongs to, once it is complete. */
  profile(): Profile
  readonly nominations: Nominations
  readonly metrics: Pick<SchedulerMetrics, 'preempting' | 'preempted' | 'evicted' | 'volumesNotBound'>
  /** A pod is to be tried again, whatever it waits for. */
  retry(pod: PodInfo): void
  /** A pod that was kept out is to be tried again if something happened meanwhile. */
  released(pod: PodInfo): void
  /** A pod is to be tried again after its backoff. */
  retryLater(pod: PodInfo): void
}

/** Every plugin there is, one instance of each, by name. */
export function allPlugins(context: PluginContext, args: PluginArgs): Map<string, SchedulerPlugin> {
  const { client, informers, events, log } = context
  const namespaces = informers.of(Namespace)
  const budgets = informers.of(PodDisruptionBudget)
  const volumes = volumeView(informers)
  const plugins: readonly SchedulerPlugin[] = [
    schedulingGates(),
    prioritySort(),
    nodeUnschedulable(),
    nodeName(),
    taintToleration(),
    nodeAffinity(args.NodeAffinity.addedAffinity),
    nodePorts(),
    nodeResourcesFit(args.NodeResourcesFit, context.nominations),
    volumeRestrictions(volumes),
    nodeVolumeLimits(volumes),
    volumeBinding({
      client,
      clock: context.clock,
      volumes,
      claims: informers.of(PersistentVolumeClaim),
      failed: context.metrics.volumesNotBound,
      bindTimeoutMs: Number(args.VolumeBinding.bindTimeoutSeconds) * 1000,
    }),
    volumeZone(volumes),
    podTopologySpread(defaultSelector(informers), args.PodTopologySpread),
    interPodAffinity(namespace => namespaces.get('', namespace)?.metadata.labels, args.InterPodAffinity),
    dynamicResources({ client, informers }),
    defaultPreemption({
      client,
      events,
      args: args.DefaultPreemption,
      profile: context.profile,
      budgets: namespace => budgets.list(namespace),
      nominations: context.nominations,
      metrics: context.metrics,
      clock: context.clock,
      retry: context.retry,
      released: context.released,
      retryLater: context.retryLater,
      failed: (pod, error) => log.warn('a pod could not be preempted', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, error }),
    }),
    nodeResourcesBalancedAllocation(args.NodeResourcesBalancedAllocation.resources),
    imageLocality(),
    defaultBinder(client),
    nodeDeclaredFeatures(),
    ...(context.groups ? [gangScheduling(context.groups), topologyPlacementGenerator(), podGroupPodsCount()] : []),
  ]
  return new Map(plugins.map(plugin => [plugin.name, plugin]))
}
