import { NodeAffinity } from '#kinds/core/v1/affinity.ts'
import { TopologySpreadConstraint } from '#kinds/core/v1/topology-spread-constraint.ts'
import { DecodeError, decode } from '#machinery/schema/decode.ts'
import {
  boolean,
  defaulted,
  int32,
  int64,
  list,
  message,
  omitempty,
  oneOf,
  optional,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { SchedulerConfigurationError } from './scheduler-configuration-error.ts'

/* What single plugins need to know (`pluginConfig`), with upstream's defaults. */

const name = (of: string) => `io.k8s.kube-scheduler.config.v1.${of}`

const ResourceSpec = message(name('ResourceSpec'), {
  name: omitempty(1, string),
  weight: defaulted(2, int64, 1),
})

const UtilizationShapePoint = message(name('UtilizationShapePoint'), {
  utilization: defaulted(1, int32, 0),
  score: defaulted(2, int32, 0),
})

const SCHEMAS = {
  DefaultPreemption: message(name('DefaultPreemptionArgs'), {
    minCandidateNodesPercentage: defaulted(1, int32, 10),
    minCandidateNodesAbsolute: defaulted(2, int32, 100),
  }),
  InterPodAffinity: message(name('InterPodAffinityArgs'), {
    hardPodAffinityWeight: defaulted(1, int32, 1),
    ignorePreferredTermsOfExistingPods: omitempty(2, boolean),
  }),
  NodeAffinity: message(name('NodeAffinityArgs'), { addedAffinity: optional(1, NodeAffinity) }),
  NodeResourcesBalancedAllocation: message(name('NodeResourcesBalancedAllocationArgs'), {
    resources: omitempty(1, list(ResourceSpec)),
  }),
  NodeResourcesFit: message(name('NodeResourcesFitArgs'), {
    ignoredResources: omitempty(1, list(string)),
    ignoredResourceGroups: omitempty(2, list(string)),
    scoringStrategy: optional(
      3,
      message(name('ScoringStrategy'), {
        type: defaulted(1, oneOf('LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'), 'LeastAllocated'),
        resources: omitempty(2, list(ResourceSpec)),
        requestedToCapacityRatio: optional(
          3,
          message(name('RequestedToCapacityRatioParam'), { shape: omitempty(1, list(UtilizationShapePoint)) }),
        ),
      }),
    ),
  }),
  PodTopologySpread: message(name('PodTopologySpreadArgs'), {
    defaultConstraints: omitempty(1, list(TopologySpreadConstraint)),
    defaultingType: defaulted(2, oneOf('System', 'List'), 'System'),
  }),
  VolumeBinding: message(name('VolumeBindingArgs'), {
    bindTimeoutSeconds: defaulted(1, int64, 600),
    shape: omitempty(2, list(UtilizationShapePoint)),
  }),
  DynamicResources: message(name('DynamicResourcesArgs'), {
    filterTimeout: defaulted(1, string, '10s'),
    bindingTimeout: defaulted(2, string, '600s'),
  }),
} as const

/** The arguments of each plugin that takes any. */
export type PluginArgs = { readonly [K in keyof typeof SCHEMAS]: StoredOf<(typeof SCHEMAS)[K]> }

/** The arguments of all plugins of a profile: those of its `pluginConfig`, the defaults for the others. */
export function pluginArgs(config: readonly { readonly name?: string | undefined; readonly args?: unknown }[], path: string): PluginArgs {
  const args = new Map<string, unknown>()
  config.forEach(({ name = '', args: own }, index) => {
    const at = `${path}[${index}]`
    if (!(name in SCHEMAS)) throw new SchedulerConfigurationError(`${at}.name`, `no plugin ${JSON.stringify(name)} takes arguments`)
    if (args.has(name)) throw new SchedulerConfigurationError(`${at}.name`, `${name} stands twice`)
    const { apiVersion: _version, kind, ...rest } = (own ?? {}) as Record<string, unknown>
    if (kind !== undefined && kind !== `${name}Args`) throw new SchedulerConfigurationError(`${at}.args.kind`, `kind must be ${name}Args`)
    args.set(name, read(name as keyof typeof SCHEMAS, rest, `${at}.args`))
  })
  return Object.fromEntries(
    (Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]).map(name => [name, args.get(name) ?? read(name, {}, path)]),
  ) as unknown as PluginArgs
}

function read(plugin: keyof typeof SCHEMAS, value: unknown, path: string): unknown {
  const unknown: string[] = []
  try {
    const args = decode(SCHEMAS[plugin] as (typeof SCHEMAS)['NodeAffinity'], value, { defaults: true, unknown })
    if (unknown.length > 0) throw new SchedulerConfigurationError(`${path}.${unknown[0]}`, 'unknown field')
    return args
  } catch (error) {
    throw error instanceof DecodeError ? new SchedulerConfigurationError(path, error.message) : error
  }
}
