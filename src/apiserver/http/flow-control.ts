import type { UserInfo } from '#client/direct/api-handler.ts'
import type { FlowSchema } from '#kinds/flowcontrol/v1/flow-schema.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import type { ResponseHeaders } from './exchange.ts'
import type { RequestInfo } from './request-info.ts'

/** What a request is to flow control. */
export interface Flow {
  readonly user: UserInfo
  readonly verb: string
  readonly info: RequestInfo
}

type Rule = NonNullable<FlowSchema['spec']['rules']>[number]
type Subject = Rule['subjects'][number]

/**
 * Tells which FlowSchema a request belongs to: the first in the order of precedence with a rule for it (KEP-1040). The answer is told to
 * clients in two headers. Hot: remembered by user and kind of request until a FlowSchema changes.
 */
export class FlowControl {
  readonly #schemas: WatchCache
  readonly #levels: WatchCache
  #state: unknown
  #ordered: readonly FlowSchema[] = []
  #known = new WeakMap<UserInfo, Map<string, ResponseHeaders>>()

  constructor(schemas: WatchCache, levels: WatchCache) {
    this.#schemas = schemas
    this.#levels = levels
  }

  headersFor(flow: Flow): ResponseHeaders {
    const { objects } = this.#schemas.snapshot()
    if (objects !== this.#state) this.#restart(objects)
    let byKey = this.#known.get(flow.user)
    if (!byKey) {
      byKey = new Map()
      this.#known.set(flow.user, byKey)
    }
    const key = keyOf(flow)
    let headers = byKey.get(key)
    if (!headers) {
      headers = this.#classify(flow)
      if (byKey.size >= KEYS_LIMIT) byKey.clear()
      byKey.set(key, headers)
    }
    return headers
  }

  #restart(objects: unknown): void {
    this.#state = objects
    this.#known = new WeakMap()
    const all = this.#schemas.snapshot().objects.values() as unknown as FlowSchema[]
    this.#ordered = all.sort((a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence || (nameOf(a) < nameOf(b) ? -1 : 1))
  }

  #classify(flow: Flow): ResponseHeaders {
    const schema = this.#ordered.find(({ spec }) => spec.rules?.some(rule => holds(rule, flow)))
    if (!schema) return NO_HEADERS
    const level = this.#levels.get(schema.spec.priorityLevelConfiguration.name)
    return {
      'x-kubernetes-pf-flowschema-uid': schema.metadata.uid ?? '',
      'x-kubernetes-pf-prioritylevel-uid': level?.metadata.uid ?? '',
    }
  }
}

const NO_HEADERS: ResponseHeaders = {}
const KEYS_LIMIT = 1000

function keyOf({ verb, info }: Flow): string {
  return info.isResource ? `${verb} ${info.group}/${info.resource}/${info.subresource} ${info.namespace}` : `${verb} ${info.path}`
}

function nameOf(object: ApiObject): string {
  return object.metadata.name ?? ''
}

function holds(rule: Rule, flow: Flow): boolean {
  return (
    rule.subjects.some(subject => isSubject(subject, flow.user)) &&
    (flow.info.isResource ? resourceHolds(rule, flow) : pathHolds(rule, flow))
  )
}

function isSubject({ kind, user, group, serviceAccount }: Subject, who: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return user?.name === '*' || user?.name === who.name
    case 'Group':
      return group?.name === '*' || who.groups.includes(group?.name ?? '')
    default: {
      if (!serviceAccount) return false
      const start = `system:serviceaccount:${serviceAccount.namespace}:`
      return serviceAccount.name === '*' ? who.name.startsWith(start) : who.name === `${start}${serviceAccount.name}`
    }
  }
}

function resourceHolds(rule: Rule, { verb, info }: Flow): boolean {
  if (!info.isResource) return false
  const { group, resource, subresource, namespace } = info
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`
  return (rule.resourceRules ?? []).some(
    one =>
      has(one.verbs, verb) &&
      has(one.apiGroups, group) &&
      has(one.resources, wanted) &&
      (namespace === '' ? (one.clusterScope ?? false) : has(one.namespaces ?? [], namespace)),
  )
}

function pathHolds(rule: Rule, { verb, info }: Flow): boolean {
  return (rule.nonResourceRules ?? []).some(
    one =>
      has(one.verbs, verb) &&
      one.nonResourceURLs.some(url => (url.endsWith('*') ? info.path.startsWith(url.slice(0, -1)) : url === info.path)),
  )
}

function has(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value)
}
