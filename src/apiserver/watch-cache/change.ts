import type { ApiObject } from '#machinery/kind/kind.ts'

/** One change of one object, as the cache remembers it. */
export interface Change {
  readonly revision: number
  /** Storage key behind the kind's prefix: `<namespace>/<name>`, or `<name>`. */
  readonly key: string
  /** The object after the change; of a delete, the last state with the delete's resourceVersion. */
  readonly object: ApiObject
  readonly isDelete: boolean
  /** The object before the change. */
  readonly old: ApiObject | undefined
}

/** What a watcher is told: a change as it looks through the watcher's selectors. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: ApiObject
  readonly revision: number
}
