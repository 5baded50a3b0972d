import { existsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { realClock } from '#base/time/real-clock.ts'
import { ENCRYPTION_FILE, hasSharedSecrets, writeSharedSecrets } from '../certificates/shared-secrets.ts'
import { hasEncrypted, readSnapshotFile } from '../commands/store/snapshot-on-disk.ts'
import { clusterProcess, startClusterProcess } from '../control-plane-process.ts'
import { announceMember } from '../etcd/join-members.ts'
import { fetchAuthority, joinAsServer } from '../join/join-cluster.ts'
import type { ClusterFacts } from '../join/join-messages.ts'
import { type JoinToken, parseJoinToken } from '../join/join-token.ts'
import { lockCluster, type ResolvedWhereabouts, readAllocation } from '../layout/data-directory.ts'
import { addressAt, parseNetwork } from '../layout/ipv4.ts'
import { firstAddress } from '../machine/addresses.ts'
import { findPrograms } from '../machine/facts.ts'
import { portOwner } from '../machine/ports.ts'
import { installPackages, packagesFor } from '../packages/debian.ts'
import type { Progress } from '../progress/progress.ts'
import { SetupError } from '../setup-error.ts'
import { readClusterFacts, writeClusterFacts } from './cluster-facts.ts'
import { clusterToContinue, factsOf, takeKeysOver } from './continued-cluster.ts'
import { serverCertificates } from './server-certificates.ts'
import { peerUrl, readServerRecord, type ServerLayout, type ServerRecord, serverLayout, writeServerRecord } from './server-record.ts'

/** What `t8s server` was asked for; what is absent stays as it is, or is chosen. */
export interface ServerRequest {
  readonly clusterInit: boolean
  /** Go on alone, with the data that is here. */
  readonly clusterReset: boolean
  readonly join?: { readonly server: string; readonly token: string } | undefined
  readonly serverName?: string | undefined
  readonly advertiseAddress?: string | undefined
  readonly apiPort?: number | undefined
  readonly tlsSans: readonly string[]
  readonly podCidr?: string | undefined
  readonly serviceCidr?: string | undefined
  /** With `clusterInit`: the data directory of a cluster of `t8s up` that is continued, or a file of `t8s store backup`. */
  readonly from?: string | undefined
  /** How long etcd keeps what was. */
  readonly historyMs?: number | undefined
  /** The program that runs the server. */
  readonly program: string
}

const ETCD_PROGRAMS = ['etcd', 'setpriv']
const DEFAULT_NETWORK = { podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', nodePortRange: '30000-32767' }

/** Makes this machine a server of a cluster of several, or starts it again as the server it is. What runs already is left as it is. */
export async function bringServerUp(where: ResolvedWhereabouts, request: ServerRequest, progress: Progress): Promise<ServerLayout> {
  await installWhatIsMissing(progress)
  await using _lock = await lockCluster(where.dataDir)
  const existing = readServerRecord(where.dataDir)
  const record = existing ?? (await newRecord(where, request, progress))
  const layout = serverLayout(existing ? changed(existing, request) : record, where.dataDir)
  if (!clusterProcess(layout)) checkPorts(layout)
  else if (request.clusterReset) throw new SetupError('This server is running', 'run "t8s down" first')
  else if (existing)
    for (const flag of waitingFlags(existing, layout)) progress.warn(`${flag} is kept, and acts when this server starts again${AGAIN}`)
  writeServerRecord(where.dataDir, layout)
  writeClusterFacts(layout.certificatesDir, layout.cluster)
  await startClusterProcess(
    layout,
    request.program,
    ['--data-dir', where.dataDir, ...(request.clusterReset ? ['--cluster-reset'] : [])],
    progress,
  )
  return layout
}

async function newRecord(where: ResolvedWhereabouts, request: ServerRequest, progress: Progress): Promise<ServerRecord> {
  if (readAllocation(where.dataDir)) {
    throw new SetupError(
      `${where.dataDir} holds a cluster of "t8s up"`,
      'choose another --data-dir, and continue that cluster with --cluster-init --from',
    )
  }
  if (request.clusterInit) {
    if (request.join) throw new SetupError('--cluster-init begins a cluster, and --join goes to one that is there', 'give one of them')
    return firstRecord(where, request)
  }
  if (request.join) return progress.step('join the cluster', note => joinedRecord(where, request, request.join!, note))
  throw new SetupError(
    `There is no server in ${where.dataDir} yet`,
    'begin a cluster with --cluster-init, or join one with --join https://SERVER:6443 --token TOKEN',
  )
}

function firstRecord(where: ResolvedWhereabouts, request: ServerRequest): ServerRecord {
  const own = ownFacts(request)
  const backup = request.from !== undefined && isFile(request.from) ? resolve(request.from) : undefined
  if (backup) checkBackup(backup, join(where.dataDir, 'certificates'))
  const continued = request.from === undefined || backup ? undefined : clusterToContinue(request.from)
  const kept = backup ? readClusterFacts(join(where.dataDir, 'certificates')) : undefined
  const cluster = continued ? factsOf(continued) : (kept ?? newFacts(where.name, request))
  const etcd = { initialCluster: `${own.serverName}=${peerUrl(own)}`, state: 'new', peers: [] } as const
  const record: ServerRecord = { version: 1, cluster, ...own, from: backup ?? continued?.storeDir, etcd }
  if (continued) takeKeysOver(continued, serverLayout(record, where.dataDir).certificatesDir)
  return record
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** A backup is whole, and its encrypted values can be read: by the keys of the servers that wrote them. */
function checkBackup(file: string, certificatesDir: string): void {
  if (hasEncrypted(readSnapshotFile(file)) && !existsSync(join(certificatesDir, ENCRYPTION_FILE))) {
    throw new SetupError(
      'The backup has encrypted values, and the key to them is not here',
      `put the directory "certificates" of a server of that cluster back as ${certificatesDir} first`,
    )
  }
}

function newFacts(name: string, { podCidr, serviceCidr }: ServerRequest): ClusterFacts {
  const network = { ...DEFAULT_NETWORK, ...(podCidr ? { podCidr } : {}), ...(serviceCidr ? { serviceCidr } : {}) }
  networkOf('--pod-cidr', network.podCidr)
  return { name, ...network, dnsAddress: addressAt(networkOf('--service-cidr', network.serviceCidr), 10) }
}

async function joinedRecord(
  where: ResolvedWhereabouts,
  request: ServerRequest,
  { server, token: text }: { server: string; token: string },
  note: (text: string) => void,
): Promise<ServerRecord> {
  const clock = realClock({ keepAlive: true })
  const token: JoinToken = parseJoinToken(text)
  const own = ownFacts(request)
  const authority = await fetchAuthority(server, token)
  note(`${server} is the one the token names`)
  const answer = await joinAsServer(server, authority, { token: { id: token.id, secret: token.secret }, serverName: own.serverName })
  const record: ServerRecord = {
    version: 1,
    cluster: answer.cluster,
    ...own,
    etcd: { initialCluster: '', state: 'existing', peers: answer.etcd },
  }
  const layout = serverLayout(record, where.dataDir)
  if (!hasSharedSecrets(layout.certificatesDir)) writeSharedSecrets(layout.certificatesDir, answer.secrets)
  const { etcdAccess } = await serverCertificates(layout, clock)
  const initialCluster = await announceMember(answer.etcd, etcdAccess, clock, { name: own.serverName, peerURL: peerUrl(record) })
  note(`${answer.etcd.length} ${answer.etcd.length === 1 ? 'server is' : 'servers are'} there`)
  return { ...record, etcd: { ...record.etcd, initialCluster } }
}

type OwnFacts = Pick<
  ServerRecord,
  'serverName' | 'advertiseAddress' | 'apiPort' | 'etcdClientPort' | 'etcdPeerPort' | 'tlsSans' | 'historyMs'
>

function ownFacts(request: ServerRequest): OwnFacts {
  const serverName = (request.serverName ?? hostname()).toLowerCase()
  if (!/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(serverName)) {
    throw new SetupError(
      `"${serverName}" cannot be the name of a server`,
      'give one of lower-case letters, digits and dashes with --server-name',
    )
  }
  return {
    serverName,
    advertiseAddress: request.advertiseAddress ?? ownAddress(),
    apiPort: request.apiPort ?? 6443,
    etcdClientPort: 2379,
    etcdPeerPort: 2380,
    tlsSans: request.tlsSans,
    historyMs: request.historyMs,
  }
}

function ownAddress(): string {
  const address = firstAddress()
  if (address) return address
  throw new SetupError('This machine has no address that others reach', 'connect it, or give one with --advertise-address')
}

/** What may change from one start to the next: the names in the certificate, and how long history is kept. */
function changed(record: ServerRecord, request: ServerRequest): ServerRecord {
  for (const [flag, asked, is] of [
    ['--advertise-address', request.advertiseAddress, record.advertiseAddress],
    ['--server-name', request.serverName, record.serverName],
    ['--port', request.apiPort, record.apiPort],
  ] as const) {
    if (asked !== undefined && asked !== is) {
      throw new SetupError(`This server has ${flag} ${is}, and cannot change it to ${asked}`, 'remove it from the cluster and join it anew')
    }
  }
  return { ...record, historyMs: request.historyMs ?? record.historyMs, tlsSans: [...new Set([...record.tlsSans, ...request.tlsSans])] }
}

/** What a server that runs does not do yet of what is asked of it. */
function waitingFlags(is: ServerRecord, asked: ServerRecord): string[] {
  const isNew = { '--history': asked.historyMs !== is.historyMs, '--tls-san': asked.tlsSans.length !== is.tlsSans.length }
  return Object.entries(isNew).flatMap(([flag, differs]) => (differs ? [flag] : []))
}

const AGAIN = ': run "t8s down" and "t8s server", one server after the other'

function networkOf(flag: string, text: string) {
  const network = parseNetwork(text)
  if (!network) throw new SetupError(`${flag} ${text} is no network`, 'write it as 10.96.0.0/16')
  return network
}

function checkPorts(layout: ServerLayout): void {
  for (const [port, what] of [
    [layout.apiPort, 'the API server'],
    [layout.etcdClientPort, 'etcd (clients)'],
    [layout.etcdPeerPort, 'etcd (other members)'],
  ] as const) {
    const owner = portOwner(port)
    if (!owner || owner.program === 'etcd') continue // an etcd of a server that was killed is ended before the new one starts
    const who = owner.program ? `${owner.program} (process ${owner.pid})` : 'another program'
    throw new SetupError(`Port ${port} of ${what} is taken by ${who}`, 'end that program')
  }
}

async function installWhatIsMissing(progress: Progress): Promise<void> {
  const found = findPrograms(ETCD_PROGRAMS)
  const packages = packagesFor(ETCD_PROGRAMS.filter(program => !found.has(program)))
  if (packages.length > 0) await progress.step(`install ${packages.join(', ')}`, note => installPackages(packages, { note }))
  if (!existsSync('/proc/self/ns/net')) throw new SetupError('A server needs Linux', 'use a Linux machine')
}
