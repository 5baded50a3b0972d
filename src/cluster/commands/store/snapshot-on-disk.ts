import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Snapshot } from '#store/snapshot/snapshot.ts'
import { decodeSnapshot } from '#store/snapshot/snapshot-file.ts'
import { SetupError } from '../../setup-error.ts'
import type { Backup } from './backup.ts'

export interface WriteOptions {
  /** Takes the place of a file that is there. */
  readonly replaces: boolean
  readonly signal: AbortSignal
  readonly note: (text: string) => void
}

const TOLD_EVERY_BYTES = 8 << 20

/**
 * Writes what `produce` makes to a file beside, reads it back to see that it is a whole snapshot, and gives it its name once it is on disk.
 * If anything fails, nothing is left. Its owner alone can read it.
 */
export async function writeSnapshotFile(
  file: string,
  { replaces, signal, note }: WriteOptions,
  produce: (sink: (part: Uint8Array) => void) => Promise<void>,
): Promise<Backup> {
  if (existsSync(file) && !replaces) throw new SetupError(`${file} is there already`, 'name another file, or replace it with --force')
  const draft = `${file}.partial`
  const written = openSync(draft, 'w', 0o600)
  let sizeBytes = 0
  let told = 0
  try {
    await produce(part => {
      for (let at = 0; at < part.length; ) at += writeSync(written, part, at)
      sizeBytes += part.length
      if (sizeBytes - told < TOLD_EVERY_BYTES) return
      told = sizeBytes
      note(`${Math.round(sizeBytes / (1 << 20))} MiB`)
    })
    signal.throwIfAborted()
    fsyncSync(written)
    const bytes = readFileSync(draft)
    const { revision, kvs } = decodeSnapshot(bytes, draft)
    renameSync(draft, file)
    syncDirectory(dirname(file))
    note(`${kvs.length} keys`)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { file, resourceVersion: String(revision), keys: kvs.length, sizeBytes, sha256 }
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(written)
  }
}

/** Reads a snapshot's file. Rejects one that is damaged, or no snapshot. */
export function readSnapshotFile(file: string): Snapshot {
  if (!existsSync(file)) throw new SetupError(`There is no file ${file}`, 'name one that "t8s store backup" has written')
  const bytes = readFileSync(file)
  if (!bytes.subarray(0, 64).toString('latin1').startsWith('{"format":"typernetes-snapshot-'))
    throw new SetupError(`${file} is no snapshot of "t8s store backup"`, 'name another file; snapshots of etcd are restored with etcdctl')
  return decodeSnapshot(bytes, file)
}

/** Whether some of its values are encrypted. */
export function hasEncrypted({ kvs }: Snapshot): boolean {
  return kvs.some(({ value }) => ENCRYPTED.equals(value.subarray(0, ENCRYPTED.length)))
}

const ENCRYPTED = Buffer.from('k8s:enc:')

export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
