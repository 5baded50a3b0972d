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
  // Before the first slash stands nothing.
  const parts = steps(path)
  const isCore = parts[1] === 'api'
  if (!isCore && parts[1] !== 'apis') return { isResource: false, path }
  if (parts.at(-1) === '') parts.pop()
  const head = isCore ? 3 : 4
  if (parts.length <= head) return { isResource: false, path }
  const isWatchPath = parts[head] === 'watch' && parts.length > head + 1
  const names = isWatchPath ? head + 1 : head
  // A namespace is a resource itself; behind its name it is the place of another.
  const isWithin = parts[names] === 'namespaces' && parts.length > names + 2 && !NAMESPACE_SUBRESOURCES.has(parts[names + 2]!)
  const at = isWithin ? names + 2 : names
  return {
    isResource: true,
    path,
    group: isCore ? '' : parts[2]!,
    version: parts[head - 1]!,
    isWatchPath,
    namespace: isWithin ? parts[names + 1]! : '',
    resource: parts[at] ?? '',
    name: parts[at + 1] ?? '',
    subresource: parts[at + 2] ?? '',
    rest: parts.length > at + 3 ? parts.slice(at + 3).join('/') : '',
  }
}

/** What `path.split('/')` answers. Hot: bench/apiserver — which is slow for texts that come once, as most paths do. */
function steps(path: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', start)) {
    parts.push(path.slice(start, slash))
    start = slash + 1
  }
  parts.push(path.slice(start))
  return parts
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize'])

function unescaped(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
