import { Command } from 'commander'
import { findContainerd, shimsOf } from '../containerd/containerd-processes.ts'
import { clusterProcess } from '../control-plane-process.ts'
import { readAllocation } from '../layout/data-directory.ts'
import { type ClusterLayout, layoutOf } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'
import { type ClusterFlags, clusterOf, outputOption, type Verb, type VerbContext, withClusterFlags } from './verb.ts'

/** What of a cluster runs on this machine, as `t8s status -o json` prints it. */
export interface ClusterStatus {
  readonly name: string
  readonly dataDir: string
  readonly server: string
  /** `ready` is what the API server says; `failing` names the checks of /readyz that fail. */
  readonly controlPlane: { readonly running: boolean; readonly pid?: number; readonly ready: boolean; readonly failing: readonly string[] }
  readonly nodes: readonly {
    readonly name: string
    readonly address: string
    readonly containerd: boolean
    readonly pods: number
    /** What the node says through the API; absent where the API server does not answer. */
    readonly ready?: boolean
  }[]
  readonly simulatedNodes: number
}

export const statusVerb: Verb = context =>
  withClusterFlags(new Command('status'))
    .description('Show what of a cluster runs: control plane, nodes, pods.')
    .addOption(outputOption('for programs'))
    .action(async (flags: ClusterFlags & { output?: string }) => {
      const where = clusterOf(flags, context)
      const allocation = readAllocation(where.dataDir)
      if (!allocation && (await showServer(where.dataDir, flags.output, context))) return
      if (!allocation)
        throw new SetupError(`There is no cluster in ${where.dataDir}`, 'run "t8s up", or name one with --name or --data-dir')
      const status = await statusOf(layoutOf(allocation, where.dataDir))
      context.stdout.write(flags.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : statusText(status))
    })

/** One of several servers, if there is one in the directory. */
async function showServer(dataDir: string, output: string | undefined, context: VerbContext): Promise<boolean> {
  const { serverStatus, serverStatusText } = await import('../servers/server-status.ts')
  const status = await serverStatus(dataDir)
  if (status) context.stdout.write(output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : serverStatusText(status))
  return status !== undefined
}

async function statusOf(layout: ClusterLayout): Promise<ClusterStatus> {
  const running = clusterProcess(layout)
  const health = running && (await (await import('../cluster-health.ts')).clusterHealth(layout))
  return {
    name: layout.name,
    dataDir: layout.dataDir,
    server: `https://127.0.0.1:${layout.apiPort}`,
    controlPlane: {
      running: running !== undefined,
      ...(running && { pid: running.pid }),
      ready: health !== undefined && health.failing.length === 0,
      failing: health?.failing ?? [],
    },
    nodes: layout.nodes.map(node => ({
      name: node.name,
      address: node.address,
      containerd: findContainerd(node) !== undefined,
      pods: shimsOf(node).length,
      ...(health && { ready: health.nodes.get(node.name) ?? false }),
    })),
    simulatedNodes: layout.simulatedNodes,
  }
}

function statusText(status: ClusterStatus): string {
  const { controlPlane, nodes, simulatedNodes } = status
  const lines = [
    `cluster        ${status.name} (${status.dataDir})`,
    `control plane  ${controlPlane.running ? `${healthText(controlPlane)}, process ${controlPlane.pid}, ${status.server}` : 'stopped'}`,
    ...nodes.map(node => `${node.name.padEnd(15)}${nodeText(node)}, ${node.address}`),
    ...(simulatedNodes > 0 ? [`simulated      ${simulatedNodes} nodes`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function healthText({ ready, failing }: ClusterStatus['controlPlane']): string {
  if (ready) return 'ready'
  return failing.length > 0 ? `not ready (${failing.join(', ')})` : 'running, does not answer'
}

function nodeText({ containerd, pods, ready }: ClusterStatus['nodes'][number]): string {
  if (!containerd) return 'stopped'
  const said = ready === undefined ? 'containerd runs' : ready ? 'Ready' : 'NotReady'
  return `${said}, ${pods} pods`
}
