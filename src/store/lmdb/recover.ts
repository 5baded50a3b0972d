import { History } from '../embedded/history.ts'
import { type Change, emptyState, type State, type Version, withChange } from '../embedded/state.ts'
import { DamagedStoreError } from '../store-errors.ts'
import { type Recorded, readRecord, revisionOf } from './record.ts'

/** What is found on disk. */
export interface Found {
  readonly directory: string
  /** The records of changes, in the order of their revisions. */
  readonly records: Iterable<{ key: Uint8Array; value: Buffer }>
  /** 0 before the first compaction. */
  readonly compactRevision: number
  /** Seconds to live of each lease. */
  readonly leases: ReadonlyMap<number, number>
  /** When some of the revisions came, in their order; the others came between these. */
  readonly times: readonly (readonly [revision: number, atMs: number])[]
  readonly nowMs: number
}

/** What it amounts to. */
export interface Recovered {
  readonly state: State
  readonly history: History
  /** Versions that history does not need: an interrupted compaction left them. */
  readonly garbage: readonly Version[]
  /** Current values that do not match their checksums. */
  readonly damaged: readonly Version[]
  /** Those that do, as they were read. */
  readonly values: Map<Version, Uint8Array>
}

/** Builds state and history from records. All values are checked. Throws DamagedStoreError if a record's key is not certain. */
export function recover({ directory, records, compactRevision, leases, times, nowMs }: Found): Recovered {
  const garbage: Version[] = []
  const damaged = new Map<string, Version>()
  const values = new Map<Version, Uint8Array>()
  let history: History | undefined
  let lastCompacted: Change[] = []
  const timeOf = timesInOrder(times, nowMs)
  let state = emptyState
  for (const [id, ttlSeconds] of leases) state = { ...state, leases: state.leases.set(String(id), ttlSeconds) }
  const beginHistory = () => {
    state = { ...state, revision: Math.max(emptyState.revision, compactRevision) }
    const begun = new History(state, compactRevision)
    if (lastCompacted.length > 0) begun.append({ revision: compactRevision, atMs: timeOf(compactRevision), changes: lastCompacted }, state)
    return begun
  }
  for (const { revision, recorded } of byRevision(records, directory)) {
    if (revision > compactRevision) history ??= beginHistory()
    const changes: Change[] = []
    for (const { type, version, value } of recorded) {
      const change = { type, version, previous: state.keys.get(version.key) }
      state = withChange(state, change)
      changes.push(change)
      if (value) damaged.delete(version.key)
      else damaged.set(version.key, version)
      if (value && type === 'put') values.set(version, value)
      if (change.previous) values.delete(change.previous)
      if (history) continue
      if (change.previous) garbage.push(change.previous)
      if (type === 'delete' && revision < compactRevision) garbage.push(version)
    }
    history?.append({ revision, atMs: timeOf(revision), changes }, state)
    if (revision === compactRevision) lastCompacted = changes
  }
  history ??= beginHistory()
  return { state, history, garbage, damaged: [...damaged.values()], values }
}

/** When a revision came; asked in their order. Never after now: a clock may have been set back. */
function timesInOrder(times: Found['times'], nowMs: number): (revision: number) => number {
  let index = 0
  return revision => {
    while (index + 1 < times.length && times[index + 1]![0] <= revision) index++
    return Math.min(times[index]?.[1] ?? nowMs, nowMs)
  }
}

function* byRevision(records: Found['records'], directory: string): Iterable<{ revision: number; recorded: readonly Recorded[] }> {
  let revision = 0
  let recorded: Recorded[] = []
  for (const { key, value } of records) {
    const record = readRecord(key, value)
    if (!record) throw new DamagedStoreError(directory, `the record of revision ${revisionOf(key)[0]} is damaged, its key included`)
    if (record.version.modRevision !== revision && recorded.length > 0) {
      yield { revision, recorded }
      recorded = []
    }
    revision = record.version.modRevision
    recorded.push(record)
  }
  if (recorded.length > 0) yield { revision, recorded }
}
