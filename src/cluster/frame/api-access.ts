import type { Logger } from '#base/log/logger.ts'
import type { Series } from '#base/metrics/series.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { ServerList } from '#client/balancer/server-list.ts'
import type { TlsOptions } from '#client/http/connection.ts'
import { type HttpClient, type HttpClientOptions, httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { KubeconfigError } from '#client/kubeconfig/kubeconfig.ts'
import { accountToken } from '#controllers/service-accounts.ts'
import { SetupError } from '../setup-error.ts'
import { clientMetrics } from './client-metrics.ts'

/** Which API server a program speaks with, and how fast. */
export interface ApiAccessSettings {
  /** Path of a kubeconfig; '' for none. */
  readonly kubeconfig: string
  /** One or several servers between commas, in the place of those in the kubeconfig. */
  readonly master?: string
  /** Requests per second; negative: any number. */
  readonly qps: number
  readonly burst: number
}

/** What a program speaks with its API servers by. */
export interface ApiAccess extends Disposable {
  /** What it asks of them. */
  readonly series: readonly Series[]
  /** Acts as the kubeconfig's user. */
  readonly client: HttpClient
  /** A client of its own that acts as a service account of `kube-system`; ended with the rest. */
  clientOfAccount(account: string, purpose: string): HttpClient
}

interface World {
  /** The program's name. */
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Clients by a program's `--kubeconfig`, `--master`, `--kube-api-qps` and `--kube-api-burst`. They all change over when the server in use fails, if others are named. */
export function apiAccess(settings: ApiAccessSettings, { name, clock, random, log }: World): ApiAccess {
  const { qps, burst } = settings
  const { options, seeds } = connectionOf(settings, name, clock)
  const servers = seeds.length > 1 ? new ServerList({ seeds, clock, random, log }) : undefined
  const { observe, series } = clientMetrics()
  const common = { ...options, observe, server: seeds[0]!, servers, ...(qps > 0 ? { limit: { qps, burst: Math.max(1, burst) } } : {}) }
  const client = httpClient({ ...common, userAgent: `${name}/typernetes` })
  const accounts: HttpClient[] = []
  return {
    client,
    series,
    clientOfAccount(account, purpose) {
      const { server, limit } = common
      const own = httpClient({
        ...{ server, servers, clock, observe, ...(limit ? { limit } : {}) },
        tls: () => trustIn(options.tls),
        token: accountToken(client, clock, account),
        userAgent: `${name}/${purpose}`,
      })
      accounts.push(own)
      return own
    },
    [Symbol.dispose]() {
      for (const account of accounts) account[Symbol.dispose]()
      client[Symbol.dispose]()
    },
  }
}

function connectionOf(
  { kubeconfig, master = '' }: ApiAccessSettings,
  name: string,
  clock: Clock,
): { readonly options: Omit<HttpClientOptions, 'server'>; readonly seeds: readonly string[] } {
  if (kubeconfig === '' && master === '') {
    throw new SetupError(`${name} does not know its API server`, 'name a kubeconfig with --kubeconfig=FILE, or in the configuration file')
  }
  const named = master.split(',').map(server => server.trim().replace(/\/+$/, ''))
  try {
    if (kubeconfig === '') return { options: { clock }, seeds: named.filter(server => server !== '') }
    const { otherServers, ...options } = clientOptionsFromFile(kubeconfig, clock)
    return { options, seeds: master === '' ? [options.server, ...otherServers] : named.filter(server => server !== '') }
  } catch (error) {
    if (error instanceof KubeconfigError) throw new SetupError(`--kubeconfig=${kubeconfig} cannot be used`, error.message)
    throw error
  }
}

/** How the server is known, without who asks. */
function trustIn(tls: HttpClientOptions['tls']): TlsOptions {
  const { ca, serverName, insecureSkipVerify } = typeof tls === 'function' ? tls() : (tls ?? {})
  return { ca, serverName, insecureSkipVerify }
}
