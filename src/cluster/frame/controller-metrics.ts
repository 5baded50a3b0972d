import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ControllerMetrics } from '#controllers/runtime/controller.ts'

/** What controllers do, under the names that upstream's work queues count it by. */
export function controllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry]
  const labelNames = ['name']
  const depths = new Gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', labelNames, registers })
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
    labelNames,
    registers,
  })
  const durations = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labelNames,
    buckets: Array.from({ length: 10 }, (_, power) => 1e-8 * 10 ** power),
    registers,
  })
  return {
    reconciled(name, durationMs, error) {
      durations.observe({ name }, durationMs / 1000)
      if (error) retries.inc({ name })
    },
    depth: (name, keys) => depths.set({ name }, keys),
  }
}
