import type { DiscoveryDocuments } from '../discovery/documents.ts'
import { type HealthCheck, reportHealth } from '../discovery/health.ts'
import { headerOf } from './exchange.ts'
import { negotiate } from './negotiation.ts'
import { queryOf } from './options.ts'
import { methodNotAllowed, noSuchResource, type RequestContext } from './request-context.ts'

/** A document that is served under a path of its own: OpenAPI, metrics, keys of the token issuer. */
export interface DocumentRoute {
  /** Answers, or says false if the path is not its own. */
  serve(context: RequestContext, path: string): Promise<boolean> | boolean
}

export interface PathRouteOptions {
  readonly discovery: DiscoveryDocuments
  readonly health: Readonly<Record<'healthz' | 'livez' | 'readyz', readonly HealthCheck[]>>
  readonly version: object
  /** Where clients find this server, for `/api`. */
  readonly serverAddress: () => string
  /** A short name of a text, for ETags. */
  readonly digest: (text: string) => string
  readonly documents: readonly DocumentRoute[]
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** Requests for anything but objects: discovery, health, version, documents. */
export class PathRoute {
  readonly #options: PathRouteOptions

  constructor(options: PathRouteOptions) {
    this.#options = options
  }

  /** Whether there are resources under a group and version. */
  isServed(group: string, version: string): boolean {
    return this.#options.discovery.group(group)?.versions.some(one => one.version === version) ?? false
  }

  async serve(context: RequestContext): Promise<void> {
    const { path, method } = context.exchange
    const parts = path.split('/').filter(part => part !== '')
    const [first = ''] = parts
    if (first === 'healthz' || first === 'livez' || first === 'readyz') return this.#health(context, first, parts.slice(1).join('/'))
    for (const document of this.#options.documents) if (await document.serve(context, path)) return
    if (first === 'version' && parts.length === 1) {
      this.#onlyGet(context)
      return context.sendObject(200, this.#options.version)
    }
    if (first === 'api' || first === 'apis') {
      if (method !== 'GET' && !(method === 'HEAD' && parts.length === 1)) throw methodNotAllowed()
      return this.#discovery(context, parts)
    }
    if (parts.length === 0) return context.sendObject(200, { paths: this.#paths() })
    context.sendText(404, '404 page not found\n')
  }

  async #discovery(context: RequestContext, parts: readonly string[]): Promise<void> {
    const { discovery } = this.#options
    const accept = headerOf(context.exchange, 'accept')
    const [first, second = '', third = ''] = parts
    if (parts.length === 1 && wantsAggregated(accept)) return this.#aggregated(context, first === 'api')
    context.form = negotiate(accept, { protobuf: true, transforms: false })
    if (first === 'api') {
      if (parts.length === 1) return context.sendObject(200, this.#apiVersions())
      const document = parts.length === 2 ? discovery.resourceList('', second) : undefined
      if (!document) throw noSuchResource()
      return context.sendObject(200, document)
    }
    if (parts.length === 1) return context.sendObject(200, discovery.groupList())
    const document =
      parts.length === 2 ? discovery.groupDocument(second) : parts.length === 3 ? discovery.resourceList(second, third) : undefined
    if (!document && discovery.group(second)?.versions.every(({ kinds }) => !kinds.some(kind => kind.isCustom))) throw noSuchResource()
    if (!document) return context.sendText(404, '404 page not found\n')
    context.sendObject(200, document)
  }

  async #aggregated(context: RequestContext, isCore: boolean): Promise<void> {
    const document = this.#options.discovery.aggregated(isCore)
    const text = `${JSON.stringify(document)}\n`
    const etag = `"${this.#options.digest(text).toUpperCase()}"`
    if (headerOf(context.exchange, 'if-none-match') === etag) {
      return context.send(304, { bytes: new Uint8Array(), contentType: AGGREGATED }, { etag })
    }
    context.send(200, { bytes: new TextEncoder().encode(text), contentType: AGGREGATED }, { etag, vary: 'Accept' })
  }

  async #health(context: RequestContext, endpoint: 'healthz' | 'livez' | 'readyz', name: string): Promise<void> {
    const checks = this.#options.health[endpoint]
    const query = queryOf(context.exchange.query)
    if (name === '') {
      const excluded = new Set(query.getAll('exclude'))
      const report = await reportHealth(endpoint, checks, { isVerbose: query.has('verbose'), excluded })
      return context.sendText(report.isHealthy ? 200 : 500, report.text)
    }
    const check = checks.find(one => one.name === name)
    if (!check) return context.sendText(404, '404 page not found\n')
    const wrong = await check.check()
    if (wrong === undefined) return context.sendText(200, 'ok')
    context.sendText(500, `internal server error: ${wrong}\n`)
  }

  #apiVersions(): object {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: this.#options.serverAddress() }]
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs }
  }

  #onlyGet(context: RequestContext): void {
    if (context.exchange.method !== 'GET') throw methodNotAllowed()
  }

  #paths(): string[] {
    const groups = this.#options.discovery.groups.flatMap(({ name, versions }) => [
      `/apis/${name}`,
      ...versions.map(({ groupVersion }) => `/apis/${groupVersion}`),
    ])
    const checks = (['healthz', 'livez', 'readyz'] as const).flatMap(endpoint => [
      `/${endpoint}`,
      ...this.#options.health[endpoint].map(({ name }) => `/${endpoint}/${name}`),
    ])
    const others = [
      '/.well-known/openid-configuration',
      '/api',
      '/api/v1',
      '/apis',
      '/apis/',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/openapi/v3/',
      '/openid/v1/jwks',
      '/version',
    ]
    return [...others, ...groups, ...checks].sort()
  }
}

function wantsAggregated(accept: string | undefined): boolean {
  if (!accept) return false
  for (const clause of accept.split(',')) {
    const [type, ...parameters] = clause.split(';').map(part => part.trim())
    if (type === 'application/json' && parameters.includes('as=APIGroupDiscoveryList')) {
      if (parameters.includes('v=v2') && parameters.includes('g=apidiscovery.k8s.io')) return true
    } else if (type === 'application/json' || type === '*/*' || type === 'application/yaml') return false
  }
  return false
}
