import { labelsText } from '#base/metrics/series.ts'

/** Upper bounds in seconds, as upstream's. */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

export interface RequestLabels {
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly scope: string
}

interface Entry {
  readonly labels: RequestLabels
  readonly byCode: Map<number, number>
  readonly buckets: Uint32Array
  sum: number
  count: number
}

/**
 * Counts and durations of requests by what they asked for. Hot: bench/apiserver — noted for every request, so it is a look-up and three
 * additions; the text is made when somebody asks.
 */
export class RequestStats {
  readonly #entries = new Map<string, Entry>()

  add(labels: RequestLabels, code: number, seconds: number): void {
    const { verb, group, version, resource, subresource, scope } = labels
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope}`
    let entry = this.#entries.get(key)
    if (!entry) {
      entry = { labels, byCode: new Map(), buckets: new Uint32Array(BUCKETS.length), sum: 0, count: 0 }
      this.#entries.set(key, entry)
    }
    entry.byCode.set(code, (entry.byCode.get(code) ?? 0) + 1)
    entry.sum += seconds
    entry.count++
    let bucket = 0
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]!) bucket++
    if (bucket < BUCKETS.length) entry.buckets[bucket]!++
  }

  /** What has been asked for. */
  get asked(): Iterable<RequestLabels> {
    return Array.from(this.#entries.values(), ({ labels }) => labels)
  }

  /** Two metrics in the text format. */
  text(): string {
    const lines = [
      '# HELP apiserver_request_total Requests by verb, group, version, resource, scope and code.',
      '# TYPE apiserver_request_total counter',
    ]
    for (const { labels, byCode } of this.#entries.values()) {
      for (const [code, count] of byCode) {
        lines.push(
          `apiserver_request_total{${labelsText({ code: String(code), component: 'apiserver', dry_run: '', ...labels })}} ${count}`,
        )
      }
    }
    const name = 'apiserver_request_duration_seconds'
    lines.push(`# HELP ${name} Seconds that requests took.`, `# TYPE ${name} histogram`)
    for (const { labels, buckets, sum, count } of this.#entries.values()) {
      const common = labelsText({ component: 'apiserver', dry_run: '', ...labels })
      let upTo = 0
      BUCKETS.forEach((bound, index) => {
        upTo += buckets[index]!
        lines.push(`${name}_bucket{${common},le="${bound}"} ${upTo}`)
      })
      lines.push(`${name}_bucket{${common},le="+Inf"} ${count}`, `${name}_sum{${common}} ${sum}`, `${name}_count{${common}} ${count}`)
    }
    return `${lines.join('\n')}\n`
  }
}
