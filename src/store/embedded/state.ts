import { PersistentMap } from '#base/collections/persistent-map.ts'

/**
 * One version of one key, as the index of an embedded engine holds it. `value` is undefined while it is only on disk.
 * `sub` numbers the changes of one revision.
 */
export interface Version {
  readonly key: string
  readonly createRevision: number
  readonly modRevision: number
  readonly sub: number
  readonly version: number
  readonly lease: number
  value: Uint8Array | undefined
}

/** A key was put, or deleted (then `version` is its end: no value, version 0). */
export interface Change {
  readonly type: 'put' | 'delete'
  readonly version: Version
  readonly previous: Version | undefined
}

/** All there is at one revision. Never changes: who holds one holds a snapshot. */
export interface State {
  readonly revision: number
  readonly keys: PersistentMap<Version>
  /** The keys of each lease, as {@link leasedKey}. */
  readonly leased: PersistentMap<string>
  /** Seconds to live of each lease by its id. */
  readonly leases: PersistentMap<number>
}

/** A new store: revision 1, no keys. */
export const emptyState: State = { revision: 1, keys: PersistentMap.empty(), leased: PersistentMap.empty(), leases: PersistentMap.empty() }

/** Where `leased` holds that `key` ends with `lease`. */
export function leasedKey(lease: number, key: string): string {
  return `${lease} ${key}`
}

/** The keys that end with `lease`. */
export function keysOfLease(state: State, lease: number): string[] {
  return state.leased.values(`${lease} `, `${lease}!`)
}

/** `state` after one change of the same or the next revision. */
export function withChange(state: State, { type, version, previous }: Change): State {
  const { key, lease, modRevision: revision } = version
  const keys = type === 'put' ? state.keys.set(key, version) : state.keys.delete(key)
  let leased = state.leased
  if (previous && previous.lease !== 0 && previous.lease !== lease) leased = leased.delete(leasedKey(previous.lease, key))
  if (lease !== 0 && previous?.lease !== lease) leased = leased.set(leasedKey(lease, key), key)
  return { revision, keys, leased, leases: state.leases }
}
