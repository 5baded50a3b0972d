import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { cluster, node, pod, requesting } from '#scheduler/scheduler.fixture.ts'
import type { Scheduler } from '#scheduler/scheduler.ts'
import { schedulerMetrics } from './scheduler-metrics.ts'

it('tells of attempts, waiting pods, evictions and of what moves pods, under the names of upstream', async () => {
  const registry = new Registry()
  let scheduler: Scheduler | undefined
  const metrics = schedulerMetrics(registry, () => scheduler)
  await using one = await cluster([node('n1', { cpu: '1' })], [pod('low', { ...requesting('1'), priority: 1 })], { options: { metrics } })
  scheduler = one.scheduler
  one.store(Pod, pod('large', { ...requesting('9'), priority: 2 }), 'ADDED')
  one.store(Pod, pod('high', { ...requesting('1'), priority: 9 }), 'ADDED')
  await one.clock.advance(1_000)
  expect(one.nodeOf('high')).toBe('n1')
  const text = await registry.metrics()
  for (const line of [
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 2',
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 2',
    'scheduler_scheduling_attempt_duration_seconds_count{profile="default-scheduler",result="scheduled"} 2',
    'scheduler_scheduling_algorithm_duration_seconds_count 4',
    'scheduler_pod_scheduling_attempts_bucket{le="1"} 1',
    'scheduler_pod_scheduling_attempts_count 2',
    'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="2"} 1',
    'scheduler_preemption_attempts_total 2',
    'scheduler_preemption_victims_sum 1',
    'scheduler_queue_incoming_pods_total{queue="active",event="UnschedulablePodAdd"} 3',
    'scheduler_queue_incoming_pods_total{queue="unschedulable",event="ScheduleAttemptFailure"} 2',
    'scheduler_pending_pods{queue="unschedulable"} 1',
    'scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"} 1',
    'scheduler_cache_size{type="nodes"} 1',
    'scheduler_cache_size{type="pods"} 1',
  ])
    expect(text).toContain(line)
})
