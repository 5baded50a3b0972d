import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { unauthorized } from '#machinery/status/failures.ts'
import { StatusError, statusErrorOf } from '#machinery/status/status-error.ts'
import { refusal } from '../access.ts'
import type { Authenticator } from '../authentication/authenticator.ts'
import { ANONYMOUS } from '../authentication/authenticator-chain.ts'
import type { Attributes, Authorizer, ResourceAttributes } from '../authorization/authorizer.ts'
import { type Exchange, headerOf, type ResponseHeaders } from './exchange.ts'
import type { FlowControl } from './flow-control.ts'
import { impersonated, wantsImpersonation } from './impersonation.ts'
import type { Inflight } from './inflight.ts'
import type { ServerMetrics } from './metrics.ts'
import type { PathRoute } from './path-route.ts'
import type { ProtobufWriter } from './render.ts'
import { noSuchResource, RequestContext } from './request-context.ts'
import { type RequestInfo, type ResourceRequestInfo, requestInfoOf } from './request-info.ts'
import type { ResourceRoute } from './resource-route.ts'

export interface FrontOptions {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly allowsAnonymous: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly protobuf: ProtobufWriter
  readonly resources: ResourceRoute
  readonly paths: PathRoute
  readonly inflight: Inflight
  readonly metrics: ServerMetrics
  /** Undefined where flow schemas are not served. */
  readonly flowControl: FlowControl | undefined
}

/** The way of a request through the server: who sends it, what it is about, and who answers it. */
export class Front {
  readonly #options: FrontOptions

  constructor(options: FrontOptions) {
    this.#options = options
  }

  async serve(exchange: Exchange): Promise<void> {
    const { random, log, inflight } = this.#options
    const auditId = headerOf(exchange, 'audit-id') ?? random.uuid()
    const startMs = this.#options.clock.monotonic()
    const context = new RequestContext(exchange, auditId, ANONYMOUS, this.#options.protobuf)
    let release: (() => void) | undefined
    try {
      const pending = this.#authenticate(exchange)
      context.user = pending instanceof Promise ? await pending : pending
      if (wantsImpersonation(exchange.headers)) {
        context.user = await impersonated(exchange.headers, context.user, this.#options.authorizer)
      }
      release = inflight.enter(exchange, context.user)
      await this.#dispatch(context)
    } catch (error) {
      if (!statusErrorOf(error)) log.error('a request failed', { method: exchange.method, path: exchange.path, error: textOf(error) })
      context.fail(error)
    } finally {
      release?.()
      this.#note(context, startMs)
    }
  }

  #note(context: RequestContext, startMs: number): void {
    const { clock, metrics } = this.#options
    const { method, query } = context.exchange
    const { info } = context
    const isResource = info?.isResource ?? false
    const { group, version, resource, subresource, name, namespace } = info?.isResource ? info : NO_RESOURCE
    const scope = !isResource ? '' : name !== '' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster'
    const verb = method === 'GET' && isResource && name === '' ? (query.includes('watch=') ? 'WATCH' : 'LIST') : method
    const labels = { verb, group, version, resource, subresource, scope }
    metrics.observe(labels, context.status, (clock.monotonic() - startMs) / 1000)
  }

  async #dispatch(context: RequestContext): Promise<void> {
    const { path } = context.exchange
    const info = requestInfoOf(path)
    context.info = info
    if (info) context.flow = this.#flowOf(context, info)
    if (!info) throw new StatusError({ code: 400, reason: 'BadRequest', message: `invalid URL escape in ${path}` })
    const { resources, paths } = this.#options
    if (info.isResource && paths.isServed(info.group, info.version)) {
      if (resources.isKnown(info)) return resources.serve(context, info)
      await this.#allow(resourceAttributes(context, info))
      throw noSuchResource()
    }
    const attributes = info.isResource
      ? resourceAttributes(context, info)
      : { user: context.user, verb: context.exchange.method.toLowerCase(), path }
    await this.#allow(attributes)
    return paths.serve(context)
  }

  #flowOf({ user, exchange: { method } }: RequestContext, info: RequestInfo): ResponseHeaders {
    const verbs = info.isResource && info.name === '' ? COLLECTION_VERBS : OBJECT_VERBS
    return this.#options.flowControl?.headersFor({ user, verb: verbs[method] ?? method.toLowerCase(), info }) ?? NO_HEADERS
  }

  async #allow(attributes: Attributes): Promise<void> {
    const { verdict, reason } = await this.#options.authorizer.authorize(attributes)
    if (verdict !== 'allow') throw refusal(attributes, reason)
  }

  /** Who sends the request; remembered on the connection, since most of a connection's requests bring the same proof. */
  #authenticate(exchange: Exchange): UserInfo | Promise<UserInfo> {
    const { connection } = exchange
    const authorization = headerOf(exchange, 'authorization') ?? ''
    const known = connection.memory.get(this) as Remembered | undefined
    if (known && known.authorization === authorization && known.until > this.#options.clock.monotonic()) return known.user
    return this.#ask(exchange, authorization)
  }

  async #ask(exchange: Exchange, authorization: string): Promise<UserInfo> {
    const { authenticator, allowsAnonymous, clock } = this.#options
    const { connection, headers } = exchange
    const bearerToken = /^bearer\s+(\S+)\s*$/i.exec(authorization)?.[1]
    let user: UserInfo | undefined
    try {
      const { certificate } = connection
      const found = await authenticator.authenticate({
        headers,
        ...(bearerToken === undefined ? {} : { bearerToken }),
        ...(certificate ? { certificate } : {}),
      })
      user = found?.user
    } catch {
      throw new StatusError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
    }
    if (!user && (!allowsAnonymous || bearerToken !== undefined)) throw unauthorized('Unauthorized')
    user ??= ANONYMOUS
    connection.memory.set(this, { authorization, user, until: clock.monotonic() + REMEMBERED_MS })
    return user
  }
}

/** What is asked of a resource that nobody serves: that it is not there is told only to those who might use it. */
export function resourceAttributes({ user, exchange }: RequestContext, info: ResourceRequestInfo): ResourceAttributes {
  const { group, version, resource, subresource, namespace, name } = info
  const isCollection = name === ''
  const verb = isCollection ? COLLECTION_VERBS[exchange.method] : OBJECT_VERBS[exchange.method]
  return { user, verb: verb ?? exchange.method.toLowerCase(), group, version, resource, subresource, namespace, name }
}

const COLLECTION_VERBS: Readonly<Record<string, string>> = { GET: 'list', POST: 'create', DELETE: 'deletecollection' }
const OBJECT_VERBS: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

interface Remembered {
  readonly authorization: string
  readonly user: UserInfo
  readonly until: number
}

const REMEMBERED_MS = 2000
const NO_HEADERS: ResponseHeaders = {}
const NO_RESOURCE = { group: '', version: '', resource: '', subresource: '', name: '', namespace: '' }

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
