import type { IncomingMessage } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { HealthCheck } from '#apiserver/discovery/health.ts'
import { VERSION } from '#apiserver/http/version.ts'
import { GaugeSeries } from '#base/metrics/labelled-series.ts'
import type { Series } from '#base/metrics/series.ts'
import type { Client } from '#client/client.ts'
import { DelegatedAccess } from '#client/delegation/delegated-access.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { type FeatureGates, featureMetrics } from '#machinery/feature-gates/feature-gates.ts'
import type { ValuesOf } from '../flags/flag.ts'
import type { delegatedAuthenticationFlags, delegatedAuthorizationFlags, secureServingFlags } from '../flags/shared-flags.ts'
import { type ApiAccess, apiAccess } from './api-access.ts'
import { ComponentHealth } from './component-health.ts'
import type { ProgramContext } from './run-program.ts'
import { selfPages } from './self-pages.ts'
import { listenerOf, nothingServed, openPort, type PageAnswer } from './serve-plain.ts'
import { servingTls } from './serving-tls.ts'

/** The flags of a component's own HTTPS. */
export type ServingFlags = ValuesOf<ReturnType<typeof secureServingFlags>> &
  ValuesOf<typeof delegatedAuthenticationFlags> &
  ValuesOf<typeof delegatedAuthorizationFlags>

/** What a component shows of itself. */
export interface ComponentPages {
  /** Knows tokens and permissions. */
  readonly client: Client
  /** Whether it works. */
  readonly checks?: readonly HealthCheck[]
  /** What must be besides before it is ready. */
  readonly ready?: readonly HealthCheck[]
  /** What `/metrics` shows besides what the process itself needs. */
  readonly metrics?: Registry
  /** More of that. */
  readonly series?: readonly Series[]
  /** What further paths below `/metrics/` show. */
  readonly furtherSeries?: Readonly<Record<string, readonly Series[]>>
  /** What `/configz` shows, by the name of the API group. */
  readonly configuration?: Readonly<Record<string, object>>
}

/**
 * The HTTPS of a component beside its work, by its flags: `/healthz`, `/livez`, `/readyz`, `/metrics`, `/metrics/slis`, `/configz`, `/statusz`
 * and `/flagz`. What is not open to all is for whom the API server lets.
 */
export async function serveComponent(context: ProgramContext<ServingFlags>, pages: ComponentPages): Promise<AsyncDisposable> {
  const { flags, name, clock } = context
  if (flags['secure-port'] === 0) return nothingServed
  const tls = await servingTls(flags, { name }, clock)
  const own: ApiAccess[] = []
  const clientBy = (kubeconfig: string) => {
    if (kubeconfig === '' || kubeconfig === (flags as { readonly kubeconfig?: string }).kubeconfig) return pages.client
    own.push(apiAccess({ kubeconfig, qps: -1, burst: 0 }, context))
    return own.at(-1)!.client
  }
  const tokens = clientBy(flags['authentication-kubeconfig'])
  const permissions = clientBy(flags['authorization-kubeconfig'])
  const ca = tls.clientCa ?? (await clusterClientCa(context, tokens))
  const access = new DelegatedAccess({
    client: tokens,
    permissions,
    clock,
    tokenMs: flags['authentication-token-webhook-cache-ttl'],
    allowedMs: flags['authorization-webhook-cache-authorized-ttl'],
    refusedMs: flags['authorization-webhook-cache-unauthorized-ttl'],
  })
  const pageOf = pagesOf(context, pages)
  const answer = async (request: IncomingMessage): Promise<PageAnswer> => {
    const url = new URL(request.url ?? '/', 'https://localhost')
    return (await refusalOf(access, request, url.pathname, flags['authorization-always-allow-paths'])) ?? pageOf(url, request)
  }
  const server = createSecure(
    {
      cert: tls.certificate,
      key: tls.key,
      minVersion: tls.minVersion,
      ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
      ...(ca === undefined ? {} : { ca }),
      requestCert: true,
      rejectUnauthorized: false,
    },
    listenerOf(answer),
  )
  for (const { names, certificate, key } of [...tls.named].reverse()) {
    for (const name of names)
      server.addContext(name, { cert: certificate, key, minVersion: tls.minVersion, ...(ca === undefined ? {} : { ca }) })
  }
  const open = await openPort(server, { address: flags['bind-address'], port: flags['secure-port'] })
  return {
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]()
      for (const one of own) one[Symbol.dispose]()
    },
  }
}

/** The authority of client certificates that the API server tells all components of, where no other was named. */
async function clusterClientCa({ flags, log }: ProgramContext<ServingFlags>, client: Client): Promise<string | undefined> {
  if (flags['authentication-skip-lookup']) return undefined
  try {
    const { data } = await client.get(ConfigMap, { namespace: 'kube-system', name: 'extension-apiserver-authentication' })
    return data?.['client-ca-file']
  } catch (error) {
    if (!flags['authentication-tolerate-lookup-failure']) throw error
    log.warn('the authority of client certificates could not be read from the cluster: callers need tokens', { error })
    return undefined
  }
}

/** Why the caller may not read `path`; undefined if it may. `open` are the paths for everybody, with `*` at the end for all below. */
async function refusalOf(
  access: DelegatedAccess,
  request: IncomingMessage,
  path: string,
  open: readonly string[],
): Promise<PageAnswer | undefined> {
  const isOpen = open.some(one => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : one === path))
  if (isOpen) return undefined
  const caller = await access.callerOf(request)
  if (!caller) return [401, 'Unauthorized\n']
  const verb = (request.method ?? 'GET').toLowerCase()
  const isAllowed = await access.allows(caller, { nonResourceAttributes: { path, verb } })
  return isAllowed ? undefined : [403, `Forbidden: user ${JSON.stringify(caller.name)} cannot ${verb} path ${JSON.stringify(path)}\n`]
}

function pagesOf(
  context: ProgramContext,
  { checks = [], ready = [], metrics = new Registry(), series = [], furtherSeries = {}, configuration }: ComponentPages,
): (url: URL, request: IncomingMessage) => Promise<PageAnswer> {
  const health = new ComponentHealth(checks, ready)
  const own = selfPages(context, configuration)
  collectDefaultMetrics({ register: metrics })
  const features = featureMetrics((context.flags as { readonly 'feature-gates'?: FeatureGates })['feature-gates'] ?? {})
  return async (url, request) => {
    if (url.pathname === '/metrics') return [200, `${await metrics.metrics()}${textOf([...builtAs, features, ...series])}`]
    const further = furtherSeries[url.pathname.replace('/metrics/', '')]
    if (further) return [200, textOf(further)]
    return own[url.pathname]?.(request) ?? (await health.answer(url)) ?? [404, '404 page not found\n']
  }
}

const textOf = (series: readonly Series[]) => series.map(one => one.text()).join('')

const builtAs: readonly Series[] = [
  new GaugeSeries('kubernetes_build_info', 'The version of this program.', () => [
    [{ major: VERSION.major, minor: VERSION.minor, git_version: VERSION.gitVersion }, 1],
  ]),
]
