import type { AnyKind } from '#machinery/kind/kind.ts'
import type { DeleteOptions, GetOptions, ListOptions, PatchOptions, WatchOptions, WriteOptions } from '../client.ts'

/** The path of an object, or of a collection where `name` is ''. */
export function pathOf(kind: AnyKind, namespace: string, name: string, subresource = ''): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const within = kind.scope === 'Namespaced' && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === '' ? '' : `/${encodeURIComponent(name)}`
  return `${root}${within}/${kind.plural}${object}${subresource === '' ? '' : `/${subresource}`}`
}

/** The path of a read as of a moment, which docs/reference/typernetes.dev.md tells how to name. */
export function pathAt(moment: string, path: string): string {
  return `/apis/typernetes.dev/v1/moments/${encodeURIComponent(moment)}/objects${path}`
}

/** The query of a request, with the question mark; '' where there is none. */
export function queryOf(options: QueryOptions): string {
  const query = new URLSearchParams()
  const set = (name: string, value: string | number | boolean | undefined) => {
    if (value !== undefined && value !== '' && value !== false) query.set(name, String(value))
  }
  set('labelSelector', options.labelSelector)
  set('fieldSelector', options.fieldSelector)
  set('resourceVersion', options.resourceVersion)
  set('resourceVersionMatch', options.resourceVersionMatch)
  set('limit', options.limit)
  set('continue', options.continue)
  set('watch', options.watch)
  set('allowWatchBookmarks', options.allowBookmarks)
  set('fieldManager', options.fieldManager)
  set('fieldValidation', options.fieldValidation)
  set('force', options.force)
  if (options.sendInitialEvents) {
    set('sendInitialEvents', true)
    set('resourceVersionMatch', 'NotOlderThan')
  }
  if (options.dryRun) set('dryRun', 'All')
  for (const [name, value] of Object.entries(options.more ?? {})) set(name, value)
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/** Everything that may stand in a query. */
export interface QueryOptions
  extends Pick<GetOptions, 'resourceVersion'>,
    Omit<ListOptions, 'signal' | 'namespace'>,
    Omit<WatchOptions, 'namespace' | 'resourceVersion'>,
    Omit<WriteOptions, 'signal'>,
    Pick<PatchOptions, 'dryRun'> {
  readonly watch?: boolean | undefined
  readonly force?: boolean | undefined
  readonly more?: Readonly<Record<string, string>> | undefined
}

/** The body of a DELETE; undefined where it would say nothing. */
export function deleteBody(options: DeleteOptions): object | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options
  const body = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  }
  return Object.keys(body).length === 0 ? undefined : { apiVersion: 'v1', kind: 'DeleteOptions', ...body }
}
