import type { ApiObject } from '#machinery/kind/kind.ts'
import { KeysByValue } from './keys-by-value.ts'
import type { Selection } from './selection.ts'

/** An index is made when a label is asked for once more. What is not asked for is dropped after so many changes, and beyond so many labels. */
const ASKED_BEFORE = 1
const MAX_IDLE_CHANGES = 50_000
const MAX_LABELS = 8

/**
 * The objects of a kind by the values of those labels that lists select by. Hot: bench/apiserver — controllers and people ask for the same
 * few labels again and again. A label that nobody asks for costs nothing; one that is asked for costs a change of its value, and nothing
 * where an object changes otherwise.
 */
export class LabelIndex {
  /** By label, the one that was asked for last at the end. */
  readonly #labels = new Map<string, { readonly values: KeysByValue; idleChanges: number }>()
  readonly #asked = new Map<string, number>()

  clear(): void {
    this.#labels.clear()
  }

  /** Files `now` in the place of `old`. */
  replace(key: string, old: ApiObject | undefined, now: ApiObject | undefined): void {
    for (const [label, index] of this.#labels) {
      index.values.move(key, old && labelOf(old, label), now && labelOf(now, label))
      if (++index.idleChanges > MAX_IDLE_CHANGES) this.#labels.delete(label)
    }
  }

  /** The keys of a superset of the selected objects, in order, if an index knows at most `limit` of them. */
  candidates({ labels }: Selection, limit: number, all: ReadonlyMap<string, ApiObject>): readonly string[] | undefined {
    let best: { readonly values: KeysByValue; readonly value: string; readonly count: number } | undefined
    for (const { key: label } of labels.requirements) {
      const value = labels.exactValueOf(label)
      if (value === undefined) continue
      const values = this.#valuesOf(label, all)
      const count = values?.count(value) ?? limit + 1
      if (values && count <= (best?.count ?? limit)) best = { values, value, count }
    }
    return best?.values.keys(best.value)
  }

  #valuesOf(label: string, all: ReadonlyMap<string, ApiObject>): KeysByValue | undefined {
    const known = this.#labels.get(label)
    if (known) {
      known.idleChanges = 0
      this.#labels.delete(label)
      this.#labels.set(label, known)
      return known.values
    }
    const asked = this.#asked.get(label) ?? 0
    if (asked < ASKED_BEFORE) {
      if (this.#asked.size >= 4 * MAX_LABELS) this.#asked.clear()
      this.#asked.set(label, asked + 1)
      return undefined
    }
    this.#asked.delete(label)
    const values = new KeysByValue()
    for (const [key, object] of all) values.move(key, undefined, labelOf(object, label))
    this.#labels.set(label, { values, idleChanges: 0 })
    if (this.#labels.size > MAX_LABELS) for (const oldest of [...this.#labels.keys()].slice(0, 1)) this.#labels.delete(oldest)
    return values
  }
}

function labelOf({ metadata: { labels } }: ApiObject, label: string): string | undefined {
  return labels && Object.hasOwn(labels, label) ? labels[label] : undefined
}
