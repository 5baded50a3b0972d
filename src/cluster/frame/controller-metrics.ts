import { CountSeries, DistributionSeries, exponentialBounds, GaugeSeries } from '#base/metrics/labelled-series.ts'
import type { Labels, Series } from '#base/metrics/series.ts'
import type { ControllerMetrics, GaugeMetric, WatchedQueue } from '#controllers/runtime/controller-metrics.ts'
import { queueNameOf } from './queue-names.ts'

/** What controllers do: their queues under the names that upstream's work queues count by, and what each of them declares. */
export function controllerMetrics(): { readonly counted: ControllerMetrics; readonly series: readonly Series[] } {
  const labels = ['name']
  const adds = new CountSeries('workqueue_adds_total', 'Total number of adds handled by workqueue', labels)
  const retries = new CountSeries('workqueue_retries_total', 'Total number of retries handled by workqueue', labels)
  const bounds = exponentialBounds(1e-8, 10, 10)
  const waits = new DistributionSeries(
    'workqueue_queue_duration_seconds',
    'How long in seconds an item stays in workqueue before being requested.',
    labels,
    bounds,
  )
  const works = new DistributionSeries(
    'workqueue_work_duration_seconds',
    'How long in seconds processing an item from workqueue takes.',
    labels,
    bounds,
  )
  const queues = new Map<string, (() => WatchedQueue)[]>()
  const ofQueues = (name: string, help: string, read: (all: readonly WatchedQueue[]) => number) =>
    new GaugeSeries(name, help, () => [...queues].map(([queue, all]): [Labels, number] => [{ name: queue }, read(all.map(one => one()))]))
  const ages = (all: readonly WatchedQueue[]) => all.flatMap(queue => [...queue.agesMs()])
  const declared = new Map<object, CountSeries | DistributionSeries>()
  const gauges = new Map<string, GaugeMetric>()
  const own: Series = { text: () => [...declared.values(), ...[...gauges.values()].map(asSeries)].map(one => one.text()).join('') }

  const counted: ControllerMetrics = {
    queue(controller, queue) {
      const name = queueNameOf(controller)
      const known = queues.get(name)
      if (known) known.push(queue)
      else queues.set(name, [queue])
      const [added, retried, waited, worked] = [adds.of(name), retries.of(name), waits.of(name), works.of(name)]
      return {
        added: () => added.add(),
        begun: waitedMs => waited.observe(waitedMs / 1000),
        ended: durationMs => worked.observe(durationMs / 1000),
        retried: () => retried.add(),
      }
    },
    count(metric, values = [], by = 1) {
      let series = declared.get(metric) as CountSeries | undefined
      if (!series) {
        series = new CountSeries(metric.name, metric.help, metric.labels)
        declared.set(metric, series)
      }
      series.of(values[0], values[1], values[2]).add(by)
    },
    observe(metric, values, value) {
      let series = declared.get(metric) as DistributionSeries | undefined
      if (!series) {
        series = new DistributionSeries(metric.name, metric.help, metric.labels, metric.bounds)
        declared.set(metric, series)
      }
      series.of(values[0], values[1], values[2]).observe(value)
    },
    gauge: metric => void gauges.set(metric.name, metric),
  }
  return {
    counted,
    series: [
      adds,
      ofQueues('workqueue_depth', 'Current depth of workqueue', all => all.reduce((sum, queue) => sum + queue.waiting(), 0)),
      waits,
      works,
      ofQueues(
        'workqueue_unfinished_work_seconds',
        'How many seconds of work has been done that is in progress and has not been observed by work_duration.',
        all => ages(all).reduce((sum, ms) => sum + ms, 0) / 1000,
      ),
      ofQueues(
        'workqueue_longest_running_processor_seconds',
        'How many seconds has the longest running processor for workqueue been running.',
        all => Math.max(0, ...ages(all)) / 1000,
      ),
      retries,
      own,
    ],
  }
}

const asSeries = ({ name, help, read }: GaugeMetric) => new GaugeSeries(name, help, read)
