import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { type WorkQueue, workQueue } from '#client/queue/work-queue.ts'
import { counter, histogram } from '#controllers/runtime/controller-metrics.ts'
import { controllerMetrics } from './controller-metrics.ts'

it('tells of queues and of what controllers declare, under the names of upstream', async () => {
  const clock = virtualClock()
  const { counted, series } = controllerMetrics()
  const ending: (() => void)[] = []
  let fails = true
  const queue: WorkQueue<string> = workQueue<string>({
    clock,
    concurrency: 1,
    async work() {
      await new Promise<void>(resolve => ending.push(resolve))
      if (fails) throw new Error('not yet')
      return undefined
    },
    metrics: counted.queue('some-controller', () => queue),
  })
  const text = () => series.map(one => one.text()).join('')
  queue.add('a')
  queue.add('b')
  await clock.advance(2_000)
  expect(text()).toContain('workqueue_depth{name="some-controller"} 1')
  expect(text()).toContain('workqueue_unfinished_work_seconds{name="some-controller"} 2')
  expect(text()).toContain('workqueue_longest_running_processor_seconds{name="some-controller"} 2')
  ending.shift()!()
  await clock.advance(1)
  fails = false
  for (const end of ending) end()
  await clock.advance(1_000)
  for (const end of ending) end()
  await clock.advance(1_000)
  counted.count(counter('things_total', 'Things.', ['kind']), ['odd'], 2)
  const seconds = histogram('thing_seconds', 'How long.', [], [1, 2])
  counted.observe(seconds, [], 1.5)
  counted.gauge({ name: 'things', help: 'Things there are.', read: () => [[{ kind: 'odd' }, 3]] })
  for (const line of [
    'workqueue_adds_total{name="some-controller"} 3',
    'workqueue_retries_total{name="some-controller"} 1',
    'workqueue_depth{name="some-controller"} 0',
    'workqueue_unfinished_work_seconds{name="some-controller"} 0',
    'workqueue_queue_duration_seconds_count{name="some-controller"} 3',
    'workqueue_queue_duration_seconds_bucket{name="some-controller",le="1e-08"} 2',
    'workqueue_work_duration_seconds_count{name="some-controller"} 3',
    'things_total{kind="odd"} 2',
    'thing_seconds_bucket{le="1"} 0',
    'thing_seconds_bucket{le="2"} 1',
    'thing_seconds_count 1',
    'things{kind="odd"} 3',
  ])
    expect(text()).toContain(line)
  await queue[Symbol.asyncDispose]()
  counted.queue('replicationcontroller-controller', () => queue)?.added()
  expect(text()).toContain('workqueue_adds_total{name="replicationmanager"} 1')
})
