import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { SetupError } from '../setup-error.ts'
import {
  type ClusterFlags,
  clusterOf,
  historyOption,
  outputOption,
  progressOf,
  tokenOf,
  type Verb,
  type VerbContext,
  wholeNumber,
  withClusterFlags,
} from './verb.ts'

interface ServerFlags extends ClusterFlags {
  readonly clusterInit?: boolean
  readonly clusterReset?: boolean
  readonly join?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly serverName?: string
  readonly advertiseAddress?: string
  readonly port?: number
  readonly tlsSan?: string[]
  readonly podCidr?: string
  readonly serviceCidr?: string
  readonly from?: string
  readonly history?: number
  readonly output?: string
}

const again = (value: string, before: string[] | undefined) => [...(before ?? []), value]

export const serverVerb: Verb = context => {
  const server = withClusterFlags(new Command('server').enablePositionalOptions()) // "remove" has flags of the same names
    .description('Make this machine one of several servers of a cluster (API server, controllers, scheduler, etcd), or start it again.')
    .option('--cluster-init', 'begin a cluster: this is its first server')
    .option('--join <url>', 'join the cluster of this server, such as https://10.0.0.1:6443')
    .option('--token <token>', 'what "t8s token create --role server" printed')
    .option('--token-file <file>', 'read the token from a file instead; - for standard input')
    .option('--server-name <name>', 'its name among the servers (default: the host name)')
    .option('--advertise-address <address>', 'where other machines reach it (default: its first address)')
    .option('--port <port>', 'port of the API server, the same on all servers (default: 6443)', wholeNumber(1, 65_535))
    .option('--tls-san <name>', 'a further name or address in its certificate, as of a load balancer; may be repeated', again)
    .option('--pod-cidr <network>', 'addresses of pods, with --cluster-init (default: 10.244.0.0/16)')
    .option('--service-cidr <network>', 'addresses of Services, with --cluster-init (default: 10.96.0.0/16)')
    .option(
      '--from <place>',
      'with --cluster-init: continue the cluster of "t8s up" in this data directory, which must be down, or begin with a file of "t8s store backup"',
    )
    .addOption(historyOption())
    .option('--cluster-reset', 'go on with this server alone, when the others are lost for good')
    .addOption(outputOption('one event a line'))
    .action((flags: ServerFlags) => up(flags, context))
  server.addCommand(
    withClusterFlags(new Command('remove'))
      .description('Take a server out of the cluster, so that another can take its place. To be run on another server.')
      .argument('<name>')
      .action(async (name: string, flags: ClusterFlags) => {
        const { removeServer } = await import('../servers/remove-server.ts')
        await removeServer(clusterOf(flags, context).dataDir, name, progressOf(undefined, context))
      }),
  )
  return server
}

async function up(flags: ServerFlags, context: VerbContext): Promise<void> {
  const { bringServerUp } = await import('../servers/bring-up-server.ts')
  const where = clusterOf(flags, context)
  const token = tokenOf(flags)
  if (flags.join !== undefined && token === undefined) {
    throw new SetupError('--join needs a token', 'run "t8s token create --role server" on a server and give what it prints with --token')
  }
  const request = {
    clusterInit: flags.clusterInit === true,
    clusterReset: flags.clusterReset === true,
    join: flags.join === undefined ? undefined : { server: flags.join, token: token! },
    serverName: flags.serverName,
    advertiseAddress: flags.advertiseAddress,
    apiPort: flags.port,
    tlsSans: flags.tlsSan ?? [],
    podCidr: flags.podCidr,
    serviceCidr: flags.serviceCidr,
    from: flags.from,
    historyMs: flags.history,
    program: fileURLToPath(new URL('./t8s-server.js', import.meta.url)), // all programs stand in one folder once built
  }
  const layout = await bringServerUp(where, request, progressOf(flags.output, context))
  if (flags.output === 'json') return
  const same = flags.dataDir ? ` --data-dir ${layout.dataDir}` : where.name === 'default' ? '' : ` --name ${where.name}`
  context.stdout.write(`
The server "${layout.serverName}" is up: https://${layout.advertiseAddress}:${layout.apiPort}

  export KUBECONFIG=${layout.kubeconfig}
  t8s token create --role server${same}   how another server joins (an odd number of servers is best: three, or five)
  t8s token create --role agent${same}    how a node joins
  t8s status${same}                       the servers and what they do
`)
}
