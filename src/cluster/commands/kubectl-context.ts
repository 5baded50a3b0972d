import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '#base/time/real-clock.ts'
import type { ClientFlags, KubectlContext, KubectlVerb, NamedText } from '#kubectl/kubectl-verb.ts'
import { UsageError } from '#kubectl/kubectl-verb.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { SetupError } from '../setup-error.ts'
import { clusterOf, type Verb, type VerbContext } from './verb.ts'

/** A verb that speaks with a cluster, as one of `t8s`. */
export function clusterVerb(verb: KubectlVerb): Verb {
  return context => verb(kubectlContext(context))
}

/** What the user can mend is one sentence; undefined for what he cannot. */
export function sentenceOf(error: unknown): string | undefined {
  if (error instanceof UsageError) return error.message
  if (error instanceof StatusError) return error.message
  return undefined
}

function kubectlContext(context: VerbContext): KubectlContext {
  return {
    signal: context.signal,
    stdout: context.stdout,
    stderr: context.stderr,
    connect: flags => connect(flags, context),
    compare: async (before, after) => compare(before, after, context),
    differs() {
      process.exitCode = 1
    },
  }
}

async function connect(flags: ClientFlags, context: VerbContext) {
  const [{ httpClient }, { clientOptions }, { parseKubeconfig, resolveContext }] = await Promise.all([
    import('#client/http/http-client.ts'),
    import('#client/kubeconfig/client-options.ts'),
    import('#client/kubeconfig/kubeconfig.ts'),
  ])
  const file = kubeconfigOf(flags, context)
  const config = parseKubeconfig(readFileSync(file, 'utf8'))
  const resolved = resolveContext(config, flags.context || config.currentContext)
  const options = clientOptions(resolved, join(file, '..'), realClock({ keepAlive: false }))
  const warn = (text: string) => void context.stderr.write(`Warning: ${text}\n`)
  return { client: httpClient({ ...options, userAgent: 't8s', warn }), namespace: flags.namespace ?? resolved.namespace ?? 'default' }
}

function kubeconfigOf({ kubeconfig, name }: ClientFlags, context: VerbContext): string {
  const file =
    kubeconfig ??
    (name === undefined && context.environment['KUBECONFIG']
      ? context.environment['KUBECONFIG'].split(':')[0]!
      : join(clusterOf(name === undefined ? {} : { name }, context).dataDir, 'kubeconfig'))
  if (!existsSync(file))
    throw new SetupError(`There is no kubeconfig ${file}`, 'run "t8s up", or name a cluster with --kubeconfig or --name')
  return file
}

/** `diff -u`, as kubectl diff calls it; its lines name the objects and not our files. */
function compare(before: NamedText, after: NamedText, context: VerbContext): boolean {
  const folder = mkdtempSync(join(tmpdir(), 't8s-diff-'))
  try {
    writeFileSync(join(folder, 'before'), before.text, { mode: 0o600 })
    writeFileSync(join(folder, 'after'), after.text, { mode: 0o600 })
    const labels = ['--label', before.name, '--label', after.name]
    const { status, stdout, error } = spawnSync('diff', ['-u', ...labels, join(folder, 'before'), join(folder, 'after')], {
      encoding: 'utf8',
    })
    if (error || status === null || status > 1)
      throw new SetupError('The program diff cannot be run', 'install it: apt-get install diffutils')
    context.stdout.write(stdout)
    return status === 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}
