import { existsSync, rmSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { readPidFile } from '#base/process/running-process.ts'
import { allocate, type ClusterAllocation, type ClusterRequest, type Occupied } from '../layout/allocation.ts'
import { lockMachine, type ResolvedWhereabouts, readAllocation, writeAllocation } from '../layout/data-directory.ts'
import { type ClusterLayout, layoutOf, type NodeLayout } from '../layout/layout.ts'
import {
  type MachineRecord,
  type RegisteredCluster,
  readMachineRecord,
  withCluster,
  withoutCluster,
  writeMachineRecord,
} from '../layout/machine-record.ts'
import { loadKernelModules, netnsDirectoryIsMounted, unmountNetnsDirectory } from '../network/network.ts'
import { MACHINE_SYSCTLS, raiseSysctls, restoreSysctls } from '../network/sysctls.ts'
import { installPackages, packagesFor } from '../packages/debian.ts'
import type { Progress } from '../progress/progress.ts'
import { SetupError } from '../setup-error.ts'
import { checkMachine, type Finding, missingForNodes } from './check.ts'
import { inspectMachine, type MachineFacts } from './facts.ts'
import { portOwner } from './ports.ts'
import { routedNetworks } from './routes.ts'

/** A machine that is ready for a cluster's network and nodes. */
export interface PreparedMachine {
  readonly layout: ClusterLayout
  readonly facts: MachineFacts
  /** Nodes the cluster had and was now asked not to have: to be stopped by `stopNodeRuntime` before the network is made. */
  readonly dropped: readonly NodeLayout[]
  /** True when the cluster is new or was asked to be another than it was: what runs must be started anew. */
  readonly changed: boolean
}

/**
 * Looks at the machine and says what it found; then installs what is missing, fixes the cluster's addresses, ports and names, and raises
 * the settings that nodes need. Called again it changes nothing. The caller holds the cluster's lock.
 *
 * @throws SetupError with one sentence when the surroundings do not do, before anything was changed.
 */
export async function prepareMachine(
  where: ResolvedWhereabouts,
  request: ClusterRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<PreparedMachine> {
  const found = await progress.step('check the machine', async note => {
    const planned = plan(where, request)
    const facts = inspectMachine(where.dataDir)
    note(`${facts.system}, Linux ${facts.kernel}, ${facts.cgroups.version ? `cgroup v${facts.cgroups.version}` : 'no cgroups'}`)
    return { ...planned, facts, findings: examine(facts, planned.layout) }
  })
  for (const finding of found.findings) show(finding, progress)
  const obstacle = found.findings.find(finding => finding.level === 'problem')
  if (obstacle) throw new SetupError(obstacle.what, obstacle.remedy ?? 'see above')

  let facts = found.facts
  const realNodes = found.layout.nodes.length > 0
  const packages = realNodes ? packagesFor(missingForNodes(facts)) : []
  if (packages.length > 0) {
    await progress.step(`install ${packages.join(', ')}`, note => installPackages(packages, { signal, note }))
    facts = inspectMachine(where.dataDir)
    const missing = missingForNodes(facts)
    if (missing.length > 0) throw new SetupError(`Still missing after installing packages: ${missing.join(', ')}`, 'install them by hand')
  }
  if (realNodes) await loadKernelModules(signal)
  return { ...(await claim(where, request, realNodes)), facts }
}

/** Looks at the machine only, for `t8s status` and for tests of the surroundings. */
export function examine(facts: MachineFacts, layout: ClusterLayout): Finding[] {
  const own = readPidFile(layout.pidFile)
  const owner = portOwner(layout.apiPort)
  const others = owner && own && owner.pid === own.pid ? undefined : owner
  return checkMachine(facts, others, { realNodes: layout.nodes.length > 0, dataDir: layout.dataDir, apiPort: layout.apiPort })
}

/**
 * After a cluster's nodes and network are gone: puts the machine's settings back when no other cluster is up, and with `purge` removes
 * every file of the cluster.
 */
export async function releaseMachine(where: ResolvedWhereabouts, options: { purge: boolean }): Promise<void> {
  if (options.purge) rmSync(where.dataDir, { recursive: true, force: true })
  if (!existsSync(where.stateDir)) return
  await using _lock = await lockMachine(where.stateDir)
  let record = readMachineRecord(where.stateDir)
  const cluster = record.clusters.find(other => other.name === where.name)
  if (cluster) record = options.purge ? withoutCluster(record, where.name) : withCluster(record, { ...cluster, up: false })
  if (record.changes && !record.clusters.some(other => other.up)) {
    restoreSysctls(record.changes)
    if (record.changes.mountedNetns) await unmountNetnsDirectory()
    record = { clusters: record.clusters }
  }
  writeMachineRecord(where.stateDir, record)
}

/** Decides the allocation again under the machine's lock, so that no two clusters choose the same, and keeps it. */
async function claim(where: ResolvedWhereabouts, request: ClusterRequest, realNodes: boolean): Promise<Omit<PreparedMachine, 'facts'>> {
  await using _lock = await lockMachine(where.stateDir)
  const { allocation, layout, dropped, record, changed } = plan(where, request)
  const entry: RegisteredCluster = {
    name: allocation.name,
    id: allocation.id,
    block: allocation.block,
    apiPort: allocation.apiPort,
    dataDir: where.dataDir,
    up: true,
  }
  register(where.stateDir, record, entry, realNodes)
  writeAllocation(where.dataDir, allocation)
  return { layout, dropped, changed }
}

/** Makes a machine that is itself a node ready for containers: what it changes of the machine's settings is put back by {@link releaseMachine}. */
export async function claimForNode(stateDir: string, entry: RegisteredCluster, signal?: AbortSignal): Promise<void> {
  await loadKernelModules(signal)
  await using _lock = await lockMachine(stateDir)
  register(stateDir, readMachineRecord(stateDir), entry, true)
}

/** Writes down who is on the machine, and with real nodes raises the settings they need. The caller holds the machine's lock. */
function register(stateDir: string, record: MachineRecord, entry: RegisteredCluster, realNodes: boolean): void {
  const next = withCluster(record, entry)
  if (!realNodes) {
    writeMachineRecord(stateDir, next)
    return
  }
  const mountedBefore = netnsDirectoryIsMounted()
  const changes = raiseSysctls(MACHINE_SYSCTLS, record.changes)
  writeMachineRecord(stateDir, { ...next, changes: { ...changes, mountedNetns: changes.mountedNetns || !mountedBefore } })
}

interface Plan {
  readonly allocation: ClusterAllocation
  readonly layout: ClusterLayout
  readonly dropped: readonly NodeLayout[]
  readonly changed: boolean
  readonly record: MachineRecord
}

function plan(where: ResolvedWhereabouts, request: ClusterRequest): Plan {
  const record = readMachineRecord(where.stateDir)
  const twin = record.clusters.find(
    cluster => cluster.name === request.name && cluster.dataDir !== where.dataDir && readAllocation(cluster.dataDir),
  )
  if (twin)
    throw new SetupError(
      `There is a cluster "${request.name}" in ${twin.dataDir} already`,
      `choose another --name, or say --data-dir ${twin.dataDir}`,
    )
  const existing = readAllocation(where.dataDir)
  if (existing && existing.name !== request.name) {
    throw new SetupError(
      `${where.dataDir} belongs to the cluster "${existing.name}"`,
      `say --name ${existing.name}, or choose another --data-dir`,
    )
  }
  const allocation = allocate(request, existing, occupiedBy(record, request.name))
  const layout = layoutOf(allocation, where.dataDir)
  const before = existing ? layoutOf(existing, where.dataDir).nodes : []
  const changed = !isDeepStrictEqual(allocation, existing)
  return { allocation, layout, record, changed, dropped: before.filter(node => !layout.nodes.some(kept => kept.number === node.number)) }
}

function occupiedBy(record: MachineRecord, name: string): Occupied {
  const others = record.clusters.filter(cluster => cluster.name !== name)
  return {
    networks: routedNetworks(record.clusters.map(cluster => `t8s-${cluster.id}`)),
    blocks: others.map(cluster => cluster.block),
    ids: others.map(cluster => cluster.id),
    apiPorts: others.map(cluster => cluster.apiPort),
  }
}

function show(finding: Finding, progress: Progress): void {
  const text = `${finding.topic}: ${finding.what}`
  if (finding.level === 'fine') progress.info(text)
  else progress.warn(finding.remedy ? `${text}; ${finding.remedy}` : text)
}
