import type { Clock } from '#base/time/clock.ts'
import type { PointName, SchedulerMetrics, StatusName } from '../scheduler-metrics.ts'
import type { PreFilterResult, Refusal, SchedulerPlugin } from './plugin.ts'
import { statusOf } from './point-timer.ts'
import type { Profile } from './profile.ts'

/** Plugins are timed in one attempt of so many (upstream: in 10 % of them, by chance). */
const EVERY = 10
/** On so many nodes of an attempt each filter and each score is timed: thousands of looks at the clock would be what is measured. */
const NODES = 8

/** A profile whose plugins are timed now and then. */
export interface MeasuredProfile {
  /** For the next attempt: the profile itself, or one that does the same and takes the time. */
  next(): Profile
}

export function measuredProfile(profile: Profile, clock: Clock, metrics: SchedulerMetrics): MeasuredProfile {
  const budgets: { left: number }[] = []
  const timed = timedProfile(profile, clock, metrics, budgets)
  let attempts = 0
  return {
    next() {
      if (attempts++ % EVERY !== 0) return profile
      for (const budget of budgets) budget.left = NODES
      return timed
    },
  }
}

/** What a plugin's method is called in metrics, and what came of it. */
const METHODS: readonly {
  readonly method: keyof SchedulerPlugin
  readonly point: PointName
  readonly perNode?: boolean
  readonly status?: (result: never) => StatusName
}[] = [
  { method: 'preFilter', point: 'PreFilter', status: (result?: PreFilterResult) => (result?.skip ? 'Skip' : statusOf(result?.refusal)) },
  { method: 'filter', point: 'Filter', perNode: true, status: (refusal?: Refusal) => statusOf(refusal) },
  {
    method: 'postFilter',
    point: 'PostFilter',
    status: (result?: object) => (result && 'nominatedNodeName' in result ? 'Success' : 'Unschedulable'),
  },
  { method: 'preScore', point: 'PreScore', status: (isAsked: boolean) => (isAsked ? 'Success' : 'Skip') },
  { method: 'score', point: 'Score', perNode: true },
  { method: 'normalize', point: 'ScoreExtensionNormalize' },
  { method: 'reserve', point: 'Reserve', status: (refusal?: Refusal) => statusOf(refusal) },
  { method: 'unreserve', point: 'Unreserve' },
  { method: 'permit', point: 'Permit' },
  { method: 'preBind', point: 'PreBind' },
  { method: 'bind', point: 'Bind' },
  { method: 'postBind', point: 'PostBind' },
]

function timedProfile(profile: Profile, clock: Clock, metrics: SchedulerMetrics, budgets: { left: number }[]): Profile {
  const timed = new Map(profile.plugins.map(plugin => [plugin, timedPlugin(plugin, clock, metrics, budgets)]))
  const points = Object.fromEntries(
    Object.entries(profile.points).map(([point, plugins]) => [point, plugins.map(plugin => timed.get(plugin)!)]),
  )
  return { ...profile, plugins: [...timed.values()], points: points as unknown as Profile['points'] }
}

function timedPlugin(plugin: SchedulerPlugin, clock: Clock, metrics: SchedulerMetrics, budgets: { left: number }[]): SchedulerPlugin {
  const timed = Object.create(plugin) as Record<string, unknown>
  for (const { method, point, perNode, status = () => 'Success' as const } of METHODS) {
    const asked = plugin[method] as ((...args: unknown[]) => unknown) | undefined
    if (!asked) continue
    const budget = { left: Number.POSITIVE_INFINITY }
    if (perNode) budgets.push(budget)
    timed[method] = (...args: unknown[]) => {
      if (budget.left <= 0) return asked.apply(plugin, args)
      budget.left--
      const since = clock.monotonic()
      const over = (came: StatusName) => metrics.ranPlugin(plugin.name, point, came, clock.monotonic() - since)
      const result = asked.apply(plugin, args)
      if (result instanceof Promise) {
        result.then(
          () => over('Success'),
          () => over('Error'),
        )
      } else over(status(result as never))
      return result
    }
  }
  return timed as unknown as SchedulerPlugin
}
