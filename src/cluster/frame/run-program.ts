import '#base/time/dispose.ts'
import { VERSION } from '#apiserver/http/version.ts'
import { klog } from '#base/log/klog.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import { systemRandom } from '#base/random/system-random.ts'
import type { Clock } from '#base/time/clock.ts'
import { realClock } from '#base/time/real-clock.ts'
import { ConfigFileError, type ConfigKind, readConfig } from '../flags/config-file.ts'
import { type FlagSections, type FlagValues, flagTexts, type Program, readCommandLine } from '../flags/flag-set.ts'
import { neededFile } from '../flags/named-file.ts'
import { SetupError } from '../setup-error.ts'

/** What a program is given to run with. */
export interface ProgramContext<F = unknown> {
  /** The program's name. */
  readonly name: string
  readonly flags: F
  /** The flags that stood on the command line; they count before a configuration file. */
  readonly given: ReadonlySet<string>
  /** What a flag on the command line says; else what the configuration file says; else the flag's default. */
  setting<Name extends keyof F, T extends F[Name]>(flag: Name, inFile: T | undefined): F[Name]
  /** Every flag with its value, as `/flagz` shows them. */
  readonly flagTexts: Readonly<Record<string, string>>
  readonly log: Logger
  readonly clock: Clock
  readonly random: Random
  /** Aborts at SIGTERM or SIGINT: let go of everything and return. */
  readonly signal: AbortSignal
}

/**
 * Runs one of upstream's programs: reads the command line, logs to stderr, ends cleanly at SIGTERM (at once at the second one). `work`
 * returns when it has ended; its rejection is the program's failure. The program's file is read to its end before, if it does not wait for this.
 */
export async function runProgram<S extends FlagSections>(
  program: Program<S>,
  work: (context: ProgramContext<FlagValues<S>>) => Promise<void>,
): Promise<void> {
  await Promise.resolve()
  const line = readCommandLine(program, process.argv.slice(2), VERSION.gitVersion)
  if (line.do !== 'run') {
    const stream = line.do === 'print' ? process.stdout : process.stderr
    stream.write(line.text)
    process.exitCode = line.do === 'print' ? 0 : 1
    return
  }
  const { values: flags, given } = line
  const clock = realClock()
  const { v, 'logging-format': format } = flags as unknown as { readonly v: number; readonly 'logging-format': 'text' | 'json' }
  const log = klog({ write: text => process.stderr.write(text), clock, verbosity: v, format, pid: process.pid })
  for (const warning of line.warnings) log.warn(warning)
  const stop = new AbortController()
  const end = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1)
    log.info('ending', { signal })
    stop.abort(new Error(`${program.name} was told to end (${signal})`))
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  try {
    log.info('starting', { program: program.name, version: VERSION.gitVersion, pid: process.pid })
    await work({
      name: program.name,
      flags,
      given,
      setting: (flag, inFile) => (given.has(flag as string) || inFile === undefined ? flags[flag] : inFile),
      flagTexts: flagTexts(program, flags),
      log,
      clock,
      random: systemRandom(),
      signal: stop.signal,
    })
    process.exitCode = 0
  } catch (error) {
    process.exitCode = 1
    if (stop.signal.aborted && error === stop.signal.reason) process.exitCode = 0
    else if (error instanceof SetupError || error instanceof ConfigFileError) process.stderr.write(`Error: ${error.message}\n`)
    else process.stderr.write(`Error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  } finally {
    process.off('SIGTERM', end)
    process.off('SIGINT', end)
  }
  // A leader that has ended must be gone, whatever is still under way.
  process.exit()
}

/** Resolves when the program is told to end. */
export function untilToldToEnd(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The configuration in `file`; undefined if no file was named. */
export function configOf<T>(kind: ConfigKind<T>, file: string): T | undefined {
  return file === '' ? undefined : readConfig(kind, file, neededFile('--config', file))
}
