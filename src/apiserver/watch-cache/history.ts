import type { PersistentMap } from '#base/collections/persistent-map.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { Change } from './change.ts'

/** How much of the past is kept for watches that come back: by age, within bounds on the number of changes. */
export interface HistoryLimits {
  readonly maxAgeMs: number
  readonly minChanges: number
  readonly maxChanges: number
}

export const defaultHistoryLimits: HistoryLimits = { maxAgeMs: 75_000, minChanges: 100, maxChanges: 20_000 }

interface Remembered {
  readonly change: Change
  readonly atMs: number
  /** All objects right after the change. */
  readonly objects: PersistentMap<ApiObject>
}

/** The last changes of a kind, in order, with the state after each. */
export class History {
  readonly #limits: HistoryLimits
  #entries: Remembered[] = []
  /** Entries before this index have been forgotten. */
  #first = 0
  #start: number
  #base: PersistentMap<ApiObject>

  constructor(start: number, base: PersistentMap<ApiObject>, limits: HistoryLimits) {
    this.#start = start
    this.#base = base
    this.#limits = limits
  }

  /** Every change after this revision is remembered. */
  get start(): number {
    return this.#start
  }

  add(change: Change, atMs: number, objects: PersistentMap<ApiObject>): void {
    this.#entries.push({ change, atMs, objects })
    this.#forget(atMs)
  }

  /** The changes after `revision`, in order; undefined if some of them are forgotten. */
  since(revision: number): readonly Change[] | undefined {
    if (revision < this.#start) return undefined
    const changes: Change[] = []
    for (let index = this.#indexAfter(revision); index < this.#entries.length; index++) changes.push(this.#entries[index]!.change)
    return changes
  }

  /** All objects as they were at `revision`; undefined if that is forgotten. */
  at(revision: number): PersistentMap<ApiObject> | undefined {
    if (revision < this.#start) return undefined
    const index = this.#indexAfter(revision) - 1
    return index < this.#first ? this.#base : this.#entries[index]!.objects
  }

  #indexAfter(revision: number): number {
    let low = this.#first
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#entries[middle]!.change.revision <= revision) low = middle + 1
      else high = middle
    }
    return low
  }

  #forget(nowMs: number): void {
    const { maxAgeMs, minChanges, maxChanges } = this.#limits
    let count = this.#entries.length - this.#first
    while (count > minChanges && (count > maxChanges || this.#entries[this.#first]!.atMs < nowMs - maxAgeMs)) {
      const oldest = this.#entries[this.#first]!
      this.#start = oldest.change.revision
      this.#base = oldest.objects
      this.#first++
      count--
    }
    if (this.#first > 64 && this.#first > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
  }
}
