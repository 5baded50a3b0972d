import { CountSeries, DistributionSeries } from '#base/metrics/labelled-series.ts'
import type { Series } from '#base/metrics/series.ts'
import type { ObservedRequest } from '#client/http/http-client.ts'

const BOUNDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

/** What a program asks of its API servers, under the names that upstream's client library counts it by. */
export function clientMetrics(): { readonly observe: (request: ObservedRequest) => void; readonly series: readonly Series[] } {
  const requests = new CountSeries('rest_client_requests_total', 'Number of HTTP requests, partitioned by status code, method, and host.', [
    'code',
    'method',
    'host',
  ])
  const retries = new CountSeries(
    'rest_client_request_retries_total',
    'Number of request retries, partitioned by status code, verb, and host.',
    ['code', 'verb', 'host'],
  )
  const durations = new DistributionSeries(
    'rest_client_request_duration_seconds',
    'Request latency in seconds. Broken down by verb, and host.',
    ['verb', 'host'],
    BOUNDS,
  )
  const held = new DistributionSeries(
    'rest_client_rate_limiter_duration_seconds',
    'Client side rate limiter latency in seconds. Broken down by verb, and host.',
    ['verb', 'host'],
    BOUNDS,
  )
  return {
    observe({ method, host, code, durationMs, heldMs, isRetry }) {
      requests.of(code, method, host).add()
      durations.of(method, host).observe(durationMs / 1000)
      if (isRetry) retries.of(code, method, host).add()
      else held.of(method, host).observe(heldMs / 1000)
    },
    series: [requests, retries, durations, held],
  }
}
