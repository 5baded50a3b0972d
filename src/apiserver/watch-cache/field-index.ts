import { PersistentMap } from '#base/collections/persistent-map.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { fieldOf, type Selection } from './selection.ts'

/** Fields that are often selected by and have many values: for them a list does not look at every object. */
const INDEXED_FIELDS = ['spec.nodeName', 'involvedObject.uid', 'involvedObject.name', 'regarding.uid']

/** The objects of a kind by the values of some of its selectable fields. */
export class FieldIndex {
  readonly #kind: AnyKind
  readonly #fields: readonly string[]
  readonly #byField = new Map<string, Map<string, PersistentMap<ApiObject>>>()

  constructor(kind: AnyKind) {
    this.#kind = kind
    const selectable = kind.hooks.selectableFields ?? {}
    this.#fields = INDEXED_FIELDS.filter(field => Object.hasOwn(selectable, field))
    for (const field of this.#fields) this.#byField.set(field, new Map())
  }

  clear(): void {
    for (const values of this.#byField.values()) values.clear()
  }

  /** Files `now` in the place of `old`. */
  replace(key: string, old: ApiObject | undefined, now: ApiObject | undefined): void {
    for (const field of this.#fields) {
      const values = this.#byField.get(field)!
      const before = old && fieldOf(this.#kind, old, field)
      const after = now && fieldOf(this.#kind, now, field)
      if (before !== undefined && before !== after) {
        const rest = values.get(before)?.delete(key)
        if (rest && rest.size > 0) values.set(before, rest)
        else values.delete(before)
      }
      if (now && after !== undefined) values.set(after, (values.get(after) ?? PersistentMap.empty<ApiObject>()).set(key, now))
    }
  }

  /** A superset of the selected objects, in the order of their keys; undefined where no index can tell. */
  candidates(selection: Selection): ApiObject[] | undefined {
    for (const field of this.#fields) {
      const value = selection.fields.exactValueOf(field)
      if (value !== undefined) return this.#byField.get(field)!.get(value)?.values() ?? []
    }
    return undefined
  }
}
