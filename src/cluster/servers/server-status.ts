import { realClock } from '#base/time/real-clock.ts'
import { clusterHealth } from '../cluster-health.ts'
import { clusterProcess } from '../control-plane-process.ts'
import { explainQuorum } from '../etcd/quorum.ts'
import { serverMembers } from './server-members.ts'
import { apiUrlAt, readServerRecord, serverLayout } from './server-record.ts'

/** A server and its fellows, as `t8s status -o json` prints them. */
export interface ServerStatus {
  readonly name: string
  readonly dataDir: string
  readonly serverName: string
  readonly server: string
  readonly running: boolean
  readonly pid?: number
  readonly ready: boolean
  readonly failing: readonly string[]
  readonly members: readonly {
    readonly name: string
    readonly address: string
    /** `leader` and `follower` have a vote, a `learner` is catching up; `gone` does not answer. */
    readonly role: 'leader' | 'follower' | 'learner' | 'gone'
    readonly sizeBytes?: number
  }[]
  /** What is wrong with the members, in words. */
  readonly problem?: string
  readonly nodes: readonly { readonly name: string; readonly ready: boolean }[]
}

/** The server in a data directory; undefined if there is none. */
export async function serverStatus(dataDir: string): Promise<ServerStatus | undefined> {
  const record = readServerRecord(dataDir)
  if (!record) return undefined
  const layout = serverLayout(record, dataDir)
  const running = clusterProcess(layout)
  const [health, members] = await Promise.all([running && clusterHealth(layout), serverMembers(layout, realClock({ keepAlive: true }))])
  const problem = members ? explainQuorum(members) : 'no member of etcd answers this machine'
  return {
    name: record.cluster.name,
    dataDir,
    serverName: record.serverName,
    server: apiUrlAt(record.advertiseAddress, record.apiPort),
    running: running !== undefined,
    ...(running && { pid: running.pid }),
    ready: health !== undefined && health.failing.length === 0,
    failing: health?.failing ?? [],
    members: (members ?? []).map(({ name, peerURLs, hasLeader, isLeader, isLearner, sizeBytes }) => ({
      name: name || '(not started)',
      address: new URL(peerURLs[0] ?? 'https://unknown').hostname,
      role: hasLeader === undefined ? 'gone' : isLearner ? 'learner' : isLeader ? 'leader' : 'follower',
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    })),
    ...(problem ? { problem } : {}),
    nodes: [...(health?.nodes ?? [])].map(([name, ready]) => ({ name, ready })),
  }
}

/** The same for people. */
export function serverStatusText(status: ServerStatus): string {
  const { running, ready, failing } = status
  const state = !running
    ? 'stopped'
    : ready
      ? 'ready'
      : failing.length > 0
        ? `not ready (${failing.join(', ')})`
        : 'running, does not answer'
  const lines = [
    `cluster        ${status.name} (${status.dataDir})`,
    `this server    ${status.serverName}: ${state}${status.pid === undefined ? '' : `, process ${status.pid}`}, ${status.server}`,
    ...status.members.map(
      ({ name, address, role, sizeBytes }) =>
        `${name.padEnd(15)}etcd ${role}, ${address}${sizeBytes === undefined ? '' : `, ${(sizeBytes / 1e6).toFixed(1)} MB`}`,
    ),
    ...(status.problem ? [`attention      ${status.problem}`] : []),
    ...status.nodes.map(({ name, ready: isReady }) => `${name.padEnd(15)}node, ${isReady ? 'Ready' : 'NotReady'}`),
  ]
  return `${lines.join('\n')}\n`
}
