import type { QueueMetrics } from '#client/queue/work-queue.ts'

/** A metric that a controller keeps, declared beside it. Labels are given by position, up to three. */
export interface CounterMetric {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

export interface HistogramMetric extends CounterMetric {
  /** Upper ones, ascending. */
  readonly bounds: readonly number[]
}

/** What is looked up when somebody asks. */
export interface GaugeMetric {
  readonly name: string
  readonly help: string
  read(): Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>
}

/** A queue as metrics look at it. */
export interface WatchedQueue {
  /** How many keys wait. */
  waiting(): number
  /** For how long the keys that are being worked on have been so, in milliseconds. */
  agesMs(): Iterable<number>
}

/** Where controllers count what they do. */
export interface ControllerMetrics {
  /** Where the queue of that name counts. */
  queue(name: string, queue: () => WatchedQueue): QueueMetrics | undefined
  count(metric: CounterMetric, labels?: readonly string[], by?: number): void
  observe(metric: HistogramMetric, labels: readonly string[], value: number): void
  gauge(metric: GaugeMetric): void
}

export const noMetrics: ControllerMetrics = { queue: () => undefined, count() {}, observe() {}, gauge() {} }

export function counter(name: string, help: string, labels: readonly string[] = []): CounterMetric {
  return { name, help, labels }
}

export function histogram(name: string, help: string, labels: readonly string[], bounds: readonly number[]): HistogramMetric {
  return { name, help, labels, bounds }
}
