import type {
  DeleteOptions,
  GetOptions,
  ListOptions,
  Patch,
  PatchOptions,
  SubresourceRequest,
  WatchOptions,
  WatchSink,
  WriteOptions,
} from '#client/client.ts'
import type { ApiHandler, Caller, RequestTarget } from '#client/direct/api-handler.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { badRequest, methodNotSupported } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { type Access, checkAccess } from './access.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import type { Body } from './registry/body.ts'
import type { Core } from './registry/core.ts'
import { create, resourceOf } from './registry/create.ts'
import { type Deleted, remove } from './registry/delete.ts'
import { type PatchBody, patch } from './registry/patch.ts'
import { get, list, type Page } from './registry/read.ts'
import { selectionOf } from './registry/select.ts'
import { update, type Written } from './registry/update.ts'
import { converted, prepared, show, storedKindOf } from './registry/views.ts'
import { fieldManagerOf, type WriteRequest } from './registry/write-request.ts'
import type { SubresourceAnswer, Subresources } from './subresources/subresource.ts'
import type { CacheEvent } from './watch-cache/change.ts'

/** A subresource's request with everything that the wire says of it. */
export interface FullSubresourceRequest extends SubresourceRequest {
  readonly patch?: 'json' | 'merge' | 'strategic' | 'apply'
  readonly dryRun?: boolean | undefined
  readonly fieldManager?: string | undefined
  readonly fieldValidation?: WriteOptions['fieldValidation']
}

/**
 * The API server as an object: authorization, admission and registry behind the verbs. The HTTP front calls the methods that take a body
 * with what was found while parsing it; everyone else those of {@link ApiHandler}.
 */
export class Handler implements ApiHandler {
  readonly core: Core
  readonly #authorizer: Authorizer
  readonly #subresources: Subresources

  constructor(core: Core, authorizer: Authorizer, subresources: Subresources) {
    this.core = core
    this.#authorizer = authorizer
    this.#subresources = subresources
  }

  // Hot: bench/apiserver — no promise is made where none is needed.
  read(caller: Caller, asked: RequestTarget, options: GetOptions): ApiObject | Promise<ApiObject> {
    const target = this.#served(asked)
    const pending = this.#check(caller, target, 'get', '')
    return pending ? pending.then(() => get(this.core, target, options)) : get(this.core, target, options)
  }

  async get(caller: Caller, target: RequestTarget, options: GetOptions): Promise<object> {
    return this.read(caller, target, options)
  }

  async list(caller: Caller, asked: RequestTarget, options: ListOptions): Promise<Page> {
    const target = this.#served(asked)
    const { fieldSelector, labelSelector } = options
    await this.#check(caller, target, 'list', '', { fieldSelector, labelSelector })
    return list(this.core, target, options)
  }

  watch(caller: Caller, asked: RequestTarget, options: WatchOptions, sink: WatchSink<object>): Disposable {
    const target = this.#served(asked)
    const { kind } = target
    return this.watchEvents(caller, target, options, {
      events(events) {
        for (const { type, object } of events) sink.event({ type, object: show(kind, object) })
      },
      closed: error => sink.closed(error),
    })
  }

  /** As {@link watch}, in batches of the cache's own events: those of a view are not converted yet. */
  watchEvents(
    caller: Caller,
    target: RequestTarget,
    options: WatchOptions,
    sink: { started?(): void; events(events: readonly CacheEvent[]): void; closed(error: Error | undefined): void },
  ): Disposable {
    let isOver = false
    let running: Disposable | undefined
    const begin = async () => {
      const { fieldSelector, labelSelector } = options
      await this.#check(caller, target, 'watch', '', { fieldSelector, labelSelector })
      const kind = storedKindOf(target.kind)
      const selection = selectionOf(kind, { ...options, namespace: target.namespace }, target.kind)
      const since = sinceOf(options)
      if (since === undefined) await this.#upTo(options.resourceVersion ?? '')
      if (isOver) return
      const { sendInitialEvents = false, allowBookmarks = false } = options
      const wanted = { selection, since, marksInitialEnd: sendInitialEvents && allowBookmarks, wantsBookmarks: allowBookmarks }
      running = this.core.objects.cacheOf(kind).watch(wanted, target.kind.view?.prepare ? converting(target.kind, sink) : sink)
      sink.started?.()
    }
    begin().catch((error: unknown) => {
      if (!isOver) sink.closed(error instanceof Error ? error : new Error(String(error)))
    })
    return {
      [Symbol.dispose]() {
        isOver = true
        running?.[Symbol.dispose]()
      },
    }
  }

  async create(caller: Caller, target: RequestTarget, object: object, options: WriteOptions): Promise<ApiObject> {
    const body = { value: object }
    if (!this.handlesSubresource(target.kind, '')) return this.createFrom(caller, target, body, options)
    return (await this.callReview(caller, target, body, options)).object as ApiObject
  }

  async createFrom(caller: Caller, asked: RequestTarget, body: Body, options: WriteOptions): Promise<ApiObject> {
    const target = this.#served(asked)
    const pending = this.#check(caller, target, 'create', '')
    if (pending) await pending
    return notTooDeep(create(this.core, this.#request(caller, target, '', options), body))
  }

  update(caller: Caller, target: RequestTarget, subresource: string, object: object, options: WriteOptions): Promise<Written> {
    return this.updateFrom(caller, target, subresource, { value: object }, options)
  }

  async updateFrom(caller: Caller, asked: RequestTarget, subresource: string, body: Body, options: WriteOptions): Promise<Written> {
    const target = this.#served(asked)
    const pending = this.#check(caller, target, 'update', subresource)
    if (pending) await pending
    return notTooDeep(update(this.core, this.#request(caller, target, subresource, options), body))
  }

  patch(caller: Caller, target: RequestTarget, body: Patch, options: PatchOptions): Promise<Written> {
    return this.patchFrom(caller, target, { patch: body }, options)
  }

  async patchFrom(caller: Caller, asked: RequestTarget, body: PatchBody, options: PatchOptions): Promise<Written> {
    const target = this.#served(asked)
    const { subresource = '' } = options
    const pending = this.#check(caller, target, 'patch', subresource)
    if (pending) await pending
    return notTooDeep(patch(this.core, this.#request(caller, target, subresource, options), body))
  }

  async delete(caller: Caller, asked: RequestTarget, options: DeleteOptions): Promise<Deleted> {
    const target = this.#served(asked)
    await this.#check(caller, target, 'delete', '')
    return remove(this.core, this.#request(caller, target, '', options), options)
  }

  async deleteCollection(
    caller: Caller,
    asked: RequestTarget,
    selection: ListOptions,
    options: DeleteOptions,
  ): Promise<readonly ApiObject[]> {
    const target = this.#served(asked)
    const { fieldSelector, labelSelector } = selection
    await this.#check(caller, target, 'deletecollection', '', { fieldSelector, labelSelector })
    const { items } = await list(this.core, target, selection)
    const deleted: ApiObject[] = []
    for (const object of items) {
      const { metadata } = object
      const one = { kind: target.kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
      try {
        await remove(this.core, this.#request(caller, one, '', options), options)
        deleted.push(object)
      } catch (error) {
        if (!(error instanceof StatusError) || error.reason !== 'NotFound') throw error
      }
    }
    return deleted
  }

  async subresource(caller: Caller, target: RequestTarget, request: SubresourceRequest): Promise<unknown> {
    return (await this.callSubresource(caller, target, request)).object
  }

  async callSubresource(caller: Caller, asked: RequestTarget, request: FullSubresourceRequest): Promise<SubresourceAnswer> {
    const target = this.#served(asked)
    const { subresource, verb, body, options = {} } = request
    const { kind } = target
    const declared = kind.subresources.find(({ name }) => name === subresource)
    if (!declared) throw new StatusError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' })
    await this.#check(caller, target, verb, subresource)
    const handler = this.#subresources.find(kind.group, kind.plural, subresource)
    const act = handler?.[verb]
    if (handler && act) {
      const { dryRun, fieldManager, fieldValidation } = this.#request(caller, target, subresource, { ...request, ...readOptions(options) })
      return act.call(handler, this.core, {
        caller,
        target,
        body,
        options,
        dryRun,
        fieldManager,
        fieldValidation,
        ...(request.patch ? { patch: request.patch } : {}),
        force: options['force'] === 'true',
      })
    }
    if (handler || !declared.verbs.includes(verb)) throw methodNotSupported(resourceOf({ kind }), verb)
    if (verb === 'get') return { object: await get(this.core, target, {}) }
    if (verb !== 'update') throw methodNotSupported(resourceOf({ kind }), verb)
    const write = this.#request(caller, target, subresource, { ...request, ...readOptions(options) })
    return { object: (await update(this.core, write, { value: body })).object }
  }

  /** Custom resources come and go: a client in this process may know the kind by a declaration of its own, or by one that has been replaced. */
  #served(target: RequestTarget): RequestTarget {
    const { kinds } = this.core
    const { kind } = target
    if (kinds.has(kind)) return target
    const own = kinds.byResource(kind.group, kind.version, kind.plural)
    return own?.isCustom ? { ...target, kind: own } : target
  }

  /** Refuses with 403 what the caller may not do with a subresource that is answered outside of this server. */
  async admitTo(caller: Caller, target: RequestTarget, verb: string, subresource: string): Promise<void> {
    await this.#check(caller, target, verb, subresource)
  }

  /** Waits until the caches show what a watch begins with: the present, a revision, or ('0') whatever they have. */
  async #upTo(resourceVersion: string): Promise<void> {
    if (resourceVersion === '0') return
    if (resourceVersion === '') await this.core.objects.caughtUp()
    else await this.core.objects.reached(Number(resourceVersion))
  }

  /** Whether a subresource is more than a part of the object. */
  handlesSubresource(kind: AnyKind, subresource: string): boolean {
    return this.#subresources.find(kind.group, kind.plural, subresource) !== undefined
  }

  /** A POST of a kind that is answered and never stored: access and token reviews, bindings. */
  async callReview(caller: Caller, target: RequestTarget, body: Body, options: WriteOptions): Promise<SubresourceAnswer> {
    const { kind } = target
    await this.#check(caller, target, 'create', '')
    const handler = this.#subresources.find(kind.group, kind.plural, '')
    if (!handler?.create) throw methodNotSupported(resourceOf({ kind }), 'create')
    const { dryRun, fieldManager, fieldValidation } = this.#request(caller, target, '', options)
    return handler.create(this.core, { caller, target, body: body.value, options: {}, dryRun, fieldManager, fieldValidation })
  }

  #check(
    caller: Caller,
    target: RequestTarget,
    verb: string,
    subresource: string,
    selectors?: Pick<Access, 'fieldSelector' | 'labelSelector'>,
  ): void | Promise<void> {
    const { kind } = target
    const name = target.name === '' && selectors?.fieldSelector ? nameOf(selectors.fieldSelector) : target.name
    const namespace = kind.kind === 'Namespace' && kind.group === '' ? name : target.namespace
    return checkAccess(this.#authorizer, caller, { verb, kind, subresource, namespace, name, ...selectors })
  }

  #request(caller: Caller, target: RequestTarget, subresource: string, options: WriteOptions): WriteRequest {
    const { kind, name } = target
    return {
      caller,
      kind,
      namespace: kind.scope === 'Namespaced' ? target.namespace : '',
      name,
      subresource,
      dryRun: options.dryRun ?? false,
      fieldManager: fieldManagerOf(options.fieldManager, caller.userAgent),
      fieldValidation: options.fieldValidation ?? 'Warn',
      sent: options,
    }
  }
}

/** The one object that a selector asks for by name: who may see only that one may list it. */
function nameOf(fieldSelector: string): string {
  return /(?:^|,)metadata\.name==?([^,\\]+)(?:,|$)/.exec(fieldSelector)?.[1] ?? ''
}

/** The revision after which a watch begins; undefined: with what is there. */
function sinceOf({ resourceVersion = '', sendInitialEvents = false }: WatchOptions): number | undefined {
  if (resourceVersion !== '' && !/^\d+$/.test(resourceVersion)) {
    const message = `resourceVersion: Invalid value: ${quote(resourceVersion)}: strconv.ParseUint: parsing ${quote(resourceVersion)}: invalid syntax`
    throw new StatusError({ code: 500, reason: '', message })
  }
  return sendInitialEvents || resourceVersion === '' || resourceVersion === '0' ? undefined : Number(resourceVersion)
}

function readOptions(options: Readonly<Record<string, string>>): WriteOptions {
  const { dryRun, fieldManager, fieldValidation } = options
  return {
    ...(dryRun === 'All' ? { dryRun: true } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation: fieldValidation as 'Strict' } : {}),
  }
}

/** Hands events on once they can be shown, in their order. */
function converting(
  kind: AnyKind,
  sink: { events(events: readonly CacheEvent[]): void; closed(error: Error | undefined): void },
): { events(events: readonly CacheEvent[]): void; closed(error: Error | undefined): void } {
  let last: Promise<void> = Promise.resolve()
  let isOver = false
  const end = (error: Error | undefined) => {
    if (!isOver) sink.closed(error)
    isOver = true
  }
  const then = (act: () => void | Promise<void>) => {
    last = last.then(async () => {
      if (!isOver) await act()
    })
    last = last.catch((error: unknown) => end(error instanceof Error ? error : new Error(String(error))))
  }
  return {
    events: events =>
      then(async () => {
        const objects = events.filter(({ type }) => type !== 'BOOKMARK').map(({ object }) => object)
        await prepared(kind, objects)
        await converted(() => objects.map(object => show(kind, object)))
        sink.events(events)
      }),
    closed: error => then(() => end(error)),
  }
}

/** What is nested beyond what the engine's stack walks is the client's to change. */
function notTooDeep<T>(written: Promise<T>): Promise<T> {
  return written.catch((error: unknown) => {
    if (error instanceof RangeError && error.message.includes('call stack')) throw badRequest('the object is nested too deeply', error)
    throw error
  })
}
