import type { Clock } from '#base/time/clock.ts'
import type { GetOptions } from '#client/client.ts'
import type { RequestTarget } from '#client/direct/api-handler.ts'
import { deprecationOf } from '#kinds/deprecations.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { seatsOfList } from '../flow-control/work-estimate.ts'
import type { Handler } from '../handler.ts'
import type { NodeStreams } from '../node-streams/node-streams.ts'
import { success } from '../subresources/success.ts'
import type { Gzip } from './compression.ts'
import { headerOf } from './exchange.ts'
import { MEDIA_TYPES, type Negotiated, negotiate, noRepresentation } from './negotiation.ts'

import { ObjectAnswers, type ObjectAnswersOptions } from './object-answers.ts'
import { deleteOptionsOf, flagOf, patchOptionsOf, type Query, queryOf, readOptionsOf, writeOptionsOf } from './options.ts'
import type { ProtobufReader } from './parse-request-body.ts'
import type { ProtobufWriter } from './render.ts'
import { RequestBodies } from './request-bodies.ts'
import { methodNotAllowed, noSuchResource, type RequestContext } from './request-context.ts'
import type { ResourceRequestInfo } from './request-info.ts'
import { serveWatch } from './watch-route.ts'
import type { WatchFramer } from './watch-stream.ts'

export interface ResourceRouteOptions {
  readonly handler: Handler
  readonly clock: Clock
  readonly random: { next(): number }
  readonly protobuf: ProtobufWriter & ProtobufReader
  readonly framer: WatchFramer
  /** How long a watch lasts at least when the client does not say. */
  readonly watchMs: number
  readonly gzip: Gzip
  readonly loop: ObjectAnswersOptions['loop']
  /** Subresources that lead to nodes. */
  readonly streams: NodeStreams
}

/** Requests for objects: everything under `/api/v1/…` and `/apis/<group>/<version>/…`. */
export class ResourceRoute {
  readonly #options: ResourceRouteOptions
  readonly #bodies: RequestBodies
  readonly #answers: ObjectAnswers

  constructor(options: ResourceRouteOptions) {
    this.#options = options
    this.#bodies = new RequestBodies(options.protobuf)
    this.#answers = new ObjectAnswers(options)
  }

  /** Whether the resource, and its subresource if one is asked for, is served. */
  isKnown({ group, version, resource, subresource, namespace, name, isWatchPath }: ResourceRequestInfo): boolean {
    const kind = this.#options.handler.core.kinds.byResource(group, version, resource)
    if (!kind?.verbs.length) return false
    if (kind.isCustom && (kind.scope === 'Cluster' ? namespace !== '' : namespace === '' && name !== '' && !isWatchPath)) return false
    return subresource === '' || kind.subresources.some(({ name }) => name === subresource)
  }

  /** How many seats a list takes, by what it goes through. */
  seatsOf({ group, version, resource }: ResourceRequestInfo, query: string): number {
    const { kinds, objects } = this.#options.handler.core
    const kind = kinds.byResource(group, version, resource)
    return kind?.verbs.includes('list') ? seatsOfList(objects.cacheOf(kind.view?.of ?? kind).size, query) : 1
  }

  /** Whether what is served of a group is custom resources. */
  isCustomGroup(group: string): boolean {
    for (const kind of this.#options.handler.core.kinds.all()) if (kind.group === group) return kind.isCustom === true
    return false
  }

  async serve(context: RequestContext, info: ResourceRequestInfo): Promise<void> {
    const { kinds } = this.#options.handler.core
    const kind = kinds.byResource(info.group, info.version, info.resource)
    if (!kind?.verbs.length) throw noSuchResource()
    const stream = info.subresource !== '' && this.#options.streams.find(kind.group, kind.plural, info.subresource)
    if (stream) return this.#options.streams.serve(context, targetOf(kind, info), stream)
    const { method } = context.exchange
    const query = queryOf(context.exchange.query)
    context.form = this.#negotiate(context, kind, info.name === '' && info.subresource === '')
    if (context.exchange.query.includes('pretty') || isBrowser(headerOf(context.exchange, 'user-agent'))) {
      context.form = { ...context.form, isPretty: isPretty(query, headerOf(context.exchange, 'user-agent'), context.form) }
    }
    if (info.subresource !== '' && !kind.subresources.some(({ name }) => name === info.subresource)) throw noSuchResource()
    const target = targetOf(kind, info)
    checkTimeout(query)
    const deprecation = deprecationOf(kind)
    if (deprecation && isOffered(kind, method, info)) context.warn(deprecation)
    if (info.subresource !== '') return this.#subresource(context, target, info, query)
    switch (method) {
      case 'GET':
        if (info.isWatchPath || isWatch(query, info)) return this.#watch(context, target, query, info)
        return info.name === '' ? this.#list(context, target, query) : this.#get(context, target, query)
      case 'POST':
        if (info.name !== '') throw methodNotAllowed()
        return this.#create(context, target, query)
      case 'PUT':
        if (info.name === '') throw methodNotAllowed()
        return this.#update(context, target, '', query)
      case 'PATCH':
        if (info.name === '') throw methodNotAllowed()
        return this.#patch(context, target, '', query)
      case 'DELETE':
        return info.name === '' ? this.#deleteCollection(context, target, query) : this.#delete(context, target, query)
      default:
        throw methodNotAllowed()
    }
  }

  async #get(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    const resourceVersion = query.get('resourceVersion')
    need(target.kind, 'get')
    const options = context.asOf !== undefined ? exactly(context.asOf) : resourceVersion ? { resourceVersion } : {}
    const pending = this.#options.handler.read(context.caller(), target, options)
    const object = pending instanceof Promise ? await pending : pending
    await this.#answers.object(context, target.kind, object, query)
  }

  async #list(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'list')
    const page = await this.#options.handler.list(context.caller(), target, readOptionsOf(query))
    await this.#answers.list(context, target.kind, page, query)
  }

  async #create(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'create')
    if (target.kind.scope === 'Namespaced' && target.namespace === '') throw methodNotAllowed()
    const options = writeOptionsOf(query, 'CreateOptions')
    const body = await this.#bodies.object(context, target.kind)
    if (isKept(target.kind)) {
      const object = await this.#options.handler.createFrom(context.caller(), target, body, options)
      return this.#answers.object(context, target.kind, object, query, 201)
    }
    const answer = await this.#options.handler.callReview(context.caller(), target, body, options)
    return this.#answers.object(context, target.kind, answer.object as ApiObject, query, answer.code ?? 201)
  }

  async #update(context: RequestContext, target: RequestTarget, subresource: string, query: Query): Promise<void> {
    need(target.kind, 'update')
    const options = writeOptionsOf(query, 'UpdateOptions')
    const body = await this.#bodies.object(context, target.kind)
    const { object, created } = await this.#options.handler.updateFrom(context.caller(), target, subresource, body, options)
    await this.#answers.object(context, target.kind, object, query, created ? 201 : 200)
  }

  async #patch(context: RequestContext, target: RequestTarget, subresource: string, query: Query): Promise<void> {
    need(target.kind, 'patch')
    const { patch, duplicates } = await this.#bodies.patch(context, target.kind)
    const options = patchOptionsOf(query, patch.type === 'apply')
    const caller = context.caller()
    const sent = patch.type === 'apply' ? { ...patch, force: options.force } : patch
    const request = { patch: sent, duplicates }
    const { object, created } = await this.#options.handler.patchFrom(caller, target, request, { ...options, subresource })
    await this.#answers.object(context, target.kind, object, query, created ? 201 : 200)
  }

  async #delete(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'delete')
    const options = deleteOptionsOf(query, await this.#bodies.deleteOptions(context))
    const { object, gone } = await this.#options.handler.delete(context.caller(), target, options)
    if (!gone || target.kind.deleteReturnsObject) return this.#answers.object(context, target.kind, object, query)
    const { group, plural } = target.kind
    const { name = '', uid = '' } = object.metadata
    context.sendObject(200, success(undefined, { name, ...(group ? { group } : {}), kind: plural, uid }), { ...context.form, as: '' })
  }

  async #deleteCollection(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'deletecollection')
    const read = readOptionsOf(query)
    const options = deleteOptionsOf(query, await this.#bodies.deleteOptions(context))
    const items = await this.#options.handler.deleteCollection(context.caller(), target, read, options)
    const resourceVersion = String(this.#options.handler.core.objects.revision)
    await this.#answers.list(context, target.kind, { metadata: { resourceVersion }, items }, query)
  }

  #watch(context: RequestContext, target: RequestTarget, query: Query, info: ResourceRequestInfo): void {
    need(target.kind, 'watch')
    const { name } = info
    serveWatch(context, { ...target, name }, readOptionsOf(withWatch(query)), {
      ...this.#options,
      table: () => this.#answers.tableOptions(context.form, query),
    })
  }

  async #subresource(context: RequestContext, target: RequestTarget, info: ResourceRequestInfo, query: Query): Promise<void> {
    const { subresource } = info
    const { kind } = target
    const declared = kind.subresources.find(({ name }) => name === subresource)
    if (!declared) throw noSuchResource()
    const { method } = context.exchange
    if (subresource === 'status' && !declared.kind) {
      if (method === 'GET') return this.#get(context, target, query)
      if (method === 'PUT') return this.#update(context, target, 'status', query)
      if (method === 'PATCH') return this.#patch(context, target, 'status', query)
      throw methodNotAllowed()
    }
    const verb = METHOD_VERBS[method]
    if (!verb || !(declared.verbs as readonly string[]).includes(verb)) throw methodNotAllowed()
    const { handler } = this.#options
    if (!handler.handlesSubresource(kind, subresource) && !declared.kind) {
      if (verb === 'get') return this.#get(context, target, query)
      if (verb === 'update') return this.#update(context, target, subresource, query)
      if (verb === 'patch') return this.#patch(context, target, subresource, query)
    }
    const patch = verb === 'patch' ? await this.#bodies.patch(context, kind) : undefined
    const body =
      verb === 'create' || verb === 'update'
        ? await this.#bodies.object(context, declared.kind ? this.#kindOf(declared.kind, kind) : kind)
        : undefined
    const options = Object.fromEntries(query)
    const write =
      verb === 'get'
        ? {}
        : patch
          ? patchOptionsOf(query, patch.patch.type === 'apply')
          : writeOptionsOf(query, verb === 'create' ? 'CreateOptions' : 'UpdateOptions')
    const answer = await handler.callSubresource(context.caller(), target, {
      subresource,
      verb: verb as 'get',
      options,
      ...write,
      body: patch ? patch.patch.body : body?.value,
      ...(patch ? { patch: patch.patch.type } : {}),
    })
    const shown = answer.object as ApiObject
    await this.#answers.object(context, this.#kindOfObject(shown), shown, query, answer.code ?? (verb === 'create' ? 201 : 200))
  }

  /** The kind of a subresource's body; the object's own where it is none that is served. */
  #kindOf(of: { group: string; version: string; kind: string }, fallback: AnyKind): AnyKind {
    return this.#options.handler.core.kinds.byKind(of.group, of.version, of.kind) ?? fallback
  }

  #kindOfObject({ apiVersion, kind }: ApiObject): AnyKind | undefined {
    const slash = apiVersion.indexOf('/')
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
    return this.#options.handler.core.kinds.byKind(group, version, kind)
  }

  #negotiate(context: RequestContext, kind: AnyKind, isCollection: boolean): Negotiated {
    const accept = headerOf(context.exchange, 'accept')
    if (accept && accept !== MEDIA_TYPES.json && isOutOfReach(accept))
      throw noRepresentation(isCollection && context.exchange.method === 'GET')
    if (!kind.isCustom || isMetadataOnly(accept)) return negotiate(accept, { protobuf: true, transforms: true })
    try {
      return negotiate(accept, { protobuf: false, transforms: true })
    } catch (error) {
      // That there is no protobuf is told in protobuf to who understands nothing else.
      context.form = negotiate(accept, { protobuf: true, transforms: true })
      throw error
    }
  }
}

const METHOD_VERBS: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
function targetOf(kind: AnyKind, info: ResourceRequestInfo): RequestTarget {
  const isNamespaced = kind.scope === 'Namespaced'
  if (!isNamespaced && info.namespace !== '') throw noSuchResource()
  if (isNamespaced && info.namespace === '' && info.name !== '' && !info.isWatchPath) throw noSuchResource()
  if (info.name !== '') {
    if (!isKept(kind)) throw noSuchResource()
    const wrong = isPathSegmentName(info.name)
    if (wrong.length > 0) throw badRequest(`Name parameter invalid: ${quote(info.name)}: ${wrong.join(';')}`)
  }
  return { kind, namespace: info.namespace, name: info.name }
}

/** How long the client wants to wait; only its form is looked at, since nothing here takes longer than clients wait. */
function checkTimeout(query: Query): void {
  const timeout = query.get('timeout')
  if (timeout === null || timeout === '') return
  try {
    durationMs(timeout)
  } catch {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${quote(timeout)}`)
  }
}

function exactly(revision: number): GetOptions {
  return { resourceVersion: String(revision), resourceVersionMatch: 'Exact' }
}

function need(kind: AnyKind, verb: AnyKind['verbs'][number]): void {
  if (!kind.verbs.includes(verb)) throw methodNotAllowed()
}

/** Whether the kind knows the verb of a method. */
function isOffered(kind: AnyKind, method: string, { name }: ResourceRequestInfo): boolean {
  const verb = method === 'DELETE' && name === '' ? 'deletecollection' : METHOD_VERBS[method]
  return kind.verbs.some(known => known === verb)
}

function isKept(kind: AnyKind): boolean {
  return kind.verbs.includes('get')
}

function isWatch(query: Query, { name }: ResourceRequestInfo): boolean {
  return name === '' && (flagOf(query, 'watch') ?? false)
}

function withWatch(query: Query): Query {
  const all = new URLSearchParams(query)
  all.set('watch', 'true')
  return all
}

/** Media types that no route has at all are refused in other words than transformations that cannot be had. */
function isOutOfReach(accept: string): boolean {
  return !accept.split(',').some(clause => {
    const type = clause.split(';', 1)[0]!.trim()
    return type === '*/*' || type === '' || (Object.values(MEDIA_TYPES) as string[]).includes(type)
  })
}

/** Metadata by itself is a kind of its own, which has a form in protobuf whatever it is the metadata of. */
function isMetadataOnly(accept: string | undefined): boolean {
  return accept?.includes('as=PartialObjectMetadata') ?? false
}

function isBrowser(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent)
}

function isPretty(query: Query, userAgent: string | undefined, form: Negotiated): boolean {
  const asked = query.get('pretty')
  if (asked !== null) return asked === 'true' || asked === '1'
  return form.isPretty || isBrowser(userAgent)
}
