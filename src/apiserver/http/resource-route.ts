import type { Clock } from '#base/time/clock.ts'
import type { GetOptions, Patch } from '#client/client.ts'
import type { RequestTarget } from '#client/direct/api-handler.ts'
import { JsonError, readJson } from '#machinery/codec/json/parse-json.ts'
import { readYaml, YamlError } from '#machinery/codec/yaml/parse-yaml.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import { badRequest, requestEntityTooLarge, unsupportedMediaType } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { seatsOfList } from '../flow-control/work-estimate.ts'
import type { Handler } from '../handler.ts'
import type { NodeStreams } from '../node-streams/node-streams.ts'
import type { Page } from '../registry/read.ts'
import { success } from '../subresources/success.ts'
import type { Gzip } from './compression.ts'
import { BodyTooLarge, headerOf, type ResponseHeaders } from './exchange.ts'
import { MEDIA_TYPES, type Negotiated, negotiate, noRepresentation } from './negotiation.ts'

import { deleteOptionsOf, flagOf, patchOptionsOf, type Query, queryOf, readOptionsOf, writeOptionsOf } from './options.ts'
import { type ProtobufReader, parseRequestBody } from './parse-request-body.ts'
import { type ProtobufWriter, type Rendered, renderList, renderObject } from './render.ts'
import { methodNotAllowed, noSuchResource, type RequestContext } from './request-context.ts'
import type { ResourceRequestInfo } from './request-info.ts'
import { type IncludeObject, partialOf, type TableOptions, tableOf } from './table.ts'
import { tableJson } from './table-json.ts'
import { serveWatch } from './watch-route.ts'
import type { WatchFramer } from './watch-stream.ts'

/** Bodies beyond this are refused (413). */
export const BODY_LIMIT = 3 * 1024 * 1024

export interface ResourceRouteOptions {
  readonly handler: Handler
  readonly clock: Clock
  readonly random: { next(): number }
  readonly protobuf: ProtobufWriter & ProtobufReader
  readonly framer: WatchFramer
  readonly gzip: Gzip
  /** Subresources that lead to nodes. */
  readonly streams: NodeStreams
}

/** Requests for objects: everything under `/api/v1/…` and `/apis/<group>/<version>/…`. */
export class ResourceRoute {
  readonly #options: ResourceRouteOptions

  constructor(options: ResourceRouteOptions) {
    this.#options = options
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
    const deprecation = DEPRECATIONS[`${kind.apiVersion}/${kind.kind}`] ?? kind.deprecationWarning
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
    await this.#sendObject(context, target.kind, object, query)
  }

  async #list(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'list')
    const page = await this.#options.handler.list(context.caller(), target, readOptionsOf(query))
    await this.#sendList(context, target.kind, page, query)
  }

  async #create(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'create')
    if (target.kind.scope === 'Namespaced' && target.namespace === '') throw methodNotAllowed()
    const options = writeOptionsOf(query, 'CreateOptions')
    const body = await this.#body(context, target.kind)
    if (isKept(target.kind)) {
      const object = await this.#options.handler.createFrom(context.caller(), target, body, options)
      return this.#sendObject(context, target.kind, object, query, 201)
    }
    const answer = await this.#options.handler.callReview(context.caller(), target, body, options)
    return this.#sendObject(context, target.kind, answer.object as ApiObject, query, answer.code ?? 201)
  }

  async #update(context: RequestContext, target: RequestTarget, subresource: string, query: Query): Promise<void> {
    need(target.kind, 'update')
    const options = writeOptionsOf(query, 'UpdateOptions')
    const body = await this.#body(context, target.kind)
    const { object, created } = await this.#options.handler.updateFrom(context.caller(), target, subresource, body, options)
    await this.#sendObject(context, target.kind, object, query, created ? 201 : 200)
  }

  async #patch(context: RequestContext, target: RequestTarget, subresource: string, query: Query): Promise<void> {
    need(target.kind, 'patch')
    const { patch, duplicates } = await this.#patchBody(context, query, target.kind)
    const options = patchOptionsOf(query, patch.type === 'apply')
    const caller = context.caller()
    const sent = patch.type === 'apply' ? { ...patch, force: options.force } : patch
    const request = { patch: sent, duplicates }
    const { object, created } = await this.#options.handler.patchFrom(caller, target, request, { ...options, subresource })
    await this.#sendObject(context, target.kind, object, query, created ? 201 : 200)
  }

  async #delete(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'delete')
    const options = deleteOptionsOf(query, await this.#deleteBody(context))
    const { object, gone } = await this.#options.handler.delete(context.caller(), target, options)
    if (!gone || target.kind.deleteReturnsObject) return this.#sendObject(context, target.kind, object, query)
    const { group, plural } = target.kind
    const { name = '', uid = '' } = object.metadata
    context.sendObject(200, success(undefined, { name, ...(group ? { group } : {}), kind: plural, uid }), { ...context.form, as: '' })
  }

  async #deleteCollection(context: RequestContext, target: RequestTarget, query: Query): Promise<void> {
    need(target.kind, 'deletecollection')
    const read = readOptionsOf(query)
    const options = deleteOptionsOf(query, await this.#deleteBody(context))
    const items = await this.#options.handler.deleteCollection(context.caller(), target, read, options)
    const resourceVersion = String(this.#options.handler.core.objects.revision)
    await this.#sendList(context, target.kind, { metadata: { resourceVersion }, items }, query)
  }

  #watch(context: RequestContext, target: RequestTarget, query: Query, info: ResourceRequestInfo): void {
    need(target.kind, 'watch')
    const { name } = info
    serveWatch(context, { ...target, name }, readOptionsOf(withWatch(query)), {
      ...this.#options,
      table: () => this.#tableOptions(context.form, query),
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
    const patch = verb === 'patch' ? await this.#patchBody(context, query, kind) : undefined
    const body =
      verb === 'create' || verb === 'update'
        ? await this.#body(context, declared.kind ? this.#kindOf(declared.kind, kind) : kind)
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
    await this.#sendObject(context, this.#kindOfObject(shown), shown, query, answer.code ?? (verb === 'create' ? 201 : 200))
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
    if (accept && isOutOfReach(accept)) throw noRepresentation(isCollection && context.exchange.method === 'GET')
    if (!kind.isCustom || isMetadataOnly(accept)) return negotiate(accept, { protobuf: true, transforms: true })
    try {
      return negotiate(accept, { protobuf: false, transforms: true })
    } catch (error) {
      // That there is no protobuf is told in protobuf to who understands nothing else.
      context.form = negotiate(accept, { protobuf: true, transforms: true })
      throw error
    }
  }

  async #body(context: RequestContext, kind: AnyKind) {
    const bytes = await this.#bytes(context)
    const body = parseRequestBody(bytes, headerOf(context.exchange, 'content-type'), kind, this.#options.protobuf)
    context.audit?.requested(body.value)
    return body
  }

  /** The options of a delete stand in its body, if it has one. */
  async #deleteBody(context: RequestContext): Promise<unknown> {
    const bytes = await this.#bytes(context)
    if (bytes.length === 0) return undefined
    const type = headerOf(context.exchange, 'content-type')
    const { value } = parseRequestBody(bytes, type, DELETE_OPTIONS, this.#options.protobuf)
    context.audit?.patched(value)
    return value
  }

  async #patchBody(context: RequestContext, query: Query, kind: AnyKind): Promise<{ patch: Patch; duplicates: readonly string[] }> {
    const contentType = (headerOf(context.exchange, 'content-type') ?? '').split(';', 1)[0]!.trim()
    const type = PATCH_TYPES[contentType]
    if (type === 'strategic' && kind.isCustom) throw unsupportedMediaType(CUSTOM_PATCH_TYPES)
    if (!type) {
      throw new StatusError({ code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} })
    }
    void query
    const bytes = await this.#bytes(context)
    try {
      if (type === 'apply') {
        const { value, duplicates } = readYaml(bytes)
        if (duplicates.length > 0) throw badRequest(`error decoding YAML: ${duplicates[0]}`)
        context.audit?.patched(value)
        return { patch: { type, body: value }, duplicates }
      }
      const { value, duplicates } = readJson(bytes)
      context.audit?.patched(value)
      return { patch: { type, body: value } as Patch, duplicates }
    } catch (error) {
      if (error instanceof JsonError)
        throw badRequest(type === 'strategic' ? error.message : `error decoding patch: ${error.message}`, error)
      if (error instanceof YamlError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`, error)
      throw error
    }
  }

  async #bytes(context: RequestContext): Promise<Uint8Array> {
    try {
      return await context.exchange.body(BODY_LIMIT)
    } catch (error) {
      if (error instanceof BodyTooLarge) throw requestEntityTooLarge(error.message)
      throw error
    }
  }

  #tableOptions(form: Negotiated, query: Query): TableOptions {
    const includeObject = (query.get('includeObject') || 'Metadata') as IncludeObject
    return { includeObject, version: form.asVersion, now: this.#options.clock.now() }
  }

  async #sendObject(context: RequestContext, kind: AnyKind | undefined, object: ApiObject, query: Query, status = 200): Promise<void> {
    const { form } = context
    if (form.as === '' || !kind || (object as { kind?: string }).kind === 'Status') {
      context.audit?.responded(object)
      return this.#send(context, status, renderObject(kind, object, form, this.#options.protobuf))
    }
    if (form.as === 'PartialObjectMetadataList') {
      throw wrongTransform(
        `you requested PartialObjectMetadataList, but the requested object is not a list (*${goTypeOf(kind, kind.kind)})`,
      )
    }
    const { resourceVersion = '' } = object.metadata
    const shown =
      form.as === 'Table'
        ? tableOf(kind, [object], { resourceVersion }, this.#tableOptions(form, query))
        : partialOf(kind, object, form.asVersion)
    context.audit?.responded(shown)
    return this.#send(context, status, renderObject(undefined, shown, form, this.#options.protobuf))
  }

  async #sendList(context: RequestContext, kind: AnyKind, page: Page, query: Query): Promise<void> {
    const { form } = context
    if (form.as === '') {
      context.audit?.responded({ kind: kind.listKind, apiVersion: kind.apiVersion, metadata: page.metadata, items: page.items })
      return this.#send(context, 200, renderList(kind, page, form, this.#options.protobuf))
    }
    if (form.as === 'PartialObjectMetadata') {
      throw wrongTransform(`you requested PartialObjectMetadata, but the requested object is a list (*${goTypeOf(kind, kind.listKind)})`)
    }
    if (form.as === 'Table' && form.encoding === 'json' && !form.isPretty) {
      const bytes = tableJson(kind, page, this.#tableOptions(form, query))
      return this.#send(context, 200, { bytes, contentType: MEDIA_TYPES.json })
    }
    const apiVersion = `meta.k8s.io/${form.asVersion}`
    const shown =
      form.as === 'Table'
        ? tableOf(kind, page.items, page.metadata, this.#tableOptions(form, query))
        : {
            kind: 'PartialObjectMetadataList',
            apiVersion,
            metadata: page.metadata,
            items: page.items.map(item => partialOf(kind, item, form.asVersion)),
          }
    context.audit?.responded(shown)
    return this.#send(context, 200, renderObject(undefined, shown, form, this.#options.protobuf))
  }

  /** Big answers to reads are compressed if the client can take it. */
  #send(context: RequestContext, status: number, rendered: Rendered): Promise<void> | void {
    const { gzip } = this.#options
    const { exchange } = context
    if (exchange.method !== 'GET' || !gzip.isWorthwhile(rendered.bytes, headerOf(exchange, 'accept-encoding'))) {
      return context.send(status, rendered)
    }
    return gzip.compress(rendered.bytes).then(bytes => context.send(status, { ...rendered, bytes }, GZIPPED))
  }
}

/** What every request for a kind that is on its way out is answered with. */
const DEPRECATIONS: Readonly<Record<string, string>> = {
  'v1/Endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  'v1/ComponentStatus': 'v1 ComponentStatus is deprecated in v1.19+',
}
const GZIPPED: ResponseHeaders = { 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
const METHOD_VERBS: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
const PATCH_TYPES: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}
/** Strategic merge needs a schema that says how: custom resources have none. */
const CUSTOM_PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']
/** As far as parsing goes, the options of a delete are a kind. */
const DELETE_OPTIONS = { kind: 'DeleteOptions', version: 'v1', group: 'meta.k8s.io' } as unknown as AnyKind

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

function wrongTransform(message: string): StatusError {
  return new StatusError({ code: 406, reason: 'NotAcceptable', message })
}

/** The Go type in upstream's internal packages: `core.ConfigMapList`. */
function goTypeOf(kind: AnyKind, name: string): string {
  const group = kind.group === '' ? 'core' : kind.group.split('.', 1)[0]!
  return `${group}.${name}`
}
