import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'

/** A resource of an aggregated server as the aggregated form of discovery tells of it. */
export type DiscoveredResource = JsonObject

/** Makes of an `APIResourceList` what the aggregated form of discovery says of a version. */
export function resourcesIn(answer: unknown): readonly DiscoveredResource[] {
  const listed = isJsonObject(answer) && Array.isArray(answer['resources']) ? answer['resources'].filter(isJsonObject) : []
  const resources = new Map<string, { own: JsonObject | undefined; parts: JsonObject[] }>()
  for (const one of listed) {
    const [resource = '', ...rest] = String(one['name'] ?? '').split('/')
    const known = resources.get(resource) ?? { own: undefined, parts: [] }
    resources.set(resource, known)
    if (rest.length === 0) known.own = one
    else known.parts.push({ subresource: rest.join('/'), responseKind: kindOf(one), verbs: one['verbs'] ?? [] })
  }
  return [...resources].map(([resource, { own = {}, parts }]) => ({
    resource,
    ...(own['kind'] === undefined ? {} : { responseKind: kindOf(own) }),
    scope:
      (own['namespaced'] ?? listed.find(one => String(one['name']).startsWith(`${resource}/`))?.['namespaced']) ? 'Namespaced' : 'Cluster',
    singularResource: own['singularName'] ?? '',
    verbs: own['verbs'] ?? [],
    ...(own['shortNames'] ? { shortNames: own['shortNames'] } : {}),
    ...(own['categories'] ? { categories: own['categories'] } : {}),
    ...(parts.length > 0 ? { subresources: parts } : {}),
  }))
}

function kindOf({ group = '', version = '', kind = '' }: JsonObject): JsonObject {
  return { group, version, kind }
}
