import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { SetupError } from '../setup-error.ts'
import { type ClusterFlags, clusterOf, type Verb, withClusterFlags } from './verb.ts'

export const kubeconfigVerb: Verb = context =>
  withClusterFlags(new Command('kubeconfig'))
    .description('Print a kubeconfig for the admin of the cluster.')
    .option('--path', 'print the path of the file instead')
    .action((flags: ClusterFlags & { path?: boolean }) => {
      const where = clusterOf(flags, context)
      const file = join(where.dataDir, 'kubeconfig')
      if (!existsSync(file))
        throw new SetupError(`The cluster "${where.name}" has no kubeconfig in ${where.dataDir} yet`, 'run "t8s up" first')
      context.stdout.write(flags.path ? `${file}\n` : readFileSync(file, 'utf8'))
    })
