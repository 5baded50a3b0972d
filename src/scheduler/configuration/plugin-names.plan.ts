import { type FeatureGates, isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import { EXTENSION_POINTS, type ExtensionPoint, type PluginNames } from '../framework/profile.ts'
import type { PluginSet, Plugins } from './scheduler-configuration.ts'
import { SchedulerConfigurationError } from './scheduler-configuration-error.ts'

interface DefaultPlugin {
  readonly name: string
  readonly weight?: number
  /** Only with this feature gate on. */
  readonly gate?: string
}

/** The default plugins in upstream's order (cheap filters that refuse many nodes come first), with the weights of their scores. */
export const DEFAULT_PLUGINS: readonly DefaultPlugin[] = [
  { name: 'SchedulingGates' },
  { name: 'PrioritySort' },
  { name: 'NodeUnschedulable' },
  { name: 'NodeName' },
  { name: 'TaintToleration', weight: 3 },
  { name: 'NodeAffinity', weight: 2 },
  { name: 'NodePorts' },
  { name: 'NodeResourcesFit', weight: 1 },
  { name: 'VolumeRestrictions' },
  { name: 'NodeVolumeLimits' },
  { name: 'VolumeBinding' },
  { name: 'VolumeZone' },
  { name: 'PodTopologySpread', weight: 2 },
  { name: 'InterPodAffinity', weight: 2 },
  { name: 'DynamicResources', weight: 2 },
  { name: 'DefaultPreemption' },
  { name: 'NodeResourcesBalancedAllocation', weight: 1 },
  { name: 'ImageLocality', weight: 1 },
  { name: 'DefaultBinder' },
  { name: 'NodeDeclaredFeatures', gate: 'NodeDeclaredFeatures' },
  { name: 'GangScheduling', gate: 'GangScheduling' },
  { name: 'TopologyPlacementGenerator', gate: 'TopologyAwareWorkloadScheduling' },
  { name: 'PodGroupPodsCount', weight: 1, gate: 'TopologyAwareWorkloadScheduling' },
]

/** Which plugins each extension point asks, and what their scores count. */
export interface PluginPlan {
  readonly names: PluginNames
  readonly weights: Readonly<Record<string, number>>
}

/**
 * What `plugins` of a profile come to, over the default ones. For each point: first those that it enables although `multiPoint` has them (in
 * its own order), then those of `multiPoint` that it does not disable, then the others it enables.
 *
 * `has` tells whether a plugin exists and has an extension point.
 */
export function planPlugins(
  plugins: Plugins | undefined,
  has: (name: string, point: ExtensionPoint) => boolean | undefined,
  path: string,
  gates: FeatureGates = {},
): PluginPlan {
  const multi = merged(plugins?.multiPoint, gates)
  const weights: Record<string, number> = {}
  for (const { name, weight } of multi) if (weight) weights[name] = weight
  const names = Object.fromEntries(
    EXTENSION_POINTS.map(point => {
      const set = plugins?.[point]
      const at = `${path}.${point}`
      const own = (set?.enabled ?? []).map(({ name = '', weight }) => {
        const known = has(name, point)
        if (known === undefined) throw new SchedulerConfigurationError(at, `there is no plugin ${JSON.stringify(name)}`)
        if (!known) throw new SchedulerConfigurationError(at, `the plugin ${name} has nothing to say at ${point}`)
        if (weight && point === 'score') weights[name] = weight
        return name
      })
      if (new Set(own).size < own.length) throw new SchedulerConfigurationError(at, 'a plugin is enabled twice')
      const disabled = new Set((set?.disabled ?? []).map(({ name }) => name))
      const inherited = multi.map(({ name }) => name).filter(name => has(name, point))
      const kept = disabled.has('*') ? [] : inherited.filter(name => !disabled.has(name) && !own.includes(name))
      return [point, [...own.filter(name => inherited.includes(name)), ...kept, ...own.filter(name => !inherited.includes(name))]]
    }),
  ) as unknown as PluginNames
  for (const { name } of multi)
    if (has(name, 'filter') === undefined) throw new SchedulerConfigurationError(path, `there is no plugin ${JSON.stringify(name)}`)
  if (names.queueSort.length !== 1) throw new SchedulerConfigurationError(`${path}.queueSort`, 'one plugin has to sort the queue')
  if (names.bind.length === 0) throw new SchedulerConfigurationError(`${path}.bind`, 'at least one plugin has to bind')
  return { names, weights }
}

/** The default plugins that are left, each with what the profile says of it, then those it adds. */
function merged(
  set: PluginSet | undefined,
  gates: FeatureGates,
): readonly { readonly name: string; readonly weight?: number | undefined }[] {
  const disabled = new Set((set?.disabled ?? []).map(({ name }) => name))
  const own = new Map((set?.enabled ?? []).map(({ name = '', weight }) => [name, { name, weight }] as const))
  const isOn = ({ gate }: DefaultPlugin) => gate === undefined || isGateOn(gate, gates)
  const kept = DEFAULT_PLUGINS.filter(plugin => isOn(plugin) && !disabled.has('*') && !disabled.has(plugin.name))
  const replaced = kept.map(plugin => {
    const mine = own.get(plugin.name)
    return mine ? { name: plugin.name, weight: mine.weight || plugin.weight } : plugin
  })
  const present = new Set(kept.map(({ name }) => name))
  return [...replaced, ...[...own.values()].filter(({ name }) => !present.has(name))]
}
