/** What a path asks for, as far as its form tells. */
export type RequestInfo = ResourceRequestInfo | PathRequestInfo

export interface PathRequestInfo {
  readonly isResource: false
  readonly path: string
}

export interface ResourceRequestInfo {
  readonly isResource: true
  readonly path: string
  readonly group: string
  readonly version: string
  /** '' for all namespaces and for cluster-wide resources. */
  readonly namespace: string
  readonly resource: string
  /** '' for a collection. */
  readonly name: string
  readonly subresource: string
  /** What stands behind the subresource: the path of a proxy request. */
  readonly rest: string
  /** By the old `/watch/` prefix. */
  readonly isWatchPath: boolean
}

/** Takes a path apart: `/api/v1/namespaces/ns/pods/p/log`. Undefined if it cannot be unescaped. An escaped slash is a slash. */
export function requestInfoOf(escaped: string): RequestInfo | undefined {
  const path = escaped.includes('%') ? unescaped(escaped) : escaped
  if (path === undefined) return undefined
  const parts = path.split('/').slice(1)
  const isCore = parts[0] === 'api'
  if (!isCore && parts[0] !== 'apis') return { isResource: false, path }
  if (parts.at(-1) === '') parts.pop()
  const head = isCore ? 2 : 3
  if (parts.length <= head) return { isResource: false, path }
  const group = isCore ? '' : parts[1]!
  const version = parts[head - 1]!
  let names = parts.slice(head)
  const isWatchPath = names[0] === 'watch' && names.length > 1
  if (isWatchPath) names = names.slice(1)
  return { isResource: true, path, group, version, isWatchPath, ...placeOf(names) }
}

function placeOf(names: readonly string[]): Pick<ResourceRequestInfo, 'namespace' | 'resource' | 'name' | 'subresource' | 'rest'> {
  // A namespace is a resource itself; behind its name it is the place of another.
  if (names[0] === 'namespaces' && names.length > 2 && !NAMESPACE_SUBRESOURCES.has(names[2]!)) {
    const [, namespace = '', resource = '', name = '', subresource = '', ...rest] = names
    return { namespace, resource, name, subresource, rest: rest.join('/') }
  }
  const [resource = '', name = '', subresource = '', ...rest] = names
  return { namespace: '', resource, name, subresource, rest: rest.join('/') }
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize'])

function unescaped(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
