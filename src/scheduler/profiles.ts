import { pluginArgs } from './configuration/plugin-args.ts'
import { planPlugins } from './configuration/plugin-names.plan.ts'
import type { KubeSchedulerConfiguration } from './configuration/scheduler-configuration.ts'
import { SchedulerConfigurationError } from './configuration/scheduler-configuration-error.ts'
import { allPlugins, type PluginContext } from './default-plugins.ts'
import { METHODS, type Profile, profileOf } from './framework/profile.ts'

/** What of a KubeSchedulerConfiguration profiles are made from. */
export type ProfileSettings = Partial<Pick<KubeSchedulerConfiguration, 'profiles' | 'percentageOfNodesToScore'>>

/** The profiles of a configuration by their names; without any, the default one. Throws a {@link SchedulerConfigurationError}. */
export function profilesOf(settings: ProfileSettings, context: Omit<PluginContext, 'profile'>): ReadonlyMap<string, Profile> {
  const all = new Map<string, Profile>()
  const declared = settings.profiles?.length ? settings.profiles : [{ schedulerName: 'default-scheduler' }]
  declared.forEach((declaration, index) => {
    const path = `profiles[${index}]`
    const schedulerName = declaration.schedulerName ?? (declared.length === 1 ? 'default-scheduler' : '')
    if (schedulerName === '')
      throw new SchedulerConfigurationError(`${path}.schedulerName`, 'a name is needed: pods choose the profile by it')
    if (all.has(schedulerName)) throw new SchedulerConfigurationError(`${path}.schedulerName`, `${schedulerName} stands twice`)
    const percentage = declaration.percentageOfNodesToScore ?? settings.percentageOfNodesToScore ?? 0
    if (percentage < 0 || percentage > 100)
      throw new SchedulerConfigurationError(`${path}.percentageOfNodesToScore`, 'it must be from 0 to 100')
    const args = pluginArgs(declaration.pluginConfig ?? [], `${path}.pluginConfig`)
    const plugins = allPlugins({ ...context, profile: () => profile }, args)
    const { names, weights } = planPlugins(
      declaration.plugins,
      (name, point) => plugins.get(name) && plugins.get(name)![point === 'queueSort' ? METHODS.queueSort : point] !== undefined,
      `${path}.plugins`,
      context.featureGates,
    )
    const profile: Profile = profileOf({ schedulerName, weights, percentageOfNodesToScore: percentage }, plugins, names)
    all.set(schedulerName, profile)
  })
  const sorters = new Set([...all.values()].map(profile => profile.points.queueSort[0]!.name))
  if (sorters.size > 1) throw new SchedulerConfigurationError('profiles', 'all profiles have to sort the queue alike: they share it')
  return all
}
