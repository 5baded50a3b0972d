import { existsSync } from 'node:fs'
import { takeAgentDown } from './agents/take-down-agent.ts'
import { runtimeTraits, startNodeRuntime, stopNodeRuntime } from './containerd/node-runtime.ts'
import { clusterProcess, startClusterProcess, stopClusterProcess } from './control-plane-process.ts'
import { builtinImages, keptArchives } from './images/image-store.ts'
import { ensureImages, loadArchive } from './images/load.ts'
import type { ClusterRequest } from './layout/allocation.ts'
import { lockCluster, type ResolvedWhereabouts, readAllocation } from './layout/data-directory.ts'
import { type ClusterLayout, layoutOf, type NodeLayout } from './layout/layout.ts'
import { inspectMachine } from './machine/facts.ts'
import { type PreparedMachine, prepareMachine, releaseMachine } from './machine/prepare.ts'
import { ensureNetwork, removeNetwork } from './network/network.ts'
import type { Progress } from './progress/progress.ts'
import { takeServerDown } from './servers/take-down-server.ts'
import { SetupError } from './setup-error.ts'

/** What `t8s up` was asked for. */
export interface BringUpRequest extends ClusterRequest {
  /** The program that runs the cluster once machine and nodes are ready, and how it is called. */
  readonly program: string
  readonly programArgs: (layout: ClusterLayout) => readonly string[]
}

/** Brings a cluster up from whatever state it is in. What is as it should be already is left alone, so a second time changes nothing. */
export async function bringUp(
  where: ResolvedWhereabouts,
  request: BringUpRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<ClusterLayout> {
  const machine = await prepareMachine(where, request, progress, signal)
  await using _lock = await lockCluster(where.dataDir)
  const { layout } = machine
  if (machine.changed && clusterProcess(layout)) await progress.step('stop the cluster to change it', () => stopClusterProcess(layout))
  for (const node of machine.dropped)
    await progress.step(`remove ${node.name}`, () => stopNodeRuntime(layout, node, runtimeTraits(machine.facts)))
  if (layout.nodes.length > 0) await bringNodesUp(machine, progress, signal)
  await startClusterProcess(layout, request.program, request.programArgs(layout), progress)
  return layout
}

/** Network, containerd and images of every node. */
export async function bringNodesUp(machine: PreparedMachine, progress: Progress, signal?: AbortSignal): Promise<void> {
  const { layout, facts } = machine
  await progress.step('connect the nodes', async note => {
    await ensureNetwork(layout, signal)
    note(`${layout.bridge}, nodes in ${layout.nodeCidr}, pods in ${layout.podCidr}`)
  })
  const images = await progress.step('make images', () => builtinImages(layout, facts))
  await progress.step(layout.nodes.length === 1 ? 'start containerd' : `start ${layout.nodes.length} × containerd`, async note => {
    const outcomes = await Promise.all(layout.nodes.map(node => bringRuntimeUp(machine, node, images, signal)))
    const adopted = outcomes.filter(outcome => outcome === 'adopted').length
    if (adopted > 0) note(`${adopted} ran already`)
  })
}

async function bringRuntimeUp(
  machine: PreparedMachine,
  node: NodeLayout,
  images: Parameters<typeof ensureImages>[1],
  signal?: AbortSignal,
): Promise<'started' | 'adopted'> {
  const isNew = !existsSync(node.containerd.root)
  const outcome = await startNodeRuntime(machine.layout, node, runtimeTraits(machine.facts), signal)
  await ensureImages(node, images, signal)
  if (isNew) for (const archive of keptArchives(machine.layout)) await loadArchive(node, archive, signal)
  return outcome
}

/** Takes a cluster down: nothing of it runs or is set up any more, and with `purge` no file is left. */
export async function takeDown(where: ResolvedWhereabouts, options: { purge: boolean }, progress: Progress): Promise<'down' | 'absent'> {
  const server = await takeServerDown(where.dataDir, progress, options)
  const agent = await takeAgentDown(where, progress, options)
  const allocation = readAllocation(where.dataDir)
  if (!allocation) {
    await releaseMachine(where, options) // its directory may have been removed by hand
    return agent === 'down' ? agent : server
  }
  const layout = layoutOf(allocation, where.dataDir)
  if (layout.nodes.length > 0 && process.getuid?.() !== 0) {
    throw new SetupError(`The cluster "${allocation.name}" has nodes that only root may end`, 'run "sudo ./t8s down"')
  }
  await using _lock = await lockCluster(where.dataDir, 10_000)
  if (clusterProcess(layout)) await progress.step('stop the control plane', () => stopClusterProcess(layout))
  if (layout.nodes.length > 0) {
    const traits = runtimeTraits(inspectMachine(where.dataDir))
    await progress.step('stop the nodes', () => Promise.all(layout.nodes.map(node => stopNodeRuntime(layout, node, traits))))
    await progress.step('remove the network', () => removeNetwork(layout))
  }
  await progress.step(options.purge ? 'remove all files' : 'put the machine back', () =>
    releaseMachine({ ...where, name: allocation.name }, options),
  )
  return 'down'
}
