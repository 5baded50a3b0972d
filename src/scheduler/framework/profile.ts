import type { SchedulerPlugin } from './plugin.ts'

/** The extension points at which a profile can choose plugins; what belongs together is chosen together. */
export const EXTENSION_POINTS = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
  'placementGenerate',
  'placementScore',
] as const
export type ExtensionPoint = (typeof EXTENSION_POINTS)[number]

/** The method of a plugin that an extension point asks, where it has another name. */
export const METHODS = { queueSort: 'compare' } as const
type MethodOf<P extends ExtensionPoint> = P extends keyof typeof METHODS ? (typeof METHODS)[P] : P

/** A plugin that has the method of an extension point. */
export type PluginWith<P extends ExtensionPoint> = SchedulerPlugin & {
  readonly [M in MethodOf<P> & keyof SchedulerPlugin]-?: NonNullable<SchedulerPlugin[M]>
}

/** A named set of plugins (`profiles` of a KubeSchedulerConfiguration): pods choose one by `spec.schedulerName`. */
export interface Profile {
  readonly schedulerName: string
  /** Every plugin that any extension point asks. */
  readonly plugins: readonly SchedulerPlugin[]
  /** In the order in which each extension point asks them. */
  readonly points: { readonly [P in ExtensionPoint]: readonly PluginWith<P>[] }
  /** How much a plugin's score counts; 1 if not named. */
  readonly weights: Readonly<Record<string, number>>
  /** How many of the nodes are looked at before scoring, in percent; 0: by the size of the cluster. */
  readonly percentageOfNodesToScore: number
}

/** Which plugins each extension point asks, by name. */
export type PluginNames = { readonly [P in ExtensionPoint]: readonly string[] }

/** A profile of `plugins`; each extension point asks those that `names` has for it, as far as they have its method. */
export function profileOf(
  settings: Pick<Profile, 'schedulerName' | 'weights' | 'percentageOfNodesToScore'>,
  plugins: ReadonlyMap<string, SchedulerPlugin>,
  names: PluginNames,
): Profile {
  const points = Object.fromEntries(
    EXTENSION_POINTS.map(point => {
      const method = point === 'queueSort' ? METHODS.queueSort : point
      return [point, names[point].flatMap(name => (plugins.get(name)?.[method] ? [plugins.get(name)!] : []))]
    }),
  ) as unknown as Profile['points']
  const used = new Set(Object.values(points).flat() as SchedulerPlugin[])
  return { ...settings, plugins: [...plugins.values()].filter(plugin => used.has(plugin)), points }
}
