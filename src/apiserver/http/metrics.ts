import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import type { DocumentRoute } from './path-route.ts'

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'

/** What the server counts, under upstream's names. */
export class ServerMetrics implements DocumentRoute {
  readonly #registry = new Registry()
  readonly #requests: Counter
  readonly #durations: Histogram
  readonly #inflight: Gauge

  constructor(caches: () => Iterable<WatchCache>, inflight: () => { readonly reads: number; readonly writes: number }) {
    const registers = [this.#registry]
    this.#requests = new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, group, version, resource, scope and code.',
      labelNames: ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component', 'code'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Seconds that requests took, by verb, group, version, resource and scope.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'],
      buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
      registers,
    })
    this.#inflight = new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests under way.',
      labelNames: ['request_kind'],
      registers,
      collect() {
        const { reads, writes } = inflight()
        this.set({ request_kind: 'readOnly' }, reads)
        this.set({ request_kind: 'mutating' }, writes)
      },
    })
    new Gauge({
      name: 'apiserver_storage_objects',
      help: 'Stored objects by resource.',
      labelNames: ['resource'],
      registers,
      collect() {
        for (const { kind, size } of caches()) this.set({ resource: resourceOf(kind) }, size)
      },
    })
    new Gauge({
      name: 'apiserver_registered_watchers',
      help: 'Watches under way by kind.',
      labelNames: ['group', 'version', 'kind'],
      registers,
      collect() {
        for (const { kind, watcherCount } of caches()) {
          if (watcherCount > 0) this.set({ group: kind.group, version: kind.version, kind: kind.kind }, watcherCount)
        }
      },
    })
    new Gauge({
      name: 'kubernetes_build_info',
      help: 'The version of this program.',
      labelNames: ['major', 'minor', 'git_version'],
      registers,
    }).set({ major: '1', minor: '36', git_version: 'v1.36.2' }, 1)
  }

  /** Notes a request that was answered. */
  observe(labels: RequestLabels, code: number, seconds: number): void {
    const { verb, group, version, resource, subresource, scope } = labels
    const common = { verb, group, version, resource, subresource, scope, component: 'apiserver' }
    this.#requests.inc({ ...common, dry_run: '', code })
    this.#durations.observe(common, seconds)
  }

  async serve(...[context, path]: Parameters<DocumentRoute['serve']>): Promise<boolean> {
    if (path !== '/metrics' && path !== '/metrics/slis') return false
    this.#startProcessMetrics()
    const text = path === '/metrics' ? await this.#registry.metrics() : ''
    context.send(200, { bytes: new TextEncoder().encode(text), contentType: CONTENT_TYPE })
    return true
  }

  #hasProcessMetrics = false

  /** Memory and CPU are looked at only once somebody asks. */
  #startProcessMetrics(): void {
    if (this.#hasProcessMetrics) return
    this.#hasProcessMetrics = true
    collectDefaultMetrics({ register: this.#registry })
    void this.#inflight
  }
}

export interface RequestLabels {
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly scope: string
}

function resourceOf({ group, plural }: { readonly group: string; readonly plural: string }): string {
  return group === '' ? plural : `${plural}.${group}`
}
