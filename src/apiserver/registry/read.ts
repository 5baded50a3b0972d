import type { GetOptions, ListOptions } from '#client/client.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { ListMeta } from '#machinery/kind/object-meta.ts'
import { badRequest, expired, notFound } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { isSelected, isSelective, type Selection } from '../watch-cache/selection.ts'
import { unreadable } from '../watch-cache/unreadable.ts'
import { boundsOf, type Snapshot, selectFrom, type WatchCache } from '../watch-cache/watch-cache.ts'
import type { ComputedResource } from './computed-resource.ts'
import { type ContinueToken, continueKey, decodeContinue, encodeContinue } from './continue-token.ts'
import type { Core } from './core.ts'
import { cacheKey, cacheKeyOf } from './object-store.ts'
import { selectionOf } from './select.ts'
import { converted, prepared, show, storedKindOf } from './views.ts'

/** Where a read goes. */
export interface ReadTarget {
  readonly kind: AnyKind
  readonly namespace: string
  readonly name: string
}

/** A page of objects as of one revision. */
export interface Page {
  readonly metadata: ListMeta
  readonly items: readonly ApiObject[]
}

/** How long a read waits for a revision that has not happened yet. */
const FUTURE_WAIT_MS = 3000

/** One object. Answers at once where the cache is known to be up to date. */
export function get(core: Core, target: ReadTarget, options: GetOptions): ApiObject | Promise<ApiObject> {
  const { resourceVersion = '' } = options
  if (options.resourceVersionMatch === 'Exact') return readPast(core, target, revisionOfGet(resourceVersion))
  const waits =
    resourceVersion === '0' ? undefined : resourceVersion === '' ? core.objects.caughtUp() : waitFor(core, revisionOfGet(resourceVersion))
  return waits ? waits.then(() => read(core, target)) : read(core, target)
}

/** A list, or the next page of one. */
export async function list(core: Core, target: ReadTarget, options: ListOptions): Promise<Page> {
  const kind = storedKindOf(target.kind)
  const selection = selectionOf(kind, { ...options, namespace: target.namespace }, target.kind)
  const limit = options.resourceVersion === '0' || (options.limit ?? 0) <= 0 ? 0 : options.limit!
  const token = options.continue ? continueOf(options) : undefined
  const computed = core.computed.get(kind)
  if (computed) return listComputed(core, computed, target.namespace, selection)
  const cache = core.objects.cacheOf(kind)
  const snapshot = await snapshotFor(core, cache, options, token)
  checkReadable(cache, target.namespace)
  const page = limit === 0 && !token ? whole(cache, snapshot, selection) : part(kind, snapshot, selection, limit, token)
  if (!target.kind.view) return page
  await prepared(target.kind, page.items)
  return { ...page, items: await converted(() => page.items.map(item => show(target.kind, item))) }
}

function read(core: Core, { kind, namespace, name }: ReadTarget): ApiObject | Promise<ApiObject> {
  const computed = core.computed.get(kind)
  if (computed) return readComputed(computed, namespace, name)
  const cache = core.objects.cacheOf(storedKindOf(kind))
  const key = cacheKey(namespace, name)
  const object = cache.get(key)
  if (object) return kind.view ? converted(() => show(kind, object)) : object
  core.objects.refuseUnreadable(storedKindOf(kind), key)
  throw notFound({ group: kind.group, resource: kind.plural }, name)
}

/** Refuses a list of what cannot be read as a whole. */
function checkReadable({ unreadable: keys, prefix }: WatchCache, namespace: string): void {
  if (keys.size === 0) return
  const within = [...keys].filter(([key]) => namespace === '' || key.startsWith(`${namespace}/`))
  if (within.length > 0) throw unreadable(within.map(([key, why]) => [prefix + key, why]))
}

/** The object as it was at a revision. */
async function readPast(core: Core, { kind, namespace, name }: ReadTarget, revision: number): Promise<ApiObject> {
  const waits = waitFor(core, revision)
  if (waits) await waits
  const cache = core.objects.cacheOf(storedKindOf(kind))
  const key = cacheKey(namespace, name)
  const known = cache.snapshotAt(revision)
  const found = known ? { object: known.objects.get(key) } : await core.objects.pastObject(cache, key, revision)
  if (!found) throw expired('The resourceVersion for the provided get is too old.')
  if (!found.object) throw notFound({ group: kind.group, resource: kind.plural }, name)
  const { object } = found
  return converted(() => show(kind, object))
}

async function readComputed({ kind, get }: ComputedResource, namespace: string, name: string): Promise<ApiObject> {
  const object = await get(name, namespace)
  if (!object) throw notFound({ group: kind.group, resource: kind.plural }, name)
  return object
}

async function listComputed(core: Core, { kind, list }: ComputedResource, namespace: string, selection: Selection): Promise<Page> {
  const items = (await list(namespace)).filter(object => isSelected(kind, object, selection))
  return { metadata: { resourceVersion: String(core.objects.revision) }, items }
}

function continueOf(options: ListOptions): ContinueToken {
  if (options.resourceVersion && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  return decodeContinue(options.continue!)
}

/** The snapshot that the options ask for. */
async function snapshotFor(core: Core, cache: WatchCache, options: ListOptions, token: ContinueToken | undefined): Promise<Snapshot> {
  if (token && token.revision > 0) {
    const past = cache.snapshotAt(token.revision) ?? (await core.objects.past(cache, token.revision))
    if (!past) throw expiredToken(token, cache)
    return past
  }
  const { resourceVersion = '', resourceVersionMatch } = options
  if (resourceVersion === '0' && !token) return cache.snapshot()
  if (resourceVersion === '' || token) {
    const behind = core.objects.caughtUp()
    if (behind) await behind
    return cache.snapshot()
  }
  const revision = revisionOfList(resourceVersion)
  const waits = waitFor(core, revision)
  if (waits) await waits
  if (resourceVersionMatch !== 'Exact') return cache.snapshot()
  const past = cache.snapshotAt(revision) ?? (await core.objects.past(cache, revision))
  if (!past) throw expired('The resourceVersion for the provided list is too old.')
  return past
}

function whole(cache: WatchCache, snapshot: Snapshot, selection: Selection): Page {
  const isNow = snapshot.revision === cache.revision && snapshot.objects === cache.snapshot().objects
  const items = isNow ? cache.select(selection) : selectFrom(cache.kind, snapshot.objects, selection)
  return { metadata: { resourceVersion: String(snapshot.revision) }, items }
}

function part(kind: AnyKind, snapshot: Snapshot, selection: Selection, limit: number, token: ContinueToken | undefined): Page {
  const [start, end] = boundsOf(selection.namespace)
  const items: ApiObject[] = []
  let isMore = false
  snapshot.objects.visit(
    object => {
      if (!isSelected(kind, object, selection)) return true
      if (limit > 0 && items.length === limit) {
        isMore = true
        return false
      }
      items.push(object)
      return true
    },
    token ? continueKey(token, start) : start,
    end,
  )
  const metadata = { resourceVersion: String(snapshot.revision) }
  if (!isMore) return { metadata, items }
  const last = cacheKeyOf(items.at(-1)!)
  const rest = snapshot.objects.count(`${last}\0`, end)
  const more = {
    continue: encodeContinue({ revision: snapshot.revision, start: `${last.slice(start.length)}\0` }),
    ...(isSelective(selection) ? {} : { remainingItemCount: rest }),
  }
  return { metadata: { ...metadata, ...more }, items }
}

/** Undefined if the caches show `revision` already. */
function waitFor(core: Core, revision: number): Promise<void> | undefined {
  if (core.objects.revision >= revision) return undefined
  const ended = new AbortController()
  const timer = core.clock.after(FUTURE_WAIT_MS, () => ended.abort(tooLarge(revision, core.objects.revision)))
  return core.objects.reached(revision, ended.signal).finally(() => timer.cancel())
}

function tooLarge(revision: number, current: number): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${revision}, current: ${current}`,
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
  })
}

function expiredToken(token: ContinueToken, cache: WatchCache): StatusError {
  const fresh = encodeContinue({ revision: -1, start: token.start })
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
  void cache
  return Object.assign(expired(message), { continueToken: fresh })
}

function revisionOfGet(text: string): number {
  if (!/^\d+$/.test(text)) throw new StatusError({ code: 500, reason: '', message: invalidRevision(text) })
  return Number(text)
}

function revisionOfList(text: string): number {
  if (!/^\d+$/.test(text)) throw badRequest(invalidRevision(text))
  return Number(text)
}

function invalidRevision(text: string): string {
  return `resourceVersion: Invalid value: ${quote(text)}: strconv.ParseUint: parsing ${quote(text)}: invalid syntax`
}
