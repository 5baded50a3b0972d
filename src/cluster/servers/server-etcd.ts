import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import { type EtcdProcess, startEtcd } from '../etcd/etcd-process.ts'
import { promoteMember } from '../etcd/join-members.ts'
import { type EtcdAccess, firstAnswer, inspectMembers } from '../etcd/members.ts'
import { explainQuorum } from '../etcd/quorum.ts'
import type { ServerCertificates } from './server-certificates.ts'
import { peerUrl, type ServerLayout } from './server-record.ts'

export interface ServerEtcdOptions {
  readonly layout: ServerLayout
  readonly certificates: ServerCertificates
  /** Go on alone, with the data that is here. */
  readonly reset: boolean
  readonly clock: Clock
  readonly log: Logger
  /** Says what is waited for. */
  note(text: string): void
  removed(): void
}

/** etcd on this server, as a member with a vote, of a cluster that answers. */
export interface ServerEtcd {
  /** All members, this one first. */
  readonly endpoints: readonly string[]
  stop(): Promise<void>
}

const PAUSE_MS = 200
/** After this long it is said what is missing. */
const EXPLAIN_AFTER_MS = 5_000

/** Starts etcd and resolves once it answers reads and writes; that takes a majority of the members. */
export async function startServerEtcd(options: ServerEtcdOptions): Promise<ServerEtcd> {
  const { layout, certificates, clock, log, removed } = options
  const local = `https://127.0.0.1:${layout.etcdClientPort}`
  const etcd: EtcdProcess = await startEtcd({
    name: layout.serverName,
    dataDir: layout.etcdDir,
    pidFile: layout.etcdPidFile,
    logFile: layout.etcdLogFile,
    address: layout.advertiseAddress,
    clientPort: layout.etcdClientPort,
    peerPort: layout.etcdPeerPort,
    tls: certificates.etcdFiles,
    initialCluster: layout.etcd.initialCluster,
    initialClusterState: layout.etcd.state,
    clusterToken: `t8s-${layout.cluster.name}`,
    forceNewCluster: options.reset,
    historyMs: layout.historyMs,
    clock,
    log,
    removed,
  })
  try {
    // A member that follows without a vote answers nothing: the others are asked to give it one.
    if (layout.etcd.state === 'existing' && !options.reset) {
      await promoteMember(layout.etcd.peers, certificates.etcdAccess, clock, peerUrl(layout)).catch(error => {
        if (layout.etcd.peers.length === 0) throw error
        log.warn('the other members could not be asked whether this one has a vote', { error })
      })
    }
    await untilItAnswers(local, certificates.etcdAccess, options)
  } catch (error) {
    await etcd.stop()
    throw error
  }
  const members = (await firstAnswer([local], certificates.etcdAccess, clock, one => one.list())) ?? []
  const others = members.filter(({ peerURLs, isLearner }) => !isLearner && !peerURLs.includes(peerUrl(layout)))
  return { endpoints: [local, ...others.flatMap(({ clientURLs }) => clientURLs)], stop: () => etcd.stop() }
}

async function untilItAnswers(local: string, tls: EtcdAccess, { clock, log, note }: ServerEtcdOptions): Promise<void> {
  const startedMs = clock.monotonic()
  let said = ''
  for (;;) {
    const status = await firstAnswer([local], tls, clock, one => one.status())
    if (status && status.leader !== '') return
    if (clock.monotonic() - startedMs > EXPLAIN_AFTER_MS) {
      const members = await inspectMembers([local], tls, clock)
      const words = members ? explainQuorum(members) : 'etcd on this machine does not answer yet'
      if (words && words !== said) {
        said = words
        note(words)
        log.warn('waiting for etcd', { because: words })
      }
    }
    await sleep(clock, PAUSE_MS)
  }
}
