import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterFacts } from '../join/join-messages.ts'
import { SetupError } from '../setup-error.ts'

/** What one server of a cluster of several knows of itself. Kept in its data directory (`server.json`), so that it comes back the same. */
export interface ServerRecord {
  readonly version: 1
  readonly cluster: ClusterFacts
  /** Its name among the servers, and among etcd's members. */
  readonly serverName: string
  /** Where other machines reach it. */
  readonly advertiseAddress: string
  readonly apiPort: number
  readonly etcdClientPort: number
  readonly etcdPeerPort: number
  /** Further names and addresses in its certificate: of a load balancer. */
  readonly tlsSans: readonly string[]
  /** How long its etcd member keeps what was; absent: 5 minutes. */
  readonly historyMs?: number | undefined
  /** The embedded store of a cluster of `t8s up` that is continued here, or the backup of one, until its objects are in etcd. */
  readonly from?: string | undefined
  /** How its etcd member came into being; it reads this only as long as it has no data. */
  readonly etcd: { readonly initialCluster: string; readonly state: 'new' | 'existing'; readonly peers: readonly string[] }
}

/** Every path that a server uses. */
export interface ServerLayout extends ServerRecord {
  readonly dataDir: string
  readonly pidFile: string
  readonly logFile: string
  readonly certificatesDir: string
  readonly kubeconfig: string
  readonly etcdDir: string
  readonly etcdPidFile: string
  readonly etcdLogFile: string
}

export function serverLayout(record: ServerRecord, dataDir: string): ServerLayout {
  return {
    ...record,
    dataDir,
    pidFile: join(dataDir, 'server.pid'),
    logFile: join(dataDir, 'server.log'),
    certificatesDir: join(dataDir, 'certificates'),
    kubeconfig: join(dataDir, 'kubeconfig'),
    etcdDir: join(dataDir, 'etcd'),
    etcdPidFile: join(dataDir, 'etcd.pid'),
    etcdLogFile: join(dataDir, 'etcd.log'),
  }
}

export const clientUrl = ({ advertiseAddress, etcdClientPort }: ServerRecord) => urlOf(advertiseAddress, etcdClientPort)
export const peerUrl = ({ advertiseAddress, etcdPeerPort }: Pick<ServerRecord, 'advertiseAddress' | 'etcdPeerPort'>) =>
  urlOf(advertiseAddress, etcdPeerPort)
export const apiUrlAt = urlOf

function urlOf(address: string, port: number): string {
  return `https://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** The record kept in a data directory; undefined where no server is. */
export function readServerRecord(dataDir: string): ServerRecord | undefined {
  return readRecord<ServerRecord>(dataDir, 'server.json')
}

export function writeServerRecord(dataDir: string, record: ServerRecord): void {
  const { version, cluster, serverName, advertiseAddress, apiPort, etcdClientPort, etcdPeerPort, tlsSans, historyMs, from, etcd } = record
  const own = { version, cluster, serverName, advertiseAddress, apiPort, etcdClientPort, etcdPeerPort, tlsSans, historyMs, from, etcd }
  writeRecord(dataDir, 'server.json', own satisfies ServerRecord)
}

/** A JSON file of a data directory that has `version: 1`. */
export function readRecord<T extends { readonly version: 1 }>(dataDir: string, name: string): T | undefined {
  const path = join(dataDir, name)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const record = JSON.parse(text) as T
    if (record.version === 1) return record
  } catch {
    // says the same as a wrong version
  }
  throw new SetupError(`${path} cannot be read by this version`, 'restore it, or choose another directory with --data-dir')
}

/** Writes such a file; it appears whole or not at all. */
export function writeRecord(dataDir: string, name: string, record: object): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  const path = join(dataDir, name)
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
