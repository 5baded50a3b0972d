import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { internalError, tooSlow } from '#machinery/status/failures.ts'
import { StatusError, statusErrorOf } from '#machinery/status/status-error.ts'
import { annotateDecision, refusal } from '../access.ts'
import type { AggregatedRoute } from '../aggregation/aggregated-route.ts'
import type { Audit } from '../audit/audit.ts'
import { auditedExchange } from '../audit/audited-exchange.ts'
import { ANONYMOUS } from '../authentication/authenticator-chain.ts'
import type { Attributes, Authorizer, ResourceAttributes } from '../authorization/authorizer.ts'
import { type Admitted, type RequestGate, TooManyRequests } from '../flow-control/request-gate.ts'
import type { MomentRoute } from '../typernetes/moment-route.ts'
import { type Deadline, Deadlines } from './deadlines.ts'
import { type Exchange, headerOf } from './exchange.ts'
import type { Identification } from './identification.ts'
import { Impersonation, wantsImpersonation } from './impersonation.ts'
import type { ServerMetrics } from './metrics.ts'
import type { PathRoute } from './path-route.ts'
import type { ProtobufWriter } from './render.ts'
import { noSuchResource, RequestContext } from './request-context.ts'
import { type RequestInfo, type ResourceRequestInfo, requestInfoOf } from './request-info.ts'
import type { ResourceRoute } from './resource-route.ts'

export interface FrontOptions {
  readonly identification: Identification
  readonly authorizer: Authorizer
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly protobuf: ProtobufWriter
  readonly resources: ResourceRoute
  /** Reads of the past; undefined where the group `typernetes.dev` is not served. */
  readonly moments: MomentRoute | undefined
  readonly paths: PathRoute
  readonly gate: RequestGate
  /** How long a request may take, unless it is a watch or a stream of a node. */
  readonly requestTimeoutMs: number
  /** Groups that other servers serve; undefined where there are none. */
  readonly aggregated?: AggregatedRoute | undefined
  readonly metrics: ServerMetrics
  /** Undefined: nothing is recorded. */
  readonly audit: Audit | undefined
}

/** The way of a request through the server: who sends it, what it is about, and who answers it. */
export class Front {
  readonly #options: FrontOptions
  readonly #impersonation: Impersonation
  readonly #deadlines: Deadlines
  readonly #current = { reads: 0, writes: 0 }
  #refusals = 0

  constructor(options: FrontOptions) {
    this.#options = options
    this.#impersonation = new Impersonation(options.authorizer)
    this.#deadlines = new Deadlines(options.clock, options.requestTimeoutMs)
  }

  /** How many requests are under way, those that wait included; streams are not counted. */
  get current(): { readonly reads: number; readonly writes: number } {
    return this.#current
  }

  async serve(exchange: Exchange): Promise<void> {
    const { random, log, audit, clock } = this.#options
    const auditId = headerOf(exchange, 'audit-id') || random.uuid()
    const startMs = clock.monotonic()
    const receivedMs = audit ? clock.now() : 0
    const context = new RequestContext(exchange, auditId, ANONYMOUS, this.#options.protobuf)
    const sort = exchange.method === 'GET' || exchange.method === 'HEAD' ? 'reads' : 'writes'
    this.#current[sort]++
    let admitted: Admitted | undefined
    let deadline: Deadline | undefined
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      deadline?.met()
      this.#current[sort]--
      if (admitted) leaveAfterwards(admitted, context)
      this.#note(context, startMs)
    }
    try {
      const info = requestInfoOf(exchange.path)
      if (!isLongRunning(exchange, info)) {
        deadline = this.#deadlines.start(startMs, () => {
          context.fail(tooSlow())
          end()
        })
      }
      const pending = this.#identify(context, info, receivedMs)
      context.user = pending instanceof Promise ? await pending : pending
      context.info = info
      if (audit) await this.#record(audit, context, receivedMs)
      if (wantsImpersonation(exchange.headers)) {
        const impersonated = await this.#impersonation.impersonate(exchange, requestAttributes(context))
        if (impersonated) {
          context.user = impersonated.user
          context.audit?.impersonates(impersonated.user, impersonated.constraint)
        }
      }
      const entered = info && this.#enter(context, info)
      admitted = entered instanceof Promise ? await entered : entered
      if (admitted) context.flow = admitted.headers
      await this.#dispatch(context)
    } catch (error) {
      if (error instanceof TooManyRequests) return await this.#turnAway(context, error)
      if (!statusErrorOf(error)) {
        log.error('a request failed', { method: exchange.method, path: exchange.path, error: textOf(error) })
        context.audit?.panicked(error)
      }
      context.fail(error)
    } finally {
      end()
    }
  }

  #identify(context: RequestContext, info: RequestInfo | undefined, receivedMs: number): UserInfo | Promise<UserInfo> {
    const { identification, audit } = this.#options
    const { exchange, auditId } = context
    const found = identification.identify(exchange, info?.path ?? exchange.path)
    if (!audit || !(found instanceof Promise)) return found
    return found.catch((error: unknown) => {
      const record = audit.recordOf({ exchange, auditId, user: undefined, attributes: requestAttributes(context, info), receivedMs })
      record?.responded((statusErrorOf(error) ?? internalError(error)).toStatus())
      record?.refused()
      throw error
    })
  }

  /** From here on what happens to the request is recorded. Resolves when it may go on. */
  async #record(audit: Audit, context: RequestContext, receivedMs: number): Promise<void> {
    const { exchange, auditId, user } = context
    const record = audit.recordOf({ exchange, auditId, user, attributes: requestAttributes(context), receivedMs })
    if (!record) return
    context.audit = record
    context.exchange = auditedExchange(exchange, record)
    await record.received()
  }

  /**
   * Answers 429, in words and not as a Status, as upstream. Who is to come again after a second is told so after a second: clients that do
   * not wait would otherwise keep the server busy with refusals.
   */
  async #turnAway(context: RequestContext, { message, headers }: TooManyRequests): Promise<void> {
    context.status = 429
    if (this.#refusals < MAX_REFUSALS) {
      this.#refusals++
      await sleep(this.#options.clock, REFUSAL_MS).finally(() => this.#refusals--)
    }
    const bytes = new TextEncoder().encode(`${message}\n`)
    context.flow = headers
    context.send(429, { bytes, contentType: 'text/plain; charset=utf-8' }, { 'x-content-type-options': 'nosniff' })
  }

  #note(context: RequestContext, startMs: number): void {
    const { clock, metrics } = this.#options
    const { method, query } = context.exchange
    // What nobody serves is counted without its name: names that clients make up must not fill the memory.
    const info = context.isServed ? context.info : undefined
    const isResource = info?.isResource ?? false
    const { group, version, resource, subresource, name, namespace } = info?.isResource ? info : NO_RESOURCE
    const scope = !isResource ? '' : name !== '' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster'
    const verb = method === 'GET' && isResource && name === '' ? (query.includes('watch=') ? 'WATCH' : 'LIST') : method
    const labels = { verb, group, version, resource, subresource, scope }
    metrics.observe(labels, context.status, (clock.monotonic() - startMs) / 1000)
  }

  async #dispatch(context: RequestContext): Promise<void> {
    const { path } = context.exchange
    const { info } = context
    if (!info) throw new StatusError({ code: 400, reason: 'BadRequest', message: `invalid URL escape in ${path}` })
    const { resources, paths, aggregated } = this.#options
    const remote = aggregated?.find(info)
    if (aggregated && remote) {
      context.isServed = true
      await this.#allow(context, requestAttributes(context))
      return aggregated.serve(context, remote)
    }
    if (info.isResource && paths.isServed(info.group, info.version)) {
      const { moments } = this.#options
      context.isServed = resources.isKnown(info)
      if (moments?.serves(info)) return moments.serve(context, info)
      if (context.isServed) return resources.serve(context, info)
      await this.#allow(context, resourceAttributes(context, info))
      if (resources.isCustomGroup(info.group)) return context.sendText(404, NOT_FOUND)
      throw noSuchResource()
    }
    const attributes = info.isResource
      ? resourceAttributes(context, info)
      : { user: context.user, verb: context.exchange.method.toLowerCase(), path: info.path }
    await this.#allow(context, attributes)
    return paths.serve(context)
  }

  /** Streams of nodes are not let in by turns: they last, and cost next to nothing here. */
  #enter(context: RequestContext, info: RequestInfo): Admitted | Promise<Admitted> | undefined {
    if (isNodeStream(info)) return undefined
    const { verb } = requestAttributes(context)
    const seats = () => (info.isResource && verb === 'list' ? this.#options.resources.seatsOf(info, context.exchange.query) : 1)
    return this.#options.gate.enter({ user: context.user, verb, info, seats, onAbort: callback => context.exchange.onAbort(callback) })
  }

  async #allow({ audit }: RequestContext, attributes: Attributes): Promise<void> {
    const decision = await this.#options.authorizer.authorize(attributes)
    const { verdict, reason } = decision
    if (audit) annotateDecision((key, value) => audit.annotate(key, value), decision)
    if (verdict !== 'allow') throw refusal(attributes, reason)
  }
}

/** What a request asks for, before anything is known but its form. */
function requestAttributes(context: RequestContext, info = context.info): Attributes {
  const { user, exchange } = context
  if (!info?.isResource) return { user, verb: exchange.method.toLowerCase(), path: info?.path ?? exchange.path }
  const attributes = resourceAttributes(context, info)
  const isWatch = info.isWatchPath || (attributes.verb === 'list' && isWatched(exchange.query))
  const isNamespace = info.resource === 'namespaces' && info.group === ''
  return { ...attributes, ...(isWatch ? { verb: 'watch' } : {}), ...(isNamespace ? { namespace: info.name } : {}) }
}

function isWatched(query: string): boolean {
  if (!query.includes('watch')) return false
  const asked = new URLSearchParams(query).get('watch')
  return asked !== null && asked !== 'false' && asked !== '0'
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

const NODE_STREAMS: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

function isNodeStream(info: RequestInfo): boolean {
  return info.isResource && NODE_STREAMS.has(info.subresource)
}

function isLongRunning({ query }: Exchange, info: RequestInfo | undefined): boolean {
  return info?.isResource === true && (isNodeStream(info) || info.isWatchPath || isWatched(query))
}

const LONG_ANSWER_BYTES = 64 * 1024
/** How long a refusal is held back, and how many of them at a time. */
const REFUSAL_MS = 1000
const MAX_REFUSALS = 5000
/** What upstream says of custom resources that are not there: not a Status. */
const NOT_FOUND = '404 page not found\n'
const NO_RESOURCE = { group: '', version: '', resource: '', subresource: '', name: '', namespace: '' }

/** An answer that takes its time to be sent, and memory until then, keeps its seats for so long. */
function leaveAfterwards(admitted: Admitted, { answerBytes, exchange }: RequestContext): void {
  if (answerBytes > LONG_ANSWER_BYTES) exchange.onClose(() => admitted.leave())
  else admitted.leave()
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
