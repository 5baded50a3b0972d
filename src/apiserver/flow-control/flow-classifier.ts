import type { UserInfo } from '#client/direct/api-handler.ts'
import type { FlowSchema } from '#kinds/flowcontrol/v1/flow-schema.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import type { Arrival } from './request-gate.ts'

/** What tells which flow a request belongs to. */
export type FlowRequest = Pick<Arrival, 'user' | 'verb' | 'info'>

/** Where a request belongs. */
export interface Flow {
  /** The name of the FlowSchema; '' where none is for it. */
  readonly schema: string
  readonly schemaUid: string
  /** The name of the PriorityLevelConfiguration. */
  readonly level: string
  /** The schema and what its distinguisher says: requests of one flow wait for each other. */
  readonly name: string
}

type Rule = NonNullable<FlowSchema['spec']['rules']>[number]
type Subject = Rule['subjects'][number]

/**
 * Tells which FlowSchema a request belongs to: the first in the order of precedence with a rule for it (KEP-1040). Hot: bench/apiserver —
 * remembered by user and kind of request until a FlowSchema changes.
 */
export class FlowClassifier {
  readonly #schemas: WatchCache
  #state: unknown
  #ordered: readonly FlowSchema[] = []
  #known = new WeakMap<UserInfo, Map<string, Flow>>()

  constructor(schemas: WatchCache) {
    this.#schemas = schemas
  }

  flowOf(request: FlowRequest): Flow {
    const { objects } = this.#schemas.snapshot()
    if (objects !== this.#state) this.#restart(objects)
    let byKey = this.#known.get(request.user)
    if (!byKey) {
      byKey = new Map()
      this.#known.set(request.user, byKey)
    }
    const key = keyOf(request)
    let flow = byKey.get(key)
    if (!flow) {
      flow = this.#classify(request)
      if (byKey.size >= KEYS_LIMIT) byKey.clear()
      byKey.set(key, flow)
    }
    return flow
  }

  #restart(objects: unknown): void {
    this.#state = objects
    this.#known = new WeakMap()
    const all = this.#schemas.snapshot().objects.values() as unknown as FlowSchema[]
    this.#ordered = all.sort((a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence || (nameOf(a) < nameOf(b) ? -1 : 1))
  }

  #classify(request: FlowRequest): Flow {
    const schema = this.#ordered.find(({ spec }) => spec.rules?.some(rule => holds(rule, request)))
    if (!schema) return { schema: '', schemaUid: '', level: 'catch-all', name: 'catch-all' }
    const { priorityLevelConfiguration, distinguisherMethod } = schema.spec
    const distinguisher =
      distinguisherMethod?.type === 'ByUser'
        ? request.user.name
        : distinguisherMethod?.type === 'ByNamespace' && request.info.isResource
          ? request.info.namespace
          : ''
    const name = nameOf(schema)
    return { schema: name, schemaUid: schema.metadata.uid ?? '', level: priorityLevelConfiguration.name, name: `${name}\n${distinguisher}` }
  }
}

const KEYS_LIMIT = 1000

function keyOf({ verb, info }: FlowRequest): string {
  return info.isResource ? `${verb} ${info.group}/${info.resource}/${info.subresource} ${info.namespace}` : `${verb} ${info.path}`
}

function nameOf(object: ApiObject): string {
  return object.metadata.name ?? ''
}

function holds(rule: Rule, request: FlowRequest): boolean {
  return (
    rule.subjects.some(subject => isSubject(subject, request.user)) &&
    (request.info.isResource ? resourceHolds(rule, request) : pathHolds(rule, request))
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

function resourceHolds(rule: Rule, { verb, info }: FlowRequest): boolean {
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

function pathHolds(rule: Rule, { verb, info }: FlowRequest): boolean {
  return (rule.nonResourceRules ?? []).some(
    one =>
      has(one.verbs, verb) &&
      one.nonResourceURLs.some(url => (url.endsWith('*') ? info.path.startsWith(url.slice(0, -1)) : url === info.path)),
  )
}

function has(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value)
}
