import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { ClusterFacts } from '../join/join-messages.ts'
import { type NodeHost, type NodeLayout, nodeLayout } from '../layout/layout.ts'
import { readRecord, writeRecord } from '../servers/server-record.ts'

/** What a machine that joined as a node knows of itself. Kept in its data directory (`agent.json`). */
export interface AgentRecord {
  readonly version: 1
  readonly cluster: ClusterFacts
  readonly nodeName: string
  readonly address: string
  /** Known to this machine alone; by it the node's name stays this machine's. */
  readonly nodePassword: string
  /** The server it was told to join. */
  readonly server: string
  /** What the cluster gave the node for its pods; '' until it did. */
  readonly podCidr: string
}

/** Every path that an agent uses. */
export interface AgentLayout extends AgentRecord, NodeHost {
  readonly id: string
  readonly dataDir: string
  readonly pidFile: string
  readonly logFile: string
  readonly certificatesDir: string
  /** The servers known last. */
  readonly serversFile: string
  /** nftables: what pods send to others than pods takes the node's address. */
  readonly table: string
  readonly node: NodeLayout
}

export function agentLayout(record: AgentRecord, dataDir: string, runRoot = '/run/typernetes'): AgentLayout {
  const id = `a${createHash('sha256').update(`${record.nodeName} ${dataDir}`).digest('hex').slice(0, 6)}`
  const runDir = join(runRoot, id)
  const { nodeName: name, address, podCidr } = record
  const node = nodeLayout({ id }, { number: 1, name, address, podCidr }, dataDir, runDir)
  return {
    ...record,
    id,
    dataDir,
    runDir,
    pidFile: join(dataDir, 'agent.pid'),
    logFile: join(dataDir, 'agent.log'),
    certificatesDir: join(dataDir, 'agent-certificates'),
    serversFile: join(dataDir, 'servers.json'),
    imagesDir: join(dataDir, 'images'),
    registriesDir: join(dataDir, 'registries'),
    bridge: `t8s-${id}`,
    table: `t8s-${id}`,
    // The node is the machine itself: its processes are in the network this one is in.
    node: { ...node, netns: '', netnsPath: '/proc/self/ns/net' },
  }
}

export function readAgentRecord(dataDir: string): AgentRecord | undefined {
  return readRecord<AgentRecord>(dataDir, 'agent.json')
}

export function writeAgentRecord(dataDir: string, record: AgentRecord): void {
  const { version, cluster, nodeName, address, nodePassword, server, podCidr } = record
  writeRecord(dataDir, 'agent.json', { version, cluster, nodeName, address, nodePassword, server, podCidr })
}
