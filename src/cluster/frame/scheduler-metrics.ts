import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Scheduler, SchedulerMetrics } from '#scheduler/scheduler.ts'

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
    help: 'How long it took to choose a node.',
    labelNames: ['profile', 'result'],
    buckets: Array.from({ length: 15 }, (_, power) => 0.0001 * 2 ** power),
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
  return {
    attempted(result, profile, durationMs) {
      attempts.inc({ profile, result })
      durations.observe({ profile, result }, durationMs / 1000)
    },
  }
}
