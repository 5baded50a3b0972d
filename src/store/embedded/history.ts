import { CompactedError } from '../store-errors.ts'
import { type Change, emptyState, type State, withChange } from './state.ts'

/** What one revision changed, and when. */
export interface Moment {
  readonly revision: number
  readonly atMs: number
  readonly changes: readonly Change[]
}

/** Between two snapshots there are at most this many revisions to play back, unless the history is so long that snapshots are thinned out. */
const SNAPSHOT_EVERY = 256
const MAX_SNAPSHOTS = 128

/**
 * The kept past: every revision's changes, and a snapshot now and then. A state of the past is the snapshot before it with the changes since
 * played back. What the changes replaced stays reachable here and nowhere else, so forgetting them frees it.
 */
export class History {
  /** Reads below this revision are refused; its own moment is kept. */
  compactRevision: number
  #moments: Moment[]
  #snapshots: State[]
  #every = SNAPSHOT_EVERY
  #lastRead: State | undefined

  /** Begins at `state`, whose own changes are not known. */
  constructor(state: State = emptyState, compactRevision = 0) {
    this.#moments = []
    this.#snapshots = [state]
    this.compactRevision = compactRevision
  }

  /** Another history with the same past. */
  fork(): History {
    const fork = new History(this.#snapshots[0], this.compactRevision)
    fork.#moments = this.#moments.slice()
    fork.#snapshots = this.#snapshots.slice()
    fork.#every = this.#every
    return fork
  }

  /** How many revisions are kept. */
  get length(): number {
    return this.#moments.length
  }

  /** Adds the newest moment; `state` is the one after it. */
  append(moment: Moment, state: State): void {
    this.#moments.push(moment)
    if (moment.revision - this.#snapshots.at(-1)!.revision < this.#every) return
    this.#snapshots.push(state)
    if (this.#snapshots.length <= MAX_SNAPSHOTS) return
    this.#every *= 2
    this.#snapshots = this.#snapshots.filter((_, index) => index % 2 === 0)
  }

  /** The state at a revision of the past. */
  stateAt(revision: number): State {
    if (revision < this.compactRevision) throw new CompactedError(revision, this.compactRevision)
    if (this.#lastRead?.revision === revision) return this.#lastRead
    const snapshot = this.#snapshotBefore(revision)
    if (!snapshot) throw new CompactedError(revision, this.#snapshots[0]!.revision)
    let state = snapshot
    for (let index = this.#indexOf(snapshot.revision + 1); index < this.#moments.length; index++) {
      const moment = this.#moments[index]!
      if (moment.revision > revision) break
      state = moment.changes.reduce(withChange, state)
    }
    const read = { ...state, revision }
    this.#lastRead = read
    return read
  }

  /** The moments from `revision` on, about `maxChanges` changes of them. */
  from(revision: number, maxChanges: number): readonly Moment[] {
    const start = this.#indexOf(revision)
    let end = start
    for (let changes = 0; end < this.#moments.length && changes < maxChanges; end++) changes += this.#moments[end]!.changes.length
    return this.#moments.slice(start, end)
  }

  /** The newest revision not after `atMs`; 0 if there is none. */
  revisionAt(atMs: number): number {
    let low = 0
    let high = this.#moments.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#moments[middle]!.atMs <= atMs) low = middle + 1
      else high = middle
    }
    return this.#moments[low - 1]?.revision ?? 0
  }

  /** When a revision came; undefined if its own moment is not kept. */
  timeOf(revision: number): number | undefined {
    const moment = this.#moments[this.#indexOf(revision)]
    return moment?.revision === revision ? moment.atMs : undefined
  }

  /** The revision that has `count` newer ones; 0 if there are not so many. */
  revisionBefore(count: number): number {
    return this.#moments[this.#moments.length - 1 - count]?.revision ?? 0
  }

  /** Forgets what was superseded at or before `revision`, and answers those moments. The caller makes sure that `revision` has happened. */
  compact(revision: number): { superseding: readonly Moment[]; ended: readonly Moment[] } {
    const base = this.stateAt(revision)
    const before = this.#indexOf(revision)
    const upTo = this.#indexOf(revision + 1)
    const superseding = this.#moments.slice(this.#indexOf(this.compactRevision + 1), upTo)
    const ended = this.#moments.slice(0, before)
    this.#moments = this.#moments.slice(before)
    this.#snapshots = [base, ...this.#snapshots.filter(each => each.revision > revision)]
    if (this.#snapshots.length < MAX_SNAPSHOTS / 4) this.#every = Math.max(SNAPSHOT_EVERY, this.#every / 2)
    this.compactRevision = revision
    this.#lastRead = undefined
    return { superseding, ended }
  }

  #snapshotBefore(revision: number): State | undefined {
    for (let index = this.#snapshots.length - 1; index >= 0; index--) {
      if (this.#snapshots[index]!.revision <= revision) return this.#snapshots[index]
    }
    return undefined
  }

  /** Index of the first moment that is not before `revision`. Revisions have no gaps. */
  #indexOf(revision: number): number {
    const first = this.#moments[0]
    return first ? Math.min(this.#moments.length, Math.max(0, revision - first.revision)) : 0
  }
}
