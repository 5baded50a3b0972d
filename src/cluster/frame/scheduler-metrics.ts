import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Scheduler } from '#scheduler/scheduler.ts'
import type { SchedulerMetrics } from '#scheduler/scheduler-metrics.ts'

/** The scheduler's metrics under upstream's names. `scheduler` is undefined while another process has the lead. */
export function schedulerMetrics(registry: Registry, scheduler: () => Scheduler | undefined): SchedulerMetrics {
  const registers = [registry]
  const attempts = new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
    labelNames: ['profile', 'result'],
    registers,
  })
  const durations = new Histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'How long an attempt took, with the binding.',
    labelNames: ['profile', 'result'],
    buckets: exponential(0.001, 15),
    registers,
  })
  const choosing = new Histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'How long it took to choose a node.',
    buckets: exponential(0.001, 15),
    registers,
  })
  const attemptsOfPods = new Histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Number of attempts that it took to schedule a pod.',
    buckets: exponential(1, 5),
    registers,
  })
  const waits = new Histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'How long it took until a pod was scheduled, from when it could first be tried.',
    labelNames: ['attempts'],
    buckets: exponential(0.01, 20),
    registers,
  })
  const preemptions = new Counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Number of times that pods to be evicted were looked for.',
    registers,
  })
  const victims = new Histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of pods chosen to be evicted for one.',
    buckets: exponential(1, 7),
    registers,
  })
  const incoming = new Counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Number of pods that came to a part of the queue, by what brought them there.',
    labelNames: ['queue', 'event'],
    registers,
  })
  new Gauge({
    name: 'scheduler_pending_pods',
    help: 'Number of pods that wait, by the part of the queue.',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const [queue, count] of Object.entries(scheduler()?.pending() ?? {})) this.set({ queue }, count)
    },
  })
  new Gauge({
    name: 'scheduler_unschedulable_pods',
    help: 'Number of pods that wait for an event, by each plugin that refused them.',
    labelNames: ['plugin', 'profile'],
    registers,
    collect() {
      this.reset()
      for (const { profile, plugins } of scheduler()?.refusals() ?? []) for (const plugin of plugins) this.inc({ plugin, profile })
    },
  })
  new Gauge({
    name: 'scheduler_cache_size',
    help: 'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.',
    labelNames: ['type'],
    registers,
    collect() {
      const { nodes = 0, pods = 0, assumedPods = 0 } = scheduler()?.cached() ?? {}
      this.set({ type: 'nodes' }, nodes)
      this.set({ type: 'pods' }, pods)
      this.set({ type: 'assumed_pods' }, assumedPods)
    },
  })
  return {
    attempted(result, profile, durationMs) {
      attempts.inc({ profile, result })
      durations.observe({ profile, result }, durationMs / 1000)
    },
    chose: durationMs => choosing.observe(durationMs / 1000),
    scheduled(count, waitedMs) {
      attemptsOfPods.observe(count)
      waits.observe({ attempts: count > 15 ? '16+' : String(count) }, waitedMs / 1000)
    },
    preempting: () => preemptions.inc(),
    preempted: count => victims.observe(count),
    queued: (queue, event) => incoming.inc({ queue, event }),
  }
}

/** `count` bounds, each twice the one before. */
const exponential = (first: number, count: number) => Array.from({ length: count }, (_, power) => first * 2 ** power)
