import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import type { ClusterLayout } from '../layout/layout.ts'
import {
  type ClusterFlags,
  clusterOf,
  historyOption,
  outputOption,
  progressOf,
  type Verb,
  type VerbContext,
  wholeNumber,
  withClusterFlags,
} from './verb.ts'

interface UpFlags extends ClusterFlags {
  readonly nodes?: number
  readonly simulatedNodes?: number
  readonly port?: number
  readonly history?: number
  readonly apiserverFlag?: readonly string[]
  readonly output?: string
}

export const upVerb: Verb = context =>
  withClusterFlags(new Command('up'))
    .description('Bring a cluster up, or back up. What runs already is left as it is.')
    .option(
      '--nodes <count>',
      'nodes that run containers, each with a containerd of its own (default: 1, or as before)',
      wholeNumber(0, 250),
    )
    .option(
      '--simulated-nodes <count>',
      'nodes that only speak the status protocol; alone they need neither root nor containerd',
      wholeNumber(0, 100_000),
    )
    .option('--port <port>', 'port of the API server (default: 6443, or the next that no other cluster has)', wholeNumber(1, 65_535))
    .addOption(historyOption())
    .option(
      '--apiserver-flag <name=value>',
      'a flag of kube-apiserver: audit-…, oidc-…, authentication-config, …-admission-plugins; may be given more than once (default: as before)',
      (flag: string, before: readonly string[] = []) => (flag === '' ? before : [...before, flag]),
    )
    .addOption(outputOption('one event a line'))
    .action((flags: UpFlags) => up(flags, context))

async function up(flags: UpFlags, context: VerbContext): Promise<void> {
  const { bringUp } = await import('../bring-up.ts')
  if (flags.apiserverFlag) {
    const { readApiServerFlags } = await import('../flags/api-server-flags.ts')
    readApiServerFlags(flags.apiserverFlag)
  }
  const where = clusterOf(flags, context)
  const request = {
    name: where.name,
    nodes: flags.nodes,
    simulatedNodes: flags.simulatedNodes,
    apiPort: flags.port,
    historyMs: flags.history,
    apiServerFlags: flags.apiserverFlag,
    program: fileURLToPath(new URL('./t8s-cluster.js', import.meta.url)), // all programs stand in one folder once built
    programArgs: () => ['--data-dir', where.dataDir],
  }
  const layout = await bringUp(where, request, progressOf(flags.output, context), context.signal)
  if (flags.output !== 'json') context.stdout.write(nextSteps(layout, flags))
}

function nextSteps(layout: ClusterLayout, flags: ClusterFlags): string {
  const same = flags.dataDir ? ` --data-dir ${layout.dataDir}` : layout.name === 'default' ? '' : ` --name ${layout.name}`
  const lines = [
    [`export KUBECONFIG=${layout.kubeconfig}`, ''],
    ['kubectl get nodes', ''],
    [`t8s status${same}`, 'what runs'],
    [`t8s down${same}`, "stop everything; the cluster's objects stay"],
  ]
  const width = Math.max(...lines.slice(2).map(([command = '']) => command.length))
  const text = lines.map(([command = '', meaning = '']) => `  ${meaning ? `${command.padEnd(width)}   ${meaning}` : command}\n`).join('')
  return `\nThe cluster "${layout.name}" is up: https://127.0.0.1:${layout.apiPort}\n\n${text}`
}
