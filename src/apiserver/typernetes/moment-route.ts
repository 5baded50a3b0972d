import { Moment } from '#kinds/typernetes/v1/moment.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { encodeSnapshot } from '#store/snapshot/snapshot-file.ts'
import type { Store, StoreMoment } from '#store/store.ts'
import type { Handler } from '../handler.ts'
import { exchangeWith } from '../http/exchange-with.ts'
import { methodNotAllowed, noSuchResource, RequestContext } from '../http/request-context.ts'
import { type ResourceRequestInfo, requestInfoOf } from '../http/request-info.ts'
import type { ResourceRoute } from '../http/resource-route.ts'
import { type MomentFacts, momentOf } from './moments.ts'

export interface MomentRouteOptions {
  readonly handler: Handler
  readonly resources: ResourceRoute
  readonly facts: MomentFacts
  readonly store: Store
}

/** What stands in front of the path that is asked for as of a moment. */
const OBJECTS = /^\/apis\/typernetes\.dev\/v1\/moments\/[^/]+\/objects(\/.*)?$/

/**
 * What is behind a moment: `moments/<moment>/objects/<path of an API request>`, which is that request's answer as of then, and
 * `moments/<moment>/snapshot`, which is the whole store as of then.
 */
export class MomentRoute {
  readonly #options: MomentRouteOptions

  constructor(options: MomentRouteOptions) {
    this.#options = options
  }

  /** Whether a request is for this route. */
  serves({ group, resource, subresource }: ResourceRequestInfo): boolean {
    return group === Moment.group && resource === Moment.plural && subresource !== ''
  }

  async serve(context: RequestContext, info: ResourceRequestInfo): Promise<void> {
    const { handler, facts } = this.#options
    const { subresource, name } = info
    if (subresource !== 'objects' && subresource !== 'snapshot') throw noSuchResource()
    if (context.exchange.method !== 'GET') throw methodNotAllowed()
    await handler.admitTo(context.caller(), { kind: Moment, namespace: '', name }, 'get', subresource)
    const moment = await momentOf(facts, name)
    return subresource === 'objects' ? this.#objects(context, moment) : this.#snapshot(context, moment)
  }

  /** The inner request is authorized as if it had come alone: nobody reads of the past what they may not read now. */
  async #objects(context: RequestContext, { revision }: StoreMoment): Promise<void> {
    const { exchange } = context
    const path = OBJECTS.exec(exchange.path)?.[1]
    const info = path === undefined ? undefined : requestInfoOf(path)
    if (path === undefined || !info?.isResource || !this.#options.resources.isKnown(info) || this.serves(info)) throw noSuchResource()
    if (info.subresource !== '' && info.subresource !== 'status') throw badRequest(`of the past there is no ${info.subresource}`)
    const query = new URLSearchParams(exchange.query)
    if (info.isWatchPath || query.get('watch') === 'true' || query.get('watch') === '1')
      throw badRequest('the past cannot be watched: it is over')
    if (info.name === '' && !query.get('continue')) {
      query.set('resourceVersion', String(revision))
      query.set('resourceVersionMatch', 'Exact')
    }
    const inner = new RequestContext(
      exchangeWith(exchange, { path, query: query.toString() }),
      context.auditId,
      context.user,
      context.protobuf,
    )
    inner.asOf = revision
    inner.flow = context.flow
    try {
      await this.#options.resources.serve(inner, info)
    } finally {
      context.form = inner.form
      context.status = inner.status
      if (inner.isAnswered) context.markAnswered()
    }
  }

  async #snapshot(context: RequestContext, { revision }: StoreMoment): Promise<void> {
    const { exchange } = context
    const { store } = this.#options
    let isGone = false
    exchange.onAbort(() => {
      isGone = true
    })
    const parts = encodeSnapshot(store, revision)
    const first = await parts.next()
    const stream = exchange.stream(200, context.headers('application/octet-stream'))
    context.markAnswered()
    try {
      for (let part = first; !part.done && !isGone; part = await parts.next()) {
        stream.write(part.value)
        if (stream.pendingBytes > MAX_PENDING_BYTES) await new Promise<void>(resolve => stream.onDrain(resolve))
      }
      stream.end()
    } catch (error) {
      stream.destroy()
      throw error
    }
  }
}

const MAX_PENDING_BYTES = 1 << 20
