import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { realClock } from '#base/time/real-clock.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import { type ResolvedWhereabouts, readAllocation, whereabouts } from '../layout/data-directory.ts'
import type { Progress } from '../progress/progress.ts'
import { jsonProgress, textProgress } from '../progress/text-progress.ts'
import { SetupError } from '../setup-error.ts'

/** What every verb gets from the program around it. */
export interface VerbContext {
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: NodeJS.ProcessEnv
}

/** One verb of the command line: makes its command, whose action loads what it needs. */
export type Verb = (context: VerbContext) => Command

/** Flags by which every verb finds its cluster. */
export interface ClusterFlags {
  readonly name?: string
  readonly dataDir?: string
}

/** Adds `--name` and `--data-dir`. */
export function withClusterFlags(command: Command): Command {
  return command
    .option('--name <name>', 'name of the cluster (default: "default")')
    .option('--data-dir <directory>', 'where the cluster keeps its files (default: /var/lib/typernetes/<name>)')
}

/** The directories of the cluster the flags name; one that stands in `--data-dir` already has its name from there. */
export function clusterOf(flags: ClusterFlags, context: VerbContext): ResolvedWhereabouts {
  const where = whereabouts(flags, context.environment, process.getuid?.() === 0)
  if (flags.name !== undefined || flags.dataDir === undefined) return where
  return { ...where, name: readAllocation(where.dataDir)?.name ?? where.name }
}

/** Progress on stderr for people; with `-o json` on stdout, a line per event. */
export function progressOf(output: string | undefined, context: VerbContext): Progress {
  return output === 'json' ? jsonProgress(context.stdout, realClock()) : textProgress(context.stderr, realClock())
}

/** The token given by `--token` or `--token-file`, if any. */
export function tokenOf(flags: { readonly token?: string; readonly tokenFile?: string }): string | undefined {
  if (flags.tokenFile === undefined) return flags.token
  try {
    return readFileSync(flags.tokenFile === '-' ? 0 : flags.tokenFile, 'utf8').trim()
  } catch (error) {
    throw new SetupError(
      `--token-file ${flags.tokenFile} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'name a file that this user may read',
    )
  }
}

/** `-o json`, the one format beside text for people. */
export function outputOption(description: string): Option {
  return new Option('-o, --output <format>', description).choices(['json'])
}

/** `--history`, which the verbs that bring something up take. */
export function historyOption(): Option {
  return new Option('--history <duration>', 'how long what was can be read, such as 1h (default: 5m, or as before)').argParser(text => {
    try {
      const ms = durationMs(text)
      if (ms >= 1000) return ms
    } catch {
      // says the same as one that is too short
    }
    throw new InvalidArgumentError('It must be a duration of at least a second, such as 90s, 30m or 24h.')
  })
}

/** Reads a flag's value as a whole number. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}
