import { Command } from 'commander'
import { SetupError } from '../setup-error.ts'
import { type ClusterFlags, clusterOf, type Verb, wholeNumber, withClusterFlags } from './verb.ts'

interface ConfigFlags extends ClusterFlags {
  readonly bind: string
  readonly port?: number
  readonly caFile?: string
}

export const lbVerb: Verb = context => {
  const lb = new Command('lb').description('A load balancer in front of the API servers, for people; nodes need none.')
  lb.addCommand(
    withClusterFlags(new Command('config'))
      .description("Print HAProxy's configuration for all servers of the cluster. To be run on a server.")
      .option('--bind <address>', 'address on which HAProxy listens (default: all)', '')
      .option('--port <port>', "port on which HAProxy listens (default: the API server's)", wholeNumber(1, 65_535))
      .option('--ca-file <file>', "file with the cluster's authority on HAProxy's machine (default: that of this server)")
      .action(async (flags: ConfigFlags) => {
        const [{ localServer }, { serverMembers }, { haproxyConfig }, { realClock }] = await Promise.all([
          import('../servers/local-server.ts'),
          import('../servers/server-members.ts'),
          import('../load-balancer/haproxy-config.ts'),
          import('#base/time/real-clock.ts'),
        ])
        const layout = localServer(clusterOf(flags, context).dataDir)
        const members = await serverMembers(layout, realClock({ keepAlive: true }))
        if (!members) throw new SetupError('No server of the cluster answers', 'run "t8s status" to see how this one is')
        const servers = members
          .filter(({ name }) => name !== '')
          .map(({ name, clientURLs, peerURLs }) => ({ name, address: hostOf((clientURLs[0] ?? peerURLs[0])!), port: layout.apiPort }))
          .sort((one, other) => (one.name < other.name ? -1 : 1))
        const bind = `${flags.bind}:${flags.port ?? layout.apiPort}`
        context.stdout.write(haproxyConfig({ servers, bind, authorityFile: flags.caFile ?? `${layout.certificatesDir}/ca.crt` }))
      }),
  )
  return lb
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}
