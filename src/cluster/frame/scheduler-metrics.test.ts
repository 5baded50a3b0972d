import { expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { cluster, node, pod, requesting, stored } from '#scheduler/scheduler.fixture.ts'
import type { Scheduler } from '#scheduler/scheduler.ts'
import { podResourceMetrics } from './pod-resource-metrics.ts'
import { schedulerMetrics } from './scheduler-metrics.ts'

it('tells of attempts, waiting pods, evictions and of what moves pods, under the names of upstream', async () => {
  let scheduler: Scheduler | undefined
  const { counted: metrics, series } = schedulerMetrics(() => scheduler)
  await using one = await cluster([node('n1', { cpu: '1' })], [pod('low', { ...requesting('1'), priority: 1 })], { options: { metrics } })
  scheduler = one.scheduler
  one.store(Pod, pod('large', { ...requesting('9'), priority: 2 }), 'ADDED')
  one.store(Pod, pod('high', { ...requesting('1'), priority: 9 }), 'ADDED')
  await one.clock.advance(1_000)
  expect(one.nodeOf('high')).toBe('n1')
  const text = series.map(one => one.text()).join('')
  for (const line of [
    'scheduler_schedule_attempts_total{result="scheduled",profile="default-scheduler"} 2',
    'scheduler_schedule_attempts_total{result="unschedulable",profile="default-scheduler"} 2',
    'scheduler_scheduling_attempt_duration_seconds_count{result="scheduled",profile="default-scheduler"} 2',
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
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="PreEnqueue",status="Success",profile="default-scheduler"} 4',
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="PreFilter",status="Success",profile="default-scheduler"} 4',
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="Filter",status="Success",profile="default-scheduler"} 4',
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="PostFilter",status="Success",profile="default-scheduler"} 1',
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="PostFilter",status="Unschedulable",profile="default-scheduler"} 1',
    'scheduler_framework_extension_point_duration_seconds_count{extension_point="Bind",status="Success",profile="default-scheduler"} 2',
    'scheduler_plugin_evaluation_total{plugin="NodeResourcesFit",extension_point="Filter",profile="default-scheduler"} 4',
    'scheduler_plugin_execution_duration_seconds_count{plugin="NodeResourcesFit",extension_point="Filter",status="Success"} 1',
    'scheduler_plugin_execution_duration_seconds_count{plugin="DefaultBinder",extension_point="Bind",status="Success"} 1',
    'scheduler_plugin_execution_duration_seconds_bucket{plugin="DefaultBinder",extension_point="Bind",status="Success",le="1.5000000000000002e-05"} 1',
    'scheduler_event_handling_duration_seconds_count{event="NodeAdd"} 1',
    'scheduler_event_handling_duration_seconds_count{event="AssignedPodAdd"} 2',
    'scheduler_event_handling_duration_seconds_count{event="AssignedPodDelete"} 1',
    'scheduler_async_api_call_execution_total{call_type="pod_binding",result="success"} 2',
    'scheduler_pending_async_api_calls{call_type="pod_binding"} 0',
    'scheduler_preemption_goroutines_execution_total{result="success"} 1',
    'scheduler_inflight_events{event="PodPopped"} 0',
    'scheduler_goroutines{operation="binding"} 0',
  ])
    expect(text).toContain(line)
})

it('tells what came of groups of pods', async () => {
  const { counted: metrics, series } = schedulerMetrics(() => undefined)
  const featureGates = { GenericWorkload: true, GangScheduling: true }
  const spec = { schedulingPolicy: { gang: { minCount: 2 } } }
  const member = (name: string) => pod(name, { ...requesting('1'), schedulingGroup: { podGroupName: 'g' } })
  await using one = await cluster([node('n1', { cpu: '1' })], [member('p'), member('q')], {
    objects: [[PodGroup, { metadata: { name: 'g', namespace: 'a' }, spec }]],
    options: { metrics, featureGates },
  })
  one.store(Node, node('n2'), 'ADDED')
  await one.clock.advance(20_000)
  const text = series.map(one => one.text()).join('')
  for (const result of ['unschedulable', 'scheduled']) {
    expect(text).toContain(`scheduler_podgroup_schedule_attempts_total{result="${result}",profile="default-scheduler"} 1\n`)
    expect(text).toContain(
      `scheduler_podgroup_scheduling_attempt_duration_seconds_count{result="${result}",profile="default-scheduler"} 1\n`,
    )
  }
  expect(text).toContain('scheduler_podgroup_scheduling_algorithm_duration_seconds_count 2\n')
})

it('shows what pods ask for that have not ended', () => {
  const container = { name: 'c', image: 'i:1', resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '128Mi' } } }
  const pods = [
    { ...pod('runs', { nodeName: 'n1', priority: 5, containers: [container] }), status: { phase: 'Running' } },
    // A sidecar and what starts before count as they do for scheduling; who is limited in part is shown in part; zero is not shown.
    {
      ...pod('more', {
        overhead: { cpu: '10m', memory: '1Mi' },
        initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always', resources: { limits: { 'hugepages-2Mi': '4Mi', cpu: '0' } } }],
        containers: [
          container,
          { name: 'free', image: 'i', resources: { limits: { 'example.com/gpu': '2', 'ephemeral-storage': '1Gi' } } },
        ],
      }),
      status: { phase: 'Pending' },
    },
    { ...pod('ended', { nodeName: 'n1', containers: [container] }), status: { phase: 'Succeeded' } },
  ].map(one => stored<Pod>(Pod, one))
  const text = podResourceMetrics(() => pods)
    .map(one => one.text())
    .join('')
  const runs = 'namespace="a",pod="runs",node="n1",scheduler="default-scheduler",priority="5"'
  const more = 'namespace="a",pod="more",node="",scheduler="default-scheduler",priority=""'
  expect(
    text
      .split('\n')
      .filter(line => line.startsWith('kube_pod'))
      .sort(),
  ).toEqual(
    [
      `kube_pod_resource_request{${runs},resource="cpu",unit="cores"} 0.25`,
      `kube_pod_resource_request{${runs},resource="memory",unit="bytes"} 67108864`,
      `kube_pod_resource_limit{${runs},resource="memory",unit="bytes"} 134217728`,
      `kube_pod_resource_request{${more},resource="cpu",unit="cores"} 0.26`,
      `kube_pod_resource_request{${more},resource="memory",unit="bytes"} 68157440`,
      `kube_pod_resource_limit{${more},resource="memory",unit="bytes"} 135266304`,
      `kube_pod_resource_limit{${more},resource="ephemeral-storage",unit="bytes"} 1073741824`,
      `kube_pod_resource_limit{${more},resource="example.com/gpu",unit=""} 2`,
      `kube_pod_resource_limit{${more},resource="hugepages-2Mi",unit="bytes"} 4194304`,
    ].sort(),
  )
})
