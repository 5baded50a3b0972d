import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type FileLock, lockFile } from '#base/process/file-lock.ts'
import { SetupError } from '../setup-error.ts'
import type { ClusterAllocation } from './allocation.ts'

/** Where a cluster's files are, as the user named it. */
export interface Whereabouts {
  readonly name?: string | undefined
  /** The cluster's own directory; default `<state directory>/<name>`. */
  readonly dataDir?: string | undefined
}

export interface ResolvedWhereabouts {
  readonly name: string
  readonly dataDir: string
  /** What the clusters of this machine (or, without root, of this user) share. */
  readonly stateDir: string
}

/** Finds the directories for a name: /var/lib/typernetes for root, else the user's state directory. */
export function whereabouts(asked: Whereabouts, environment: NodeJS.ProcessEnv, isRoot: boolean): ResolvedWhereabouts {
  const stateDir = isRoot ? '/var/lib/typernetes' : join(environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'typernetes')
  const name = asked.name ?? 'default'
  return { name, stateDir, dataDir: asked.dataDir ? resolve(asked.dataDir) : join(stateDir, name) }
}

/** The allocation kept in a data directory; undefined when no cluster was ever brought up there. */
export function readAllocation(dataDir: string): ClusterAllocation | undefined {
  const path = join(dataDir, 'cluster.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const allocation = JSON.parse(text) as ClusterAllocation
    if (allocation.version === 1) return allocation
  } catch {
    // says the same as a wrong version
  }
  throw new SetupError(`${path} cannot be read as a cluster of this version`, 'restore it, or choose another directory with --data-dir')
}

export function writeAllocation(dataDir: string, allocation: ClusterAllocation): void {
  mkdirSync(dataDir, { recursive: true })
  chmodSync(dataDir, 0o711) // keys inside have modes of their own; containers' files must be reachable by their users
  const path = join(dataDir, 'cluster.json')
  const text = `${JSON.stringify(allocation, null, 2)}\n`
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** Keeps two verbs from changing one cluster at the same time. */
export async function lockCluster(dataDir: string, waitMs = 0): Promise<FileLock> {
  const lock = await lockFile(join(dataDir, 'lock'), waitMs)
  if (lock) return lock
  throw new SetupError(`Another t8s command is at work on the cluster in ${dataDir}`, 'wait until it has ended and try again')
}

/** Keeps two clusters from choosing addresses or changing the machine's settings at the same time. */
export async function lockMachine(stateDir: string): Promise<FileLock> {
  const lock = await lockFile(join(stateDir, 'lock'), 60_000)
  if (lock) return lock
  throw new SetupError('Another t8s command has been changing this machine for a minute', 'wait until it has ended and try again')
}
