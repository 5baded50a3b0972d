import type { Clock } from '#base/time/clock.ts'
import { type HttpClient, type HttpClientOptions, httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { KubeconfigError } from '#client/kubeconfig/kubeconfig.ts'
import { SetupError } from '../setup-error.ts'

/** Which API server a program speaks with, and how fast. */
export interface ApiClientSettings {
  /** Path of a kubeconfig; '' for none. */
  readonly kubeconfig: string
  /** Takes the place of the server in it. */
  readonly master?: string
  /** Requests per second; negative: any number. */
  readonly qps: number
  readonly burst: number
}

/** A client by a program's `--kubeconfig`, `--master`, `--kube-api-qps` and `--kube-api-burst`. */
export function apiClient({ kubeconfig, master = '', qps, burst }: ApiClientSettings, program: string, clock: Clock): HttpClient {
  if (kubeconfig === '' && master === '') {
    throw new SetupError(
      `${program} does not know its API server`,
      'name a kubeconfig with --kubeconfig=FILE, or in the configuration file',
    )
  }
  try {
    const options: HttpClientOptions = kubeconfig === '' ? { server: master, clock } : clientOptionsFromFile(kubeconfig, clock)
    return httpClient({
      ...options,
      ...(master === '' ? {} : { server: master.replace(/\/+$/, '') }),
      userAgent: `${program}/typernetes`,
      ...(qps > 0 ? { limit: { qps, burst: Math.max(1, burst) } } : {}),
    })
  } catch (error) {
    if (error instanceof KubeconfigError) throw new SetupError(`--kubeconfig=${kubeconfig} cannot be used`, error.message)
    throw error
  }
}
