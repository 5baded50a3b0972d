import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Series } from '#base/metrics/series.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import { deprecatedRequests } from './deprecated-requests.ts'
import type { DocumentRoute } from './path-route.ts'
import { type RequestLabels, RequestStats } from './request-stats.ts'

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'

/** What the server counts, under upstream's names. */
export class ServerMetrics implements DocumentRoute {
  readonly #registry = new Registry()
  readonly #stats = new RequestStats()
  readonly #inflight: Gauge
  readonly #more: readonly Series[]
  readonly #others: Registry | undefined

  constructor(
    caches: () => Iterable<WatchCache>,
    inflight: () => { readonly reads: number; readonly writes: number },
    more: readonly Series[],
    kinds: KindRegistry,
    others?: Registry,
  ) {
    this.#more = [...more, deprecatedRequests(() => this.#stats.asked, kinds)]
    this.#others = others
    const registers = [this.#registry]
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
    this.#stats.add(labels, code, seconds)
  }

  async serve(...[context, path]: Parameters<DocumentRoute['serve']>): Promise<boolean> {
    if (path !== '/metrics' && path !== '/metrics/slis') return false
    this.#startProcessMetrics()
    const text =
      path === '/metrics'
        ? `${await this.#registry.metrics()}${(await this.#others?.metrics()) ?? ''}${this.#stats.text()}${this.#more.map(series => series.text()).join('')}`
        : ''
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

function resourceOf({ group, plural }: { readonly group: string; readonly plural: string }): string {
  return group === '' ? plural : `${plural}.${group}`
}
