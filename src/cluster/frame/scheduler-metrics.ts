import { CountSeries, DistributionSeries, exponentialBounds, GaugeSeries } from '#base/metrics/labelled-series.ts'
import type { Labels, Series } from '#base/metrics/series.ts'
import type { Scheduler } from '#scheduler/scheduler.ts'
import type { SchedulerMetrics } from '#scheduler/scheduler-metrics.ts'

/**
 * The scheduler's metrics under upstream's names (pkg/scheduler/metrics). `scheduler` is undefined while another process has the lead.
 *
 * What counts goroutines upstream counts here what they stand for: bindings and evictions under way.
 */
export function schedulerMetrics(scheduler: () => Scheduler | undefined): {
  readonly counted: SchedulerMetrics
  readonly series: readonly Series[]
} {
  const all: Series[] = []
  const add = <S extends Series>(series: S): S => {
    all.push(series)
    return series
  }
  const count = (name: string, help: string, labels: readonly string[] = []) => add(new CountSeries(`scheduler_${name}`, help, labels))
  const distribution = (name: string, help: string, labels: readonly string[], bounds: readonly number[]) =>
    add(new DistributionSeries(`scheduler_${name}`, help, labels, bounds))
  const gauge = (name: string, help: string, read: (of: Scheduler) => Iterable<readonly [Labels, number]>) =>
    add(
      new GaugeSeries(`scheduler_${name}`, help, () => {
        const running = scheduler()
        return running ? read(running) : []
      }),
    )
  const milliseconds = exponentialBounds(0.001, 2, 15)
  const plugins = exponentialBounds(0.00001, 1.5, 20)

  const attempts = count('schedule_attempts_total', 'Number of attempts to schedule pods, by the result.', ['result', 'profile'])
  const attemptTimes = distribution(
    'scheduling_attempt_duration_seconds',
    'How long an attempt took, with the binding.',
    ['result', 'profile'],
    milliseconds,
  )
  const choosing = distribution('scheduling_algorithm_duration_seconds', 'How long it took to choose a node.', [], milliseconds)
  const tries = distribution(
    'pod_scheduling_attempts',
    'Number of attempts that it took to schedule a pod.',
    [],
    exponentialBounds(1, 2, 5),
  )
  const waits = distribution(
    'pod_scheduling_sli_duration_seconds',
    'How long it took until a pod was scheduled, from when it could first be tried.',
    ['attempts'],
    exponentialBounds(0.01, 2, 20),
  )
  const flushed = count(
    'pod_scheduled_after_flush_total',
    'Number of pods scheduled after they were tried only because they had waited long.',
  )
  const points = distribution(
    'framework_extension_point_duration_seconds',
    'How long all plugins of an extension point took.',
    ['extension_point', 'status', 'profile'],
    exponentialBounds(0.0001, 2, 12),
  )
  const runs = distribution(
    'plugin_execution_duration_seconds',
    'How long a plugin took at an extension point, in one of ten attempts; on its first nodes where it is asked for each.',
    ['plugin', 'extension_point', 'status'],
    plugins,
  )
  const evaluations = count(
    'plugin_evaluation_total',
    'How often a plugin had a say, at each node where it is asked for nodes; what it said of the same node and pods alike is remembered and counts.',
    ['plugin', 'extension_point', 'profile'],
  )
  const permits = distribution('permit_wait_duration_seconds', 'How long pods waited for a permit.', ['result'], milliseconds)
  const handling = distribution(
    'event_handling_duration_seconds',
    'How long it took to take in what happened in the cluster.',
    ['event'],
    exponentialBounds(0.0001, 2, 12),
  )
  const hints = distribution(
    'queueing_hint_execution_duration_seconds',
    'How long a plugin took to say whether an event may help a pod, on one of ten events.',
    ['plugin', 'event', 'hint'],
    plugins,
  )
  const calls = count('async_api_call_execution_total', 'Number of requests to the API server that nobody waits for.', [
    'call_type',
    'result',
  ])
  const callTimes = distribution(
    'async_api_call_execution_duration_seconds',
    'How long such requests took.',
    ['call_type', 'result'],
    milliseconds,
  )
  gauge('pending_async_api_calls', 'Number of such requests under way.', running =>
    Object.entries(running.underWay().calls).map(([call_type, value]) => [{ call_type }, value]),
  )
  const preemptions = count('preemption_attempts_total', 'Number of times that pods to be evicted were looked for.')
  const victims = distribution('preemption_victims', 'Number of pods chosen to be evicted for one.', [], exponentialBounds(1, 2, 7))
  const evictions = count('preemption_goroutines_execution_total', 'Number of times that chosen pods were evicted.', ['result'])
  const evictionTimes = distribution(
    'preemption_goroutines_duration_seconds',
    'How long it took until those evictions were asked for.',
    ['result'],
    exponentialBounds(0.01, 2, 20),
  )
  const incoming = count('queue_incoming_pods_total', 'Number of pods that came to a part of the queue, by what brought them there.', [
    'queue',
    'event',
  ])
  const groupAttempts = count(
    'podgroup_schedule_attempts_total',
    "Number of attempts to schedule pod group, by the result. 'unschedulable' means a pod group could not be scheduled, while 'error' means an internal scheduler problem.",
    ['result', 'profile'],
  )
  const groupTimes = distribution(
    'podgroup_scheduling_attempt_duration_seconds',
    'Pod group scheduling attempt latency in seconds',
    ['result', 'profile'],
    milliseconds,
  )
  const groupChoosing = distribution(
    'podgroup_scheduling_algorithm_duration_seconds',
    'Pod group scheduling algorithm latency in seconds',
    [],
    milliseconds,
  )
  const volumeErrors = count('volume_scheduling_stage_error_total', 'Volume scheduling stage error count', ['operation'])
  gauge('pending_pods', 'Number of pods that wait, by the part of the queue.', running => {
    const { active, backoff, unschedulable, gated } = running.pending()
    return Object.entries({ active, backoff, unschedulable, gated }).map(([queue, value]) => [{ queue }, value])
  })
  gauge('unschedulable_pods', 'Number of pods that wait for an event, by each plugin that refused them.', refusalsByPlugin)
  gauge('inflight_events', 'Number of pods being tried: what happens meanwhile is noted with each of them.', running => [
    [{ event: 'PodPopped' }, running.underWay().attempts],
  ])
  gauge('goroutines', 'Number of things under way beside the choosing of nodes.', running => [
    [{ operation: 'binding' }, running.underWay().bindings],
  ])
  gauge('cache_size', 'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.', running => {
    const { nodes, pods, assumedPods } = running.cached()
    return Object.entries({ nodes, pods, assumed_pods: assumedPods }).map(([type, value]) => [{ type }, value])
  })

  const counted: SchedulerMetrics = {
    attempted(result, profile, durationMs) {
      attempts.of(result, profile).add()
      attemptTimes.of(result, profile).observe(durationMs / 1000)
    },
    chose: durationMs => choosing.of().observe(durationMs / 1000),
    scheduled(tried, waitedMs, wasFlushed) {
      tries.of().observe(tried)
      waits.of(tried > 15 ? '16+' : String(tried)).observe(waitedMs / 1000)
      if (wasFlushed) flushed.of().add()
    },
    ranPoint: (point, status, profile, durationMs) => points.of(point, status, profile).observe(durationMs / 1000),
    ranPlugin: (plugin, point, status, durationMs) => runs.of(plugin, point, status).observe(durationMs / 1000),
    evaluations: (plugin, point, profile) => evaluations.of(plugin, point, profile),
    permitted: (result, durationMs) => permits.of(result).observe(durationMs / 1000),
    handled: (event, durationMs) => handling.of(event).observe(durationMs / 1000),
    hinted: (plugin, event, hint, durationMs) => hints.of(plugin, event, hint).observe(durationMs / 1000),
    called(type, result, durationMs) {
      calls.of(type, result).add()
      callTimes.of(type, result).observe(durationMs / 1000)
    },
    preempting: () => preemptions.of().add(),
    preempted: chosen => victims.of().observe(chosen),
    evicted(result, durationMs) {
      evictions.of(result).add()
      evictionTimes.of(result).observe(durationMs / 1000)
    },
    triedGroup(result, profile, durationMs) {
      groupAttempts.of(result, profile).add()
      groupTimes.of(result, profile).observe(durationMs / 1000)
    },
    choseForGroup: durationMs => groupChoosing.of().observe(durationMs / 1000),
    volumesNotBound: () => volumeErrors.of('bind').add(),
    queued: (queue, event) => incoming.of(queue, event).add(),
  }
  return { counted, series: all }
}

function* refusalsByPlugin(running: Scheduler): Iterable<readonly [Labels, number]> {
  const counts = new Map<string, number>()
  for (const { profile, plugins } of running.refusals())
    for (const plugin of plugins) counts.set(`${plugin}/${profile}`, (counts.get(`${plugin}/${profile}`) ?? 0) + 1)
  for (const [key, value] of counts) {
    const at = key.indexOf('/')
    yield [{ plugin: key.slice(0, at), profile: key.slice(at + 1) }, value]
  }
}
