import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { silentLogger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { EtcdAddress } from '#store/etcd/etcd-channel.ts'
import type { Store } from '#store/store.ts'
import { StoreError } from '#store/store-errors.ts'
import { clusterProcess } from '../../control-plane-process.ts'
import { readAllocation } from '../../layout/data-directory.ts'
import { layoutOf } from '../../layout/layout.ts'
import { readServerRecord, serverLayout } from '../../servers/server-record.ts'
import { SetupError } from '../../setup-error.ts'
import { type ClusterFlags, clusterOf, type VerbContext, withClusterFlags } from '../verb.ts'

/** Flags by which the verbs of `t8s store` find a store. */
export interface PlaceFlags extends ClusterFlags, EtcdFlags {
  readonly directory?: string
}

export interface EtcdFlags {
  readonly etcdServers?: string
  readonly etcdCafile?: string
  readonly etcdCertfile?: string
  readonly etcdKeyfile?: string
}

/** Where a store is: the embedded one of a cluster or directory, or an etcd cluster. */
export type StorePlace = EmbeddedPlace | EtcdPlace

export interface EtcdPlace {
  readonly engine: 'etcd'
  readonly address: EtcdAddress
  readonly name: string
  /** There for the etcd of a server that runs: its API knows the past. */
  readonly running?: { readonly kubeconfig: string }
  /** A server's own, which ends with the server. */
  readonly isOfServer?: boolean
}

export interface EmbeddedPlace {
  readonly engine: 'lmdb'
  readonly directory: string
  /** How the user calls it. */
  readonly name: string
  /** There while the cluster runs: then only its server may touch the store. */
  readonly running?: { readonly kubeconfig: string }
  /** Where the cluster's EncryptionConfiguration would be; absent for a directory alone. */
  readonly encryptionFile?: string
}

/** Adds the flags that name a store. */
export function withPlaceFlags(command: Command): Command {
  return withEtcdFlags(withClusterFlags(command).option('--directory <directory>', 'an embedded store without its cluster'))
}

export function withEtcdFlags(command: Command): Command {
  return command
    .option('--etcd-servers <urls>', 'an etcd cluster: the URLs of its members, with commas between')
    .option('--etcd-cafile <file>', 'who signed the certificates of the members')
    .option('--etcd-certfile <file>', 'the certificate to show them')
    .option('--etcd-keyfile <file>', 'its key')
}

/** The store that the flags name; a cluster's own unless they name another. */
export function placeOf(flags: PlaceFlags, context: VerbContext): StorePlace {
  const named = [
    flags.directory && '--directory',
    flags.etcdServers && '--etcd-servers',
    (flags.name ?? flags.dataDir) && '--name or --data-dir',
  ]
  const given = named.filter(Boolean)
  if (given.length > 1) throw new SetupError(`${given.join(' and ')} name different stores`, 'give one of them')
  if (flags.etcdServers) return etcdPlace(flags)
  return (flags.directory ? undefined : serverPlace(clusterOf(flags, context).dataDir)) ?? embeddedPlace(flags, context)
}

/** The etcd of the server in a data directory, if there is one. */
function serverPlace(dataDir: string): EtcdPlace | undefined {
  const record = readServerRecord(dataDir)
  if (!record) return undefined
  const layout = serverLayout(record, dataDir)
  const text = (name: string) => readNamed(join(layout.certificatesDir, name))
  const tls = { authority: text('etcd-ca.crt'), certificate: text('etcd-client.crt'), privateKey: text('etcd-client.key') }
  return {
    engine: 'etcd',
    address: { endpoints: [`https://127.0.0.1:${layout.etcdClientPort}`], tls },
    name: `the etcd of the server "${layout.serverName}"`,
    isOfServer: true,
    ...(clusterProcess(layout) ? { running: { kubeconfig: layout.kubeconfig } } : {}),
  }
}

export function embeddedPlace(flags: PlaceFlags, context: VerbContext): EmbeddedPlace {
  if (flags.directory) return { engine: 'lmdb', directory: flags.directory, name: flags.directory }
  const { name, dataDir } = clusterOf(flags, context)
  const allocation = readAllocation(dataDir)
  const layout = allocation && layoutOf(allocation, dataDir)
  const running = layout && clusterProcess(layout) ? { running: { kubeconfig: layout.kubeconfig } } : {}
  return {
    engine: 'lmdb',
    directory: join(dataDir, 'store'),
    name: `the cluster "${name}"`,
    encryptionFile: join(dataDir, 'encryption.yaml'),
    ...running,
  }
}

export function etcdPlace(flags: EtcdFlags): EtcdPlace {
  const { etcdServers, etcdCafile, etcdCertfile, etcdKeyfile } = flags
  if (!etcdServers) throw new SetupError('No etcd cluster is named', 'give --etcd-servers=https://HOST:2379')
  const endpoints = etcdServers.split(',')
  const certificates = [etcdCafile, etcdCertfile, etcdKeyfile].filter(Boolean)
  if (certificates.length > 0 && certificates.length < 3)
    throw new SetupError('The certificates for etcd are not complete', 'give --etcd-cafile, --etcd-certfile and --etcd-keyfile together')
  const text = (file: string) => readNamed(file)
  const tls = etcdCafile ? { tls: { authority: text(etcdCafile), certificate: text(etcdCertfile!), privateKey: text(etcdKeyfile!) } } : {}
  return { engine: 'etcd', address: { endpoints, ...tls }, name: `etcd at ${etcdServers}` }
}

/**
 * Opens a store for this process alone, if it is embedded. Refuses one whose cluster runs, or that is not there. `salvages`: one whose log is
 * damaged is shown without what it held from there on.
 */
export async function openPlace(place: StorePlace, { salvages = false } = {}): Promise<Store> {
  const clock = realClock()
  if (place.engine === 'etcd') {
    if (place.isOfServer && !place.running)
      throw new SetupError(`${upperFirst(place.name)} is down, since the server is`, 'start it with "t8s server"')
    const { EtcdStore } = await import('#store/etcd/etcd-store.ts')
    return new EtcdStore({ ...place.address, clock, random: systemRandom() })
  }
  refuseRunning(place)
  if (!existsSync(join(place.directory, 'data.mdb')))
    throw new SetupError(
      `There is no store in ${place.directory}`,
      'name another cluster with --name or --data-dir, or a store with --directory',
    )
  // Whoever only looks forgets nothing.
  const retention = { forMs: Number.MAX_SAFE_INTEGER, revisions: Number.MAX_SAFE_INTEGER }
  const { LmdbStore } = await import('#store/lmdb/lmdb-store.ts')
  return LmdbStore.open({ directory: place.directory, clock, logger: silentLogger, retention, salvages })
}

export function refuseRunning(place: StorePlace): void {
  if (place.engine === 'lmdb' && place.running) throw new SetupError(`${upperFirst(place.name)} runs`, 'stop it first with "t8s down"')
}

/** A client of the cluster's own server, as its administrator. */
export function clientOf(kubeconfig: string): HttpClient {
  return httpClient({ ...clientOptionsFromFile(kubeconfig, realClock({ keepAlive: false })), userAgent: 't8s' })
}

/** Runs a verb; what stores, servers and disks say becomes one sentence. */
export async function explained<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw explanation(error)
  }
}

function explanation(error: unknown): unknown {
  if (error instanceof SetupError) return error
  if (error instanceof StoreError) {
    const [what = '', ...remedy] = error.message.split(/(?<=^.*?)[:;] /)
    return new SetupError(upperFirst(what), remedy.join('; ') || 'see the state of the store with "t8s store status"', { cause: error })
  }
  if (error instanceof StatusError)
    return new SetupError(`The API server did not do it (${error.message})`, 'see what it says with "t8s status"', { cause: error })
  const { code, path, syscall, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC')
    return new SetupError('There is no space left', 'free some, or name a place elsewhere; nothing half done is left', { cause: error })
  if (syscall && path) return new SetupError(`${path} cannot be used (${message})`, 'check the path and its permissions', { cause: error })
  return error
}

function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SetupError(`${file} cannot be read (${(error as Error).message})`, 'check the path and its permissions')
  }
}

export function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
