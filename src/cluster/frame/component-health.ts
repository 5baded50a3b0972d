import { Counter, Gauge, Registry } from 'prom-client'
import { type HealthCheck, reportHealth } from '#apiserver/discovery/health.ts'
import type { PageAnswer } from './serve-plain.ts'

/** Whether a component works and whether it is ready, as `/healthz`, `/livez` and `/readyz` say it and `/metrics/slis` counts it. */
export class ComponentHealth {
  readonly #endpoints: Readonly<Record<string, readonly HealthCheck[]>>
  readonly #slis = new Registry()
  readonly #gauge = new Gauge({
    name: 'kubernetes_healthcheck',
    help: 'This metric records the result of a single healthcheck.',
    labelNames: ['name', 'type'],
    registers: [this.#slis],
  })
  readonly #total = new Counter({
    name: 'kubernetes_healthchecks_total',
    help: 'This metric records the results of all healthcheck.',
    labelNames: ['name', 'status', 'type'],
    registers: [this.#slis],
  })

  /** `checks` say whether it works; `ready` what must be besides before it is ready. */
  constructor(checks: readonly HealthCheck[], ready: readonly HealthCheck[] = []) {
    const alive = [{ name: 'ping', check: () => undefined }, ...checks]
    const named = { healthz: alive, livez: alive, readyz: [...alive, ...ready] }
    this.#endpoints = Object.fromEntries(
      Object.entries(named).map(([endpoint, all]) => [endpoint, all.map(check => this.#counted(endpoint, check))]),
    )
  }

  /** The answer to a path of health, `?verbose` and `?exclude=` included; undefined if it is none. */
  async answer(url: URL): Promise<PageAnswer | undefined> {
    const [endpoint = '', ...name] = url.pathname.slice(1).split('/')
    if (url.pathname === '/metrics/slis') return [200, await this.#slis.metrics()]
    const checks = this.#endpoints[endpoint]
    if (!checks) return undefined
    const single = checks.filter(check => check.name === name.join('/'))
    if (name.length > 0 && single.length === 0) return undefined
    const { isHealthy, text } = await reportHealth(endpoint, name.length > 0 ? single : checks, {
      isVerbose: name.length === 0 && url.searchParams.has('verbose'),
      excluded: new Set(url.searchParams.getAll('exclude')),
    })
    return [isHealthy ? 200 : 500, text]
  }

  #counted(type: string, { name, check }: HealthCheck): HealthCheck {
    return {
      name,
      check: async () => {
        const wrong = await check()
        this.#gauge.set({ name, type }, wrong === undefined ? 1 : 0)
        this.#total.inc({ name, status: wrong === undefined ? 'success' : 'error', type })
        return wrong
      },
    }
  }
}
