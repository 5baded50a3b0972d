import '#base/time/dispose.ts'
import { Command, CommanderError } from 'commander'
import { diffVerb } from '#kubectl/commands/diff.ts'
import { explainVerb } from '#kubectl/commands/explain.ts'
import { getVerb } from '#kubectl/commands/get.ts'
import { whatIfVerb } from '#kubectl/commands/what-if.ts'
import { agentVerb } from './commands/agent.ts'
import { downVerb } from './commands/down.ts'
import { imageVerb } from './commands/image.ts'
import { kubeconfigVerb } from './commands/kubeconfig.ts'
import { clusterVerb, sentenceOf } from './commands/kubectl-context.ts'
import { lbVerb } from './commands/lb.ts'
import { serverVerb } from './commands/server.ts'
import { statusVerb } from './commands/status.ts'
import { storeVerb } from './commands/store/store.ts'
import { tokenVerb } from './commands/token.ts'
import { upVerb } from './commands/up.ts'
import type { Verb } from './commands/verb.ts'
import { versionVerb } from './commands/version.ts'
import { SetupError } from './setup-error.ts'

/** The verbs of `t8s`, in the order in which help shows them. Each is one file that loads what it needs only when it runs. */
const VERBS: readonly Verb[] = [
  upVerb,
  downVerb,
  statusVerb,
  clusterVerb(getVerb),
  clusterVerb(diffVerb),
  clusterVerb(explainVerb),
  clusterVerb(whatIfVerb),
  serverVerb,
  agentVerb,
  tokenVerb,
  lbVerb,
  kubeconfigVerb,
  imageVerb,
  storeVerb,
  versionVerb,
]

// What a verb left behind, such as a connection to a machine that does not answer, is not waited for.
process.exit(await main(process.argv.slice(2)))

async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController()
  const interrupt = () => stop.abort(new SetupError('Interrupted', 'what was done so far stays, and the same command continues from there'))
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  const context = { signal: stop.signal, stdout: process.stdout, stderr: process.stderr, environment: process.env }
  const program = new Command('t8s').description('Kubernetes in one command.').showSuggestionAfterError().enablePositionalOptions()
  for (const verb of VERBS) program.addCommand(verb(context))
  for (const command of withSubcommands(program)) command.exitOverride()
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(stop.signal.aborted ? stop.signal.reason : error)
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** What the user can mend is one sentence; anything else is a mistake of ours and shows where. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode // it has said so itself
  if (error instanceof SetupError) process.stderr.write(`t8s: ${error.message}.\n`)
  else if (sentenceOf(error) !== undefined) process.stderr.write(`t8s: ${sentenceOf(error)}\n`)
  else process.stderr.write(`t8s: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}
