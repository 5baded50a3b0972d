import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What all clusters of one machine share: which there are, and which settings of the machine were changed for them. Kept in
 * `machine.json` of the machine's state directory, and gone when the last cluster is purged.
 */
export interface MachineRecord {
  readonly clusters: readonly RegisteredCluster[]
  /** Settings as they were before the first cluster changed them, put back when the last one goes down. */
  readonly changes?: MachineChanges | undefined
}

export interface RegisteredCluster {
  readonly name: string
  readonly id: string
  readonly block: number
  readonly apiPort: number
  readonly dataDir: string
  /** True from `up` to `down`: its bridge, nodes and rules may exist. */
  readonly up: boolean
}

export interface MachineChanges {
  /** A reboot undoes everything here, so what was remembered before it counts no more. */
  readonly bootId: string
  readonly sysctls: Readonly<Record<string, string>>
  /** True when /run/netns became a mount point only through us. */
  readonly mountedNetns: boolean
}

const EMPTY: MachineRecord = { clusters: [] }

export function readMachineRecord(stateDir: string): MachineRecord {
  try {
    return JSON.parse(readFileSync(join(stateDir, 'machine.json'), 'utf8')) as MachineRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY
    throw error
  }
}

/** Writes the record in one step; a record that says nothing is removed together with its empty directory. */
export function writeMachineRecord(stateDir: string, record: MachineRecord): void {
  const path = join(stateDir, 'machine.json')
  if (record.clusters.length === 0 && record.changes === undefined) {
    rmSync(path, { force: true })
    rmSync(join(stateDir, 'lock'), { force: true })
    removeIfEmpty(stateDir)
    return
  }
  mkdirSync(stateDir, { recursive: true })
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o644 })
  renameSync(`${path}.new`, path)
}

/** The record with this cluster's entry in place of the one of the same name. */
export function withCluster(record: MachineRecord, cluster: RegisteredCluster): MachineRecord {
  return { ...record, clusters: [...record.clusters.filter(other => other.name !== cluster.name), cluster] }
}

export function withoutCluster(record: MachineRecord, name: string): MachineRecord {
  return { ...record, clusters: record.clusters.filter(other => other.name !== name) }
}

function removeIfEmpty(directory: string): void {
  try {
    if (readdirSync(directory).length === 0) rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
