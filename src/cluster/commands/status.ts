import { Command } from 'commander'
import { findContainerd, shimsOf } from '../containerd/containerd-processes.ts'
import { clusterProcess } from '../control-plane-process.ts'
import { readAllocation } from '../layout/data-directory.ts'
import { type ClusterLayout, layoutOf } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'
import { type ClusterFlags, clusterOf, outputOption, type Verb, withClusterFlags } from './verb.ts'

/** What of a cluster runs on this machine, as `t8s status -o json` prints it. */
export interface ClusterStatus {
  readonly name: string
  readonly dataDir: string
  readonly server: string
  readonly controlPlane: { readonly running: boolean; readonly pid?: number }
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly containerd: boolean; readonly pods: number }[]
  readonly simulatedNodes: number
}

export const statusVerb: Verb = context =>
  withClusterFlags(new Command('status'))
    .description('Show what of a cluster runs: control plane, nodes, pods.')
    .addOption(outputOption('for programs'))
    .action((flags: ClusterFlags & { output?: string }) => {
      const where = clusterOf(flags, context)
      const allocation = readAllocation(where.dataDir)
      if (!allocation)
        throw new SetupError(`There is no cluster in ${where.dataDir}`, 'run "t8s up", or name one with --name or --data-dir')
      const status = statusOf(layoutOf(allocation, where.dataDir))
      context.stdout.write(flags.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : statusText(status))
    })

function statusOf(layout: ClusterLayout): ClusterStatus {
  const running = clusterProcess(layout)
  return {
    name: layout.name,
    dataDir: layout.dataDir,
    server: `https://127.0.0.1:${layout.apiPort}`,
    controlPlane: { running: running !== undefined, ...(running && { pid: running.pid }) },
    nodes: layout.nodes.map(node => ({
      name: node.name,
      address: node.address,
      containerd: findContainerd(node) !== undefined,
      pods: shimsOf(node).length,
    })),
    simulatedNodes: layout.simulatedNodes,
  }
}

function statusText(status: ClusterStatus): string {
  const { controlPlane } = status
  const lines = [
    `cluster        ${status.name} (${status.dataDir})`,
    `control plane  ${controlPlane.running ? `running, process ${controlPlane.pid}, ${status.server}` : 'stopped'}`,
    ...status.nodes.map(
      node => `${node.name.padEnd(15)}${node.containerd ? `containerd runs, ${node.pods} pods` : 'stopped'}, ${node.address}`,
    ),
    ...(status.simulatedNodes > 0 ? [`simulated      ${status.simulatedNodes} nodes`] : []),
  ]
  return `${lines.join('\n')}\n`
}
