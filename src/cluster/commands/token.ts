import { Command, Option } from 'commander'
import type { JoinRole } from '../join/join-token.ts'
import { type ClusterFlags, clusterOf, outputOption, type Verb, withClusterFlags } from './verb.ts'

export const tokenVerb: Verb = context => {
  const token = new Command('token').description('Tokens by which machines join a cluster of several servers. To be run on a server.')
  token.addCommand(
    withClusterFlags(new Command('create'))
      .description('Make a token and print the command by which another machine joins.')
      .addOption(new Option('--role <role>', 'as what it lets a machine join').choices(['agent', 'server']).default('agent'))
      .option('--ttl <duration>', 'how long it is good for, such as 30m or 24h (default: 24h for agents, 1h for servers)')
      .option('--print-token', 'print the token alone')
      .action(async (flags: ClusterFlags & { role: JoinRole; ttl?: string; printToken?: boolean }) => {
        const { createJoinToken } = await import('../servers/join-tokens.ts')
        const made = await createJoinToken(clusterOf(flags, context).dataDir, flags.role, flags.ttl)
        context.stdout.write(flags.printToken ? `${made.token}\n` : `t8s ${flags.role} --join ${made.server} --token ${made.token}\n`)
      }),
  )
  token.addCommand(
    withClusterFlags(new Command('ls'))
      .description('List the tokens: not their secrets.')
      .addOption(outputOption('for programs'))
      .action(async (flags: ClusterFlags & { output?: string }) => {
        const { listJoinTokens } = await import('../servers/join-tokens.ts')
        const tokens = await listJoinTokens(clusterOf(flags, context).dataDir)
        if (flags.output === 'json') context.stdout.write(`${JSON.stringify(tokens, null, 2)}\n`)
        else for (const { id, role, expiration } of tokens) context.stdout.write(`${id}   ${role.padEnd(6)}   good until ${expiration}\n`)
      }),
  )
  token.addCommand(
    withClusterFlags(new Command('delete'))
      .description('Make a token useless.')
      .argument('<id>', 'the six characters before the point')
      .action(async (id: string, flags: ClusterFlags) => {
        const { deleteJoinToken } = await import('../servers/join-tokens.ts')
        await deleteJoinToken(clusterOf(flags, context).dataDir, id)
      }),
  )
  return token
}
