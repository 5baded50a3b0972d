import type { FatalStoreError, NoSpaceError } from '../store-errors.ts'
import type { Change, Version } from './state.ts'

/** What one transaction leaves on disk. */
export interface JournalEntry {
  readonly changes: readonly Change[]
  /** Leases granted: seconds to live by id. */
  readonly granted?: readonly (readonly [id: number, ttlSeconds: number])[]
  /** Leases that have ended. */
  readonly ended?: readonly number[]
  /** History before this revision need not be found again. */
  readonly compactRevision?: number
}

/** All that changes in them. Hot: bench/apiserver — most often there is one. */
export function changesOf(entries: readonly JournalEntry[]): readonly Change[] {
  return entries.length === 1 ? entries[0]!.changes : entries.flatMap(entry => entry.changes)
}

/**
 * Where an embedded engine keeps its changes. `append` is called one at a time; if it rejects with NoSpaceError, nothing of it was kept;
 * any other rejection means that the disk cannot be trusted any more.
 */
export interface Journal {
  /** Resolves once all entries, in order, are durable: all or none. */
  append(entries: readonly JournalEntry[]): Promise<void>
  /** While there is no space: why these cannot be appended, so that what makes room does not fail together with what needs it. */
  refuses(changes: readonly Change[]): NoSpaceError | undefined
  /** The value of a version that was appended and not forgotten. Throws CorruptError. */
  read(version: Version): Uint8Array
  /** These will never be read again: their space is given back in the background. */
  forget(versions: readonly Version[]): void
  /** Told if the disk fails while nothing is appended. */
  onBroken?(listener: (error: FatalStoreError) => void): void
  /** What `status` tells of the disk. */
  measure(): { sizeBytes: number; sizeInUseBytes: number; problems: readonly string[]; corruptKeys: readonly string[] }
  close(): Promise<void>
}
