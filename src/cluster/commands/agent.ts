import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { SetupError } from '../setup-error.ts'
import { type ClusterFlags, clusterOf, outputOption, progressOf, tokenOf, type Verb, type VerbContext, withClusterFlags } from './verb.ts'

interface AgentFlags extends ClusterFlags {
  readonly join?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly nodeName?: string
  readonly nodeIp?: string
  readonly output?: string
}

export const agentVerb: Verb = context =>
  withClusterFlags(new Command('agent'))
    .description('Make this machine a node of a cluster of several servers (kubelet, proxy, containerd), or start it again.')
    .option('--join <url>', 'join the cluster of this server, such as https://10.0.0.1:6443')
    .option('--token <token>', 'what "t8s token create" printed on a server')
    .option('--token-file <file>', 'read the token from a file instead; - for standard input')
    .option('--node-name <name>', 'its name among the nodes (default: the host name)')
    .option('--node-ip <address>', 'where other machines reach it (default: its first address)')
    .addOption(outputOption('one event a line'))
    .action((flags: AgentFlags) => up(flags, context))

async function up(flags: AgentFlags, context: VerbContext): Promise<void> {
  const { bringAgentUp } = await import('../agents/bring-up-agent.ts')
  const token = tokenOf(flags)
  if (flags.join !== undefined && token === undefined) {
    throw new SetupError('--join needs a token', 'run "t8s token create" on a server and give what it prints with --token')
  }
  const request = {
    join: flags.join === undefined ? undefined : { server: flags.join, token: token! },
    nodeName: flags.nodeName,
    nodeIp: flags.nodeIp,
    program: fileURLToPath(new URL('./t8s-agent.js', import.meta.url)), // all programs stand in one folder once built
  }
  const layout = await bringAgentUp(clusterOf(flags, context), request, progressOf(flags.output, context), context.signal)
  if (flags.output !== 'json')
    context.stdout.write(`\nThis machine is the node "${layout.nodeName}" of the cluster "${layout.cluster.name}".\n`)
}
