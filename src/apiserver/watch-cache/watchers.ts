import type { AnyKind } from '#machinery/kind/kind.ts'
import type { Change } from './change.ts'
import { fieldOf } from './selection.ts'
import type { Watcher } from './watcher.ts'

/**
 * The watchers of a kind, filed so that a change meets only those that can be concerned: by the one field value they ask for, else by
 * name, else by namespace, else with all.
 */
export class Watchers {
  readonly #kind: AnyKind
  readonly #all = new Set<Watcher>()
  readonly #everything = new Set<Watcher>()
  readonly #byNamespace = new Map<string, Set<Watcher>>()
  /** By field, then by value; `metadata.name` among them. */
  readonly #byField = new Map<string, Map<string, Set<Watcher>>>()

  constructor(kind: AnyKind) {
    this.#kind = kind
  }

  get size(): number {
    return this.#all.size
  }

  [Symbol.iterator](): Iterator<Watcher> {
    return this.#all.values()
  }

  add(watcher: Watcher): void {
    this.#all.add(watcher)
    this.#place(watcher).add(watcher)
  }

  delete(watcher: Watcher): void {
    if (!this.#all.delete(watcher)) return
    const place = this.#place(watcher)
    place.delete(watcher)
    if (place.size === 0) this.#tidy(watcher)
  }

  // Hot: bench/apiserver — called for every change.
  /** Calls `visit` for every watcher that the change may concern. */
  concerned(change: Change, visit: (watcher: Watcher) => void): void {
    for (const watcher of this.#everything) visit(watcher)
    const { object, old } = change
    const namespace = object.metadata.namespace
    if (namespace && this.#byNamespace.size > 0) for (const watcher of this.#byNamespace.get(namespace) ?? []) visit(watcher)
    for (const [field, values] of this.#byField) {
      const now = fieldOf(this.#kind, object, field)
      for (const watcher of values.get(now) ?? []) visitIn(watcher, namespace, visit)
      if (!old) continue
      const before = fieldOf(this.#kind, old, field)
      if (before !== now) for (const watcher of values.get(before) ?? []) visitIn(watcher, namespace, visit)
    }
  }

  #place(watcher: Watcher): Set<Watcher> {
    const { fields, namespace } = watcher.selection
    const exact = fields.requirements.find(({ operator }) => operator === '=')
    if (exact) return entryOf(entryOf(this.#byField, exact.field, newMap), exact.value, newSet)
    if (namespace !== '') return entryOf(this.#byNamespace, namespace, newSet)
    return this.#everything
  }

  /** Drops the empty set that `watcher` was the last of. */
  #tidy(watcher: Watcher): void {
    const { fields, namespace } = watcher.selection
    const exact = fields.requirements.find(({ operator }) => operator === '=')
    if (exact) {
      const values = this.#byField.get(exact.field)
      values?.delete(exact.value)
      if (values?.size === 0) this.#byField.delete(exact.field)
    } else if (namespace !== '') this.#byNamespace.delete(namespace)
  }
}

function visitIn(watcher: Watcher, namespace: string | undefined, visit: (watcher: Watcher) => void): void {
  if (watcher.selection.namespace === '' || watcher.selection.namespace === namespace) visit(watcher)
}

const newSet = () => new Set<Watcher>()
const newMap = () => new Map<string, Set<Watcher>>()

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
