import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { KeysByValue } from './keys-by-value.ts'
import { fieldOf, type Selection } from './selection.ts'

/** Fields that are often selected by and have many values: for them a list does not look at every object. */
const INDEXED_FIELDS = ['spec.nodeName', 'involvedObject.uid', 'involvedObject.name', 'regarding.uid']

/** The objects of a kind by the values of some of its selectable fields. */
export class FieldIndex {
  readonly #kind: AnyKind
  readonly #fields = new Map<string, KeysByValue>()

  constructor(kind: AnyKind) {
    this.#kind = kind
    const selectable = kind.hooks.selectableFields ?? {}
    for (const field of INDEXED_FIELDS) if (Object.hasOwn(selectable, field)) this.#fields.set(field, new KeysByValue())
  }

  clear(): void {
    for (const values of this.#fields.values()) values.clear()
  }

  /** Files `now` in the place of `old`. */
  replace(key: string, old: ApiObject | undefined, now: ApiObject | undefined): void {
    for (const [field, values] of this.#fields) {
      values.move(key, old && fieldOf(this.#kind, old, field), now && fieldOf(this.#kind, now, field))
    }
  }

  /** The keys of a superset of the selected objects, in order, if an index knows at most `limit` of them. */
  candidates({ fields }: Selection, limit: number): readonly string[] | undefined {
    for (const [field, values] of this.#fields) {
      const value = fields.exactValueOf(field)
      if (value !== undefined && values.count(value) <= limit) return values.keys(value)
    }
    return undefined
  }
}
