import { CounterSeries, HistogramSeries, type Series } from '#base/metrics/series.ts'

export interface WebhookCall {
  readonly name: string
  readonly type: 'admit' | 'validating'
  readonly operation: string
  readonly rejected: boolean
  readonly code: number
}

const SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25]

/** What is counted of admission webhooks, under upstream's names. */
export class WebhookMetrics implements Series {
  readonly #durations = new HistogramSeries(
    'apiserver_admission_webhook_admission_duration_seconds',
    'Seconds that admission webhooks took.',
    SECONDS,
  )
  readonly #requests = new CounterSeries('apiserver_admission_webhook_request_total', 'Requests to admission webhooks.')
  readonly #rejections = new CounterSeries(
    'apiserver_admission_webhook_rejection_count',
    'Requests that webhooks are why they were refused.',
  )
  readonly #failOpen = new CounterSeries(
    'apiserver_admission_webhook_fail_open_count',
    'Webhooks that could not be asked and were passed over.',
  )
  readonly #excluded = new CounterSeries(
    'apiserver_admission_match_condition_exclusions_total',
    'Requests that match conditions kept from webhooks.',
  )

  observe({ name, type, operation, rejected, code }: WebhookCall, seconds: number): void {
    this.#durations.observe({ name, type, operation, rejected: String(rejected) }, seconds)
    // Codes of webhooks' own making would be series without end.
    const known = code >= 100 && code <= 600 ? code : 600
    this.#requests.add({ name, type, operation, code: String(known), rejected: String(rejected) })
  }

  countRejection(labels: Record<'name' | 'type' | 'operation' | 'error_type' | 'rejection_code', string>): void {
    this.#rejections.add(labels)
  }

  countFailOpen(labels: Record<'name' | 'type', string>): void {
    this.#failOpen.add(labels)
  }

  countExclusion(labels: Record<'name' | 'kind' | 'type' | 'operation', string>): void {
    this.#excluded.add(labels)
  }

  text(): string {
    return [this.#durations, this.#requests, this.#rejections, this.#failOpen, this.#excluded].map(series => series.text()).join('')
  }
}
