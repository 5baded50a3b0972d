import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '#base/time/clock.ts'
import { seedOf } from '../embedded/seed.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { InvalidRequestError } from '../store-errors.ts'
import { databaseFile } from './database-file.ts'
import { lockDirectory } from './directory-lock.ts'
import { LmdbJournal } from './lmdb-journal.ts'
import { logPath } from './write-ahead-log.ts'

export interface RestoreOptions {
  readonly directory: string
  readonly snapshot: Snapshot
  /** Where the store goes on counting, not before the snapshot; what clients know of other revisions they have to read anew. Default: the snapshot's. */
  readonly revision?: number
  /** How long the leases of its keys live on. */
  readonly leaseSeconds: number
  readonly maxSizeBytes: number
  readonly clock: Clock
  /** Takes the place of the store that is in the directory, which is kept beside; without, there must be none. */
  readonly replaces?: boolean
}

const CHANGES_PER_COMMIT = 1000

/**
 * Makes a store of a snapshot, with the revisions its objects had. Its history begins there. Until all is on disk it is beside; then it takes
 * its place in one step. Answers where the store is that was there before.
 */
export async function restoreDirectory(options: RestoreOptions): Promise<{ readonly replaced?: string }> {
  const { directory, replaces } = options
  if (!existsSync(directory)) {
    const draft = `${directory}.restoring`
    await writeDraft(draft, options)
    renameSync(draft, directory)
    sync(dirname(directory))
    return {}
  }
  if (!replaces) throw new InvalidRequestError(`${directory} exists already: move it away, replace it, or restore into another directory`)
  const lock = await lockDirectory(directory)
  try {
    const draft = `${directory}/restoring`
    await writeDraft(draft, options)
    const database = `${directory}/data.mdb`
    const replaced = existsSync(database) ? keepBeside(directory, database) : undefined
    renameSync(`${draft}/data.mdb`, database)
    sync(directory)
    rmSync(logPath(directory), { force: true })
    rmSync(`${database}-lock`, { force: true })
    rmSync(draft, { recursive: true, force: true })
    return replaced ? { replaced } : {}
  } finally {
    await lock.release()
  }
}

async function writeDraft(
  draft: string,
  { snapshot, revision = snapshot.revision, leaseSeconds, maxSizeBytes, clock }: RestoreOptions,
): Promise<void> {
  if (revision < snapshot.revision)
    throw new InvalidRequestError(`a store cannot go on at revision ${revision}: the snapshot is of ${snapshot.revision}`)
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  try {
    const journal = new LmdbJournal({ directory: draft, path: await databaseFile(draft), maxSizeBytes, clock })
    try {
      const { changes, leases } = seedOf(snapshot, leaseSeconds)
      for (let start = 0; start < changes.length; start += CHANGES_PER_COMMIT) {
        await journal.append([{ changes: changes.slice(start, start + CHANGES_PER_COMMIT) }])
      }
      await journal.append([{ changes: [], granted: [...leases], compactRevision: revision }])
    } finally {
      await journal.close()
    }
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  }
}

/** Gives the database that is there a second name, and the log that its process may have left: with their own names, they are that store. */
function keepBeside(directory: string, database: string): string {
  for (let number = 1; ; number++) {
    const beside = `${directory}/replaced-${number}.mdb`
    if (existsSync(beside)) continue
    const log = logPath(directory)
    if (existsSync(log)) {
      rmSync(`${directory}/replaced-${number}.log`, { force: true })
      linkSync(log, `${directory}/replaced-${number}.log`)
    }
    linkSync(database, beside)
    return beside
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
