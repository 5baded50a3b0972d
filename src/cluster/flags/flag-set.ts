import { type Flag, FlagValueError, type ValuesOf } from './flag.ts'
import { helpText } from './help.ts'
import { nearest } from './nearest.ts'

/** Flags by the heading under which help shows them, in upstream's order. */
export type FlagSections = Readonly<Record<string, Readonly<Record<string, Flag>>>>

/** A program and all flags that upstream's program of that name has. */
export interface Program<S extends FlagSections> {
  readonly name: string
  /** What help says first. */
  readonly about: string
  readonly sections: S
}

/** The values of all flags of a program, whichever section they stand in. */
export type FlagValues<S extends FlagSections> = ValuesOf<Merged<S[keyof S]>>

type Merged<U> = (U extends unknown ? (flags: U) => void : never) extends (flags: infer All) => void
  ? All extends Readonly<Record<string, Flag>>
    ? All
    : never
  : never

/** What a command line says. */
export type CommandLine<S extends FlagSections> =
  | {
      readonly do: 'run'
      readonly values: FlagValues<S>
      /** The flags that stood on the command line: what a configuration file says about others counts. */
      readonly given: ReadonlySet<string>
      /** One line each, for stderr. */
      readonly warnings: readonly string[]
    }
  /** Print `text` and end with success: help or the version. */
  | { readonly do: 'print'; readonly text: string }
  /** Print `text` to stderr and end with code 1. */
  | { readonly do: 'refuse'; readonly text: string }

/**
 * Reads a command line as upstream's programs do: `--name=value`, `--name value`, booleans alone, `-v=2`, `_` for `-` in names, later ones
 * over earlier ones. `version` is what `--version` prints behind `Kubernetes `.
 */
export function readCommandLine<S extends FlagSections>(program: Program<S>, args: readonly string[], version: string): CommandLine<S> {
  const flags = new Map<string, Flag>(Object.values(program.sections).flatMap(section => Object.entries(section)))
  const values = new Map<string, unknown>([...flags].map(([name, flag]) => [name, flag.defaultValue]))
  const given = new Set<string>()
  try {
    for (const { name, shown, value } of assignments(flags, args)) {
      if (name === 'help') return { do: 'print', text: helpText(program) }
      if (name === 'version') return versionOf(value, version)
      values.set(name, readValue(flags.get(name)!, shown, value, given.has(name) ? values.get(name) : undefined))
      given.add(name)
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { do: 'refuse', text: `Error: ${error.message}\nRun '${program.name} --help' for the flags it takes.\n` }
  }
  const warnings = [...given].flatMap(name => {
    const { unapplied, agreesWith } = flags.get(name)!
    return unapplied === undefined || agreesWith?.(values.get(name)) ? [] : [`--${name} is accepted, but ${unapplied}`]
  })
  return { do: 'run', values: Object.fromEntries(values) as FlagValues<S>, given, warnings }
}

/** Every flag with its value as it could stand on the command line, by name. */
export function flagTexts<S extends FlagSections>(program: Program<S>, values: FlagValues<S>): Record<string, string> {
  const flags = Object.values(program.sections).flatMap(section => Object.entries(section))
  const texts = flags.map(([name, flag]) => [name, flag.show((values as Readonly<Record<string, unknown>>)[name])] as const)
  return Object.fromEntries(texts.sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** A mistake on the command line. */
class UsageError extends Error {}

interface Assignment {
  readonly name: string
  /** As the user wrote it. */
  readonly shown: string
  readonly value: string
}

function* assignments(flags: ReadonlyMap<string, Flag>, args: readonly string[]): Generator<Assignment> {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '-h') yield { name: 'help', shown: '-h', value: 'true' }
    else if (arg.startsWith('--') && arg.length > 2) {
      const at = arg.indexOf('=')
      const shown = at < 0 ? arg : arg.slice(0, at)
      const name = shown.slice(2).replaceAll('_', '-')
      if (name === 'help' || name === 'version') {
        yield { name, shown, value: at < 0 ? 'true' : arg.slice(at + 1) }
        continue
      }
      const flag = flags.get(name) ?? unknown(flags, name)
      if (at >= 0) yield { name, shown, value: arg.slice(at + 1) }
      else if (flag.alone !== undefined) yield { name, shown, value: flag.alone }
      else if (++index < args.length) yield { name, shown, value: args[index]! }
      else throw new UsageError(`flag needs an argument: ${shown}`)
    } else if (/^-[a-zA-Z]/.test(arg)) {
      const found = [...flags].find(([, flag]) => flag.letter === arg[1])
      if (!found) throw new UsageError(`unknown shorthand flag: '${arg[1]}' in ${arg}`)
      const rest = arg.slice(2).replace(/^=/, '')
      if (rest === '' && ++index >= args.length) throw new UsageError(`flag needs an argument: ${arg}`)
      yield { name: found[0], shown: `-${arg[1]}`, value: rest === '' ? args[index]! : rest }
    } else throw new UsageError(`unknown argument ${JSON.stringify(arg)}: flags only, such as --kubeconfig=FILE`)
  }
}

function unknown(flags: ReadonlyMap<string, Flag>, name: string): never {
  const near = nearest(name, [...flags.keys(), 'help', 'version'])
  throw new UsageError(`unknown flag: --${name}${near === undefined ? '' : `; did you mean --${near}?`}`)
}

function readValue(flag: Flag, shown: string, value: string, before: unknown): unknown {
  try {
    return flag.read(value, before)
  } catch (error) {
    if (!(error instanceof FlagValueError)) throw error
    throw new UsageError(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: ${error.message}`)
  }
}

/** `--version`, `--version=raw`; `--version=vX.Y.Z` sets what is reported, which is only for upstream's tests. */
function versionOf(value: string, version: string): { readonly do: 'print'; readonly text: string } {
  return { do: 'print', text: value === 'raw' ? `version.Info{GitVersion:"${version}"}\n` : `Kubernetes ${version}\n` }
}
