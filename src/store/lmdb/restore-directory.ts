import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '#base/time/clock.ts'
import { seedOf } from '../embedded/seed.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { InvalidRequestError } from '../store-errors.ts'
import { databaseFile } from './database-file.ts'
import { LmdbJournal } from './lmdb-journal.ts'

export interface RestoreOptions {
  /** Must not exist yet: it takes its name once all is on disk. */
  readonly directory: string
  readonly snapshot: Snapshot
  /** How long the leases of its keys live on. */
  readonly leaseSeconds: number
  readonly maxSizeBytes: number
  readonly clock: Clock
}

const CHANGES_PER_COMMIT = 1000

/** Makes a store from a snapshot, with the revisions it had: what clients know stays true. Its history begins at the snapshot. */
export async function restoreDirectory({ directory, snapshot, leaseSeconds, maxSizeBytes, clock }: RestoreOptions): Promise<void> {
  if (existsSync(directory)) throw new InvalidRequestError(`${directory} exists already: move it away, or restore into another directory`)
  const draft = `${directory}.restoring`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  const journal = new LmdbJournal({ directory: draft, path: await databaseFile(draft), maxSizeBytes, clock })
  try {
    const { changes, leases } = seedOf(snapshot, leaseSeconds)
    for (let start = 0; start < changes.length; start += CHANGES_PER_COMMIT) {
      await journal.append([{ changes: changes.slice(start, start + CHANGES_PER_COMMIT) }])
    }
    await journal.append([{ changes: [], granted: [...leases], compactRevision: snapshot.revision }])
  } finally {
    await journal.close()
  }
  renameSync(draft, directory)
  const parent = openSync(dirname(directory), 'r')
  fsyncSync(parent)
  closeSync(parent)
}
