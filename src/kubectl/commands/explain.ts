import { Option } from 'commander'
import { askScheduler, podNamed } from '../ask-scheduler.ts'
import { type ClientFlags, type KubectlContext, type KubectlVerb, UsageError, verbCommand } from '../kubectl-verb.ts'
import { printVerdict } from '../printers/verdict-printer.ts'

interface ExplainFlags extends ClientFlags {
  readonly output?: 'json'
}

export const explainVerb: KubectlVerb = context =>
  verbCommand('explain')
    .description('Tell why a pod is on its node, or on none: which plugin refused which nodes, and what the others were worth.')
    .argument('<what>', 'scheduling')
    .argument('<pod>', 'pod/NAME')
    .addOption(new Option('-o, --output <format>', 'how').choices(['json']))
    .action((what: string, pod: string, flags: ExplainFlags) => explain(what, pod, flags, context))

async function explain(what: string, pod: string, flags: ExplainFlags, context: KubectlContext): Promise<void> {
  if (what !== 'scheduling')
    throw new UsageError(`t8s explains scheduling, and not "${what}": for the fields of objects use kubectl explain`)
  const { client, namespace } = await context.connect(flags)
  using _ = client
  const status = await askScheduler(client, namespace, { pod: podNamed(pod) }, context.signal)
  context.stdout.write(flags.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : printVerdict(podNamed(pod), status, false))
}
