import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { workQueue } from '#client/queue/work-queue.ts'
import { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { HttpsClient, HttpsTrust } from '../webhooks/https-client.ts'
import type { ServiceResolver } from '../webhooks/service-resolver.ts'
import { textOfBundle } from '../webhooks/webhook-client.ts'
import { AGGREGATOR, availabilityOf } from './availability.ts'
import { isAvailable, withAvailability } from './conditions.ts'
import type { FrontProxyCredential } from './front-proxy.ts'
import { type DiscoveredResource, resourcesIn } from './remote-discovery.ts'

export interface AggregationOptions {
  /** Acts as the server itself. */
  readonly client: Client
  readonly informers: Informers
  readonly resolver: ServiceResolver
  readonly clock: Clock
  readonly log: Logger
  /** Absent: aggregated servers are called without proof, and believe nobody's word of who asks. */
  readonly credential?: FrontProxyCredential | undefined
}

/** A version of a group that a server behind a Service serves. */
export interface RemoteVersion {
  readonly service: APIService
  /** Undefined until it could be asked. */
  readonly resources: readonly DiscoveredResource[] | undefined
  /** Whether `resources` are what it says now. */
  readonly isCurrent: boolean
  /** Where its OpenAPI document is, as its own index says; undefined if it has none. */
  readonly openApiUrl?: string | undefined
}

/** A server that answers is asked again after this long, whether it still does. */
const RECHECK_MS = 30_000
const TIMEOUT_MS = 5000

/**
 * The servers that serve groups in the place of this one: knows from their APIServices who they are, finds out whether they answer, and
 * what they serve. Says so in the status of the APIServices.
 */
export class Aggregation implements AsyncDisposable {
  readonly #options: AggregationOptions
  readonly #remotes = new Map<string, RemoteVersion>()
  readonly #watchers = new Set<() => void>()
  readonly #following: Disposable[]
  readonly #queue
  #https: Promise<HttpsClient> | undefined

  constructor(options: AggregationOptions) {
    this.#options = options
    const { informers, clock, log } = options
    this.#queue = workQueue({
      clock,
      concurrency: 5,
      backoff: { firstMs: 5, limitMs: RECHECK_MS },
      work: name => this.#check(name),
      failed: (name, error) => log.verbose('an aggregated server could not be checked', { apiService: name, error: String(error) }),
    })
    this.#following = [
      informers.of(APIService).onChange((now, before) => this.#noteService(now, before)),
      informers.of(Service).onChange((now, before) => this.#noteBackend((now ?? before)!.metadata, (now ?? before)!.metadata.name)),
      informers.of(EndpointSlice).onChange((now, before) => {
        const { metadata } = (now ?? before)!
        this.#noteBackend(metadata, metadata.labels?.['kubernetes.io/service-name'])
      }),
    ]
  }

  /** Who serves a version in the place of this server. Hot: asked of every request. */
  remote(group: string, version: string): RemoteVersion | undefined {
    return this.#remotes.size === 0 ? undefined : this.#remotes.get(`${version}.${group}`)
  }

  /** All versions that others serve. */
  remotes(): Iterable<RemoteVersion> {
    return this.#remotes.values()
  }

  /** Calls back whenever what is served by others changes. */
  onChange(callback: () => void): Disposable {
    this.#watchers.add(callback)
    return { [Symbol.dispose]: () => void this.#watchers.delete(callback) }
  }

  /** Where requests for a version go now. Throws a StatusError if nobody is there. */
  placeOf({ service: { spec } }: RemoteVersion): { readonly host: string; readonly port: number } {
    const { namespace = '', name = '', port = 443 } = spec.service ?? {}
    return this.#options.resolver.resolve(namespace, name, port)
  }

  /** Whom to believe there, and how to prove oneself. The certificate names the Service. */
  trustOf({ service: { spec } }: RemoteVersion): HttpsTrust & { readonly serverName: string } {
    const { service, insecureSkipTLSVerify, caBundle } = spec
    return {
      ...this.#options.credential,
      ...(caBundle ? { ca: textOfBundle(caBundle) } : {}),
      insecure: insecureSkipTLSVerify ?? false,
      serverName: `${service?.name}.${service?.namespace}.svc`,
    }
  }

  /** A document of an aggregated server, asked for by this server itself; rejects if it cannot be had. */
  async fetch(remote: RemoteVersion, path: string, accept = 'application/json'): Promise<unknown> {
    const { serverName, ...tls } = this.trustOf(remote)
    const client = await this.#client()
    const headers = { ...AGGREGATOR, accept }
    const answer = await client.call({
      method: 'GET',
      ...this.placeOf(remote),
      serverName,
      path,
      headers,
      tls,
      timeoutMs: TIMEOUT_MS,
      limitBytes: 64 << 20,
    })
    if (answer.status !== 200) throw new Error(`${path} of ${serverName} was answered with ${answer.status}`)
    return parseJson(answer.body)
  }

  /** Resolves once nothing is left to be found out for the moment. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#following) one[Symbol.dispose]()
    await this.#queue[Symbol.asyncDispose]()
    const https = await this.#https
    https?.[Symbol.dispose]()
  }

  #client(): Promise<HttpsClient> {
    this.#https ??= import('../webhooks/https-client.ts').then(({ httpsClient }) => httpsClient(this.#options.clock))
    return this.#https
  }

  #noteService(now: APIService | undefined, before: APIService | undefined): void {
    const name = (now ?? before)!.metadata.name ?? ''
    const known = this.#remotes.get(name)
    if (now?.spec.service) {
      const isSame = known !== undefined && equal(known.service.spec, now.spec)
      this.#remotes.set(name, { resources: undefined, isCurrent: false, ...(isSame ? known : {}), service: now })
      if (!isSame || isAvailable(known.service) !== isAvailable(now)) this.#changed()
    } else if (known) {
      this.#remotes.delete(name)
      this.#changed()
    }
    if (now?.spec.service && !equal(now.spec, before?.spec)) this.#queue.add(name)
  }

  #noteBackend({ namespace }: { readonly namespace?: string | undefined }, name: string | undefined): void {
    for (const [key, { service }] of this.#remotes) {
      if (service.spec.service?.name === name && service.spec.service?.namespace === namespace) this.#queue.add(key)
    }
  }

  async #check(name: string) {
    const { client, informers, clock, resolver, credential = {} } = this.#options
    const services = informers.of(APIService)
    const service = services.get('', name)
    if (!service?.spec.service) return undefined
    const checks = { informers, resolver, https: () => this.#client(), credential }
    const availability = await availabilityOf(service, checks)
    const next = withAvailability(service, availability, clock.now())
    if (next) await client.updateStatus(APIService, next)
    if (availability.status === 'True') await this.#discover(name)
    // What cannot be watched, the way to the server, is looked at again; sooner if it failed.
    if (availability.reason === 'FailedDiscoveryCheck') throw new Error(availability.message)
    return { againAfterMs: RECHECK_MS }
  }

  /** Finds out what the server serves; what it last said is kept if it cannot be asked. */
  async #discover(name: string): Promise<void> {
    const before = this.#remotes.get(name)
    if (!before) return
    const { group, version } = before.service.spec
    let found: Pick<RemoteVersion, 'resources' | 'isCurrent' | 'openApiUrl'>
    try {
      const resources = resourcesIn(await this.fetch(before, `/apis/${group}/${version}`))
      found = { resources, isCurrent: true, openApiUrl: await this.#openApiUrlOf(before) }
    } catch (error) {
      this.#options.log.verbose('an aggregated server does not say what it serves', { apiService: name, error: String(error) })
      found = { resources: before.resources, isCurrent: false }
    }
    const now = this.#remotes.get(name)
    if (!now || (now.isCurrent === found.isCurrent && now.openApiUrl === found.openApiUrl && equal(now.resources, found.resources))) return
    this.#remotes.set(name, { ...now, ...found })
    this.#changed()
  }

  /** Many servers have no index: that is no failure. */
  async #openApiUrlOf(remote: RemoteVersion): Promise<string | undefined> {
    const { group, version } = remote.service.spec
    const path = `apis/${group}/${version}`
    try {
      const index = (await this.fetch(remote, '/openapi/v3')) as { paths?: Record<string, { serverRelativeURL?: unknown }> } | null
      const url = index?.paths?.[path]?.serverRelativeURL
      return typeof url === 'string' && url.startsWith(`/openapi/v3/${path}`) ? url : undefined
    } catch {
      return undefined
    }
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher()
  }
}
