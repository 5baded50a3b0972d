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
  /** All objects right after the change, where a snapshot was kept. */
  readonly objects: PersistentMap<ApiObject> | undefined
}

/**
 * Of so many changes one is kept with all objects after it; from there the others are played back. A version of the map keeps about two
 * kilobytes alive that nothing else needs, which for each change was most of the memory of a busy server. Hot: bench/apiserver.
 */
const SNAPSHOT_EVERY = 128

/** The last changes of a kind, in order, and from them the state after each. */
export class History {
  readonly #limits: HistoryLimits
  #entries: Remembered[] = []
  /** Entries before this index have been forgotten. */
  #first = 0
  #start: number
  #base: PersistentMap<ApiObject>
  #sinceSnapshot = 0

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
    const isKept = ++this.#sinceSnapshot >= SNAPSHOT_EVERY
    if (isKept) this.#sinceSnapshot = 0
    this.#entries.push({ change, atMs, objects: isKept ? objects : undefined })
    this.forget(atMs)
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
    const end = this.#indexAfter(revision)
    let index = end - 1
    while (index >= this.#first && !this.#entries[index]!.objects) index--
    let objects = index < this.#first ? this.#base : this.#entries[index]!.objects!
    while (++index < end) objects = withChange(objects, this.#entries[index]!.change)
    return objects
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

  /** Forgets what is older than is kept. */
  forget(nowMs: number): void {
    const { maxAgeMs, minChanges, maxChanges } = this.#limits
    let count = this.#entries.length - this.#first
    while (count > minChanges && (count > maxChanges || this.#entries[this.#first]!.atMs < nowMs - maxAgeMs)) {
      const oldest = this.#entries[this.#first]!
      this.#start = oldest.change.revision
      this.#base = oldest.objects ?? withChange(this.#base, oldest.change)
      this.#first++
      count--
    }
    if (this.#first > 64 && this.#first > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
  }
}

function withChange(objects: PersistentMap<ApiObject>, { key, object, isDelete }: Change): PersistentMap<ApiObject> {
  return isDelete ? objects.delete(key) : objects.set(key, object)
}
