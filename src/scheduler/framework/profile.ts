import type { SchedulerPlugin } from './plugin.ts'

/** A named set of plugins (`profiles` of a KubeSchedulerConfiguration): pods choose one by `spec.schedulerName`. */
export interface Profile {
  readonly schedulerName: string
  /** In the order in which each extension point asks them. */
  readonly plugins: readonly SchedulerPlugin[]
  /** How much a plugin's score counts; 1 if not named. */
  readonly weights: Readonly<Record<string, number>>
  /** How many of the nodes are looked at before scoring, in percent; 0: by the size of the cluster. */
  readonly percentageOfNodesToScore: number
}

/** Upstream's weights of the default plugins. */
export const DEFAULT_WEIGHTS: Readonly<Record<string, number>> = {
  TaintToleration: 3,
  NodeAffinity: 2,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
}
