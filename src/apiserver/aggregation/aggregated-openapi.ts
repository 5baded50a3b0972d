import { equal } from '#machinery/kind/draft.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { AggregatedRoute } from './aggregated-route.ts'
import type { Aggregation, RemoteVersion } from './aggregation.ts'

/** The OpenAPI documents of aggregated servers, as part of this server's. */
export class AggregatedOpenApi {
  readonly #aggregation: Aggregation
  readonly #route: AggregatedRoute
  /** Documents of version 2, until something of their server changes. */
  readonly #documents = new WeakMap<RemoteVersion, Promise<JsonObject | undefined>>()

  constructor(aggregation: Aggregation, route: AggregatedRoute) {
    this.#aggregation = aggregation
    this.#route = route
  }

  /** What version 3's index says of them, by path. */
  index(): Record<string, object> {
    const index: Record<string, object> = {}
    for (const { service, openApiUrl } of this.#aggregation.remotes()) {
      if (openApiUrl) index[`apis/${service.spec.group}/${service.spec.version}`] = { serverRelativeURL: openApiUrl }
    }
    return index
  }

  /** Answers with a server's own document of version 3; false if `path` is nobody's. */
  async serve(context: RequestContext, path: string): Promise<boolean> {
    const [root, group = '', version = '', ...more] = path.split('/')
    const remote = root === 'apis' && more.length === 0 ? this.#aggregation.remote(group, version) : undefined
    if (!remote) return false
    const { query } = context.exchange
    await this.#route.relay(context, remote, `/openapi/v3/${path}${query === '' ? '' : `?${query}`}`)
    return true
  }

  /** `document` (version 2) with what the servers say of their groups; who cannot be asked is left out. */
  async merged(document: JsonObject): Promise<JsonObject> {
    let merged = document
    for (const remote of this.#aggregation.remotes()) {
      const own = await this.#documentOf(remote)
      if (own) merged = withGroup(merged, own, `/apis/${remote.service.spec.group}/${remote.service.spec.version}`)
    }
    return merged
  }

  #documentOf(remote: RemoteVersion): Promise<JsonObject | undefined> {
    let document = this.#documents.get(remote)
    if (!document) {
      document = this.#aggregation.fetch(remote, '/openapi/v2').then(
        answer => (isJsonObject(answer) ? answer : undefined),
        () => {
          this.#documents.delete(remote)
          return undefined
        },
      )
      this.#documents.set(remote, document)
    }
    return document
  }
}

/** Adds the paths below `prefix` that `own` tells of, and the types they speak of; a type that is called as another one gets another name. */
export function withGroup(document: JsonObject, own: JsonObject, prefix: string): JsonObject {
  const all = objectAt(own, 'paths')
  const paths = Object.fromEntries(Object.entries(all).filter(([path]) => path === prefix || path.startsWith(`${prefix}/`)))
  const ownTypes = objectAt(own, 'definitions')
  const known = objectAt(document, 'definitions')
  const names = new Map<string, string>()
  const open: unknown[] = [paths]
  while (open.length > 0) {
    for (const name of namesIn(open.pop())) {
      if (names.has(name) || !Object.hasOwn(ownTypes, name)) continue
      names.set(name, freeName(name, ownTypes[name], known))
      open.push(ownTypes[name])
    }
  }
  const added = [...names].map(([name, as]) => [as, renamed(ownTypes[name], names)] as const)
  return {
    ...document,
    paths: { ...objectAt(document, 'paths'), ...(renamed(paths, names) as JsonObject) },
    definitions: { ...known, ...Object.fromEntries(added) },
  }
}

const REFERENCE = '#/definitions/'

function freeName(name: string, type: unknown, known: JsonObject): string {
  for (let number = 2, as = name; ; as = `${name}_v${number++}`) if (!Object.hasOwn(known, as) || equal(known[as], type)) return as
}

/** The types that a part of a document refers to. */
function namesIn(root: unknown): string[] {
  const names: string[] = []
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string' && item.startsWith(REFERENCE)) names.push(item.slice(REFERENCE.length))
      else open.push(item)
    }
  }
  return names
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => renamed(item, names))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = key === '$ref' && typeof item === 'string' ? names.get(item.slice(REFERENCE.length)) : undefined
      return [key, name === undefined ? renamed(item, names) : `${REFERENCE}${name}`]
    }),
  )
}

function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object[field]
  return isJsonObject(value) ? value : {}
}
