import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { realClock } from '#base/time/real-clock.ts'
import { writeServersFile } from '#client/balancer/servers-file.ts'
import { runtimeTraits, startNodeRuntime } from '../containerd/node-runtime.ts'
import { startClusterProcess } from '../control-plane-process.ts'
import { builtinImages, keptArchives } from '../images/image-store.ts'
import { ensureImages, loadArchive } from '../images/load.ts'
import { fetchAuthority, joinAsAgent } from '../join/join-cluster.ts'
import { type JoinToken, parseJoinToken } from '../join/join-token.ts'
import { lockCluster, type ResolvedWhereabouts, readAllocation } from '../layout/data-directory.ts'
import { firstAddress } from '../machine/addresses.ts'
import { missingForNodes } from '../machine/check.ts'
import { inspectMachine } from '../machine/facts.ts'
import { claimForNode } from '../machine/prepare.ts'
import { installPackages, packagesFor } from '../packages/debian.ts'
import type { Progress } from '../progress/progress.ts'
import { SetupError } from '../setup-error.ts'
import { areFresh, newAgentRequests, readAgentCertificates, writeAgentCertificates } from './agent-certificates.ts'
import { type AgentLayout, type AgentRecord, agentLayout, readAgentRecord, writeAgentRecord } from './agent-record.ts'
import { renewAgentCertificates } from './renew-agent-certificates.ts'

/** What `t8s agent` was asked for; what is absent stays as it is, or is chosen. */
export interface AgentBringUp {
  readonly join?: { readonly server: string; readonly token: string } | undefined
  readonly nodeName?: string | undefined
  readonly nodeIp?: string | undefined
  /** The program that runs kubelet and proxy. */
  readonly program: string
}

/** How the machine's record calls an agent. */
export const registeredName = (where: ResolvedWhereabouts) => `${where.name} (agent)`

/** Makes this machine a node of a cluster, or starts it again as the node it is. What runs already is left as it is. */
export async function bringAgentUp(
  where: ResolvedWhereabouts,
  request: AgentBringUp,
  progress: Progress,
  signal?: AbortSignal,
): Promise<AgentLayout> {
  if (process.getuid?.() !== 0) throw new SetupError('A node that runs containers needs root', 'run "sudo t8s agent …"')
  let facts = inspectMachine(where.dataDir)
  const packages = packagesFor(missingForNodes(facts))
  if (packages.length > 0) {
    await progress.step(`install ${packages.join(', ')}`, note => installPackages(packages, { signal, note }))
    facts = inspectMachine(where.dataDir)
  }
  await using _lock = await lockCluster(where.dataDir)
  const record = readAgentRecord(where.dataDir) ?? (await progress.step('join the cluster', note => join(where, request, note)))
  const layout = agentLayout(record, where.dataDir)
  const certificates = readAgentCertificates(layout.certificatesDir)
  if (!certificates) throw new SetupError(`Certificates are missing in ${layout.certificatesDir}`, 'run "t8s down --purge" and join again')
  const clock = realClock({ keepAlive: true })
  if (!areFresh(certificates, clock))
    await progress.step('renew the certificates', () => renewAgentCertificates(layout, certificates, clock))
  await claimForNode(
    where.stateDir,
    { name: registeredName(where), id: layout.id, block: -1, apiPort: 0, dataDir: where.dataDir, up: true },
    signal,
  )
  const images = await progress.step('make images', () => builtinImages(layout, facts))
  await progress.step('start containerd', async note => {
    const isNew = !existsSync(layout.node.containerd.root)
    const outcome = await startNodeRuntime(layout, layout.node, runtimeTraits(facts), signal)
    await ensureImages(layout.node, images, signal)
    if (isNew) for (const archive of keptArchives(layout)) await loadArchive(layout.node, archive, signal)
    if (outcome === 'adopted') note('it ran already')
  })
  await startClusterProcess(layout, request.program, ['--data-dir', where.dataDir], progress)
  return layout
}

async function join(where: ResolvedWhereabouts, request: AgentBringUp, note: (text: string) => void): Promise<AgentRecord> {
  if (readAllocation(where.dataDir)) {
    throw new SetupError(
      `${where.dataDir} holds a cluster of "t8s up", whose nodes are on this machine already`,
      'choose another --data-dir',
    )
  }
  if (!request.join) {
    throw new SetupError(`There is no node in ${where.dataDir} yet`, 'join a cluster with --join https://SERVER:6443 --token TOKEN')
  }
  const { server } = request.join
  const token: JoinToken = parseJoinToken(request.join.token)
  const nodeName = (request.nodeName ?? hostname()).toLowerCase()
  const address = request.nodeIp ?? firstAddress()
  if (!address) throw new SetupError('This machine has no address that others reach', 'connect it, or give one with --node-ip')
  const nodePassword = randomBytes(24).toString('base64url')
  const authority = await fetchAuthority(server, token)
  const { requests, keys } = await newAgentRequests(nodeName, address)
  const message = { token: { id: token.id, secret: token.secret }, nodeName, nodePassword, requests }
  const answer = await joinAsAgent(server, authority, message)
  const record: AgentRecord = { version: 1, cluster: answer.cluster, nodeName, address, nodePassword, server, podCidr: '' }
  const layout = agentLayout(record, where.dataDir)
  writeAgentCertificates(layout.certificatesDir, authority, keys, answer.certificates)
  writeServersFile(layout.serversFile, answer.servers)
  writeAgentRecord(where.dataDir, record)
  note(`${nodeName}, ${answer.servers.length} ${answer.servers.length === 1 ? 'server' : 'servers'}`)
  return record
}
