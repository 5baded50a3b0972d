import { Command } from 'commander'
import { type ClusterFlags, clusterOf, outputOption, progressOf, type Verb, withClusterFlags } from './verb.ts'

export const downVerb: Verb = context =>
  withClusterFlags(new Command('down'))
    .description('Stop everything of a cluster and leave nothing of it running or set up. Its objects stay, for the next up.')
    .option('--purge', 'remove all its files as well')
    .addOption(outputOption('one event a line'))
    .action(async (flags: ClusterFlags & { purge?: boolean; output?: string }) => {
      const { takeDown } = await import('../bring-up.ts')
      const where = clusterOf(flags, context)
      const outcome = await takeDown(where, { purge: flags.purge === true }, progressOf(flags.output, context))
      if (outcome === 'absent' && flags.output !== 'json') context.stdout.write(`There is no cluster in ${where.dataDir}: nothing to do.\n`)
    })
