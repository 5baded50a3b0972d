import { isIP } from 'node:net'
import { durationMs, formatDuration } from '#machinery/duration/duration.ts'

/**
 * One flag of a program. Its type says how upstream's flag library (pflag) reads it: as a word, a number, a list that commas and repetitions
 * extend, a map, a duration.
 */
export interface Flag<T = unknown> {
  /** As help shows it behind the name: `string`, `duration`; '' for a boolean. */
  readonly type: string
  readonly help: string
  readonly defaultValue: T
  /** The default as help shows it; '' shows none. */
  readonly defaultText: string
  /** The value of the flag alone, without `=…`; absent if it needs one. */
  readonly alone?: string
  /** One letter: `-v`. */
  readonly letter?: string
  /** Set if the flag is known but has no effect here: what the warning says. */
  readonly unapplied?: string
  /** Set if only the default can be given: why. */
  readonly refused?: string
  /** Of a flag without effect: whether a value asks for what is done anyway, so that nobody need be warned. */
  agreesWith?(value: T): boolean
  /** The value after `text` was given, once `before` had been (undefined the first time). Throws a {@link FlagValueError}. */
  read(text: string, before: T | undefined): T
  /** A value as it could stand on the command line. */
  show(value: T): string
}

/** A value that is not one; the message says what it must be. */
export class FlagValueError extends Error {
  override readonly name = 'FlagValueError'
}

/** What a set of flags means once read: a value per name, the default where none was given. */
export type ValuesOf<F extends Readonly<Record<string, Flag>>> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

/**
 * Marks a flag as known but without effect: asking for anything but what is `done` anyway, which is its default unless said otherwise, is
 * answered with one line of warning.
 */
export function unapplied<T>(flag: Flag<T>, because = 'it has no effect here', done: T = flag.defaultValue): Flag<T> {
  return { ...flag, unapplied: because, agreesWith: value => flag.show(value) === flag.show(done) }
}

/** A flag that is known, but whose other values must not be taken for granted: all but the default are refused. */
export function refused<T>(flag: Flag<T>, because: string): Flag<T> {
  const only = checked(flag, value => (flag.show(value) === flag.show(flag.defaultValue) ? undefined : fail(because)))
  return { ...only, refused: because }
}

/** A flag whose values must also pass `check`, which throws a {@link FlagValueError}. */
export function checked<T>(flag: Flag<T>, check: (value: T) => unknown): Flag<T> {
  return {
    ...flag,
    read(text, before) {
      const value = flag.read(text, before)
      check(value)
      return value
    },
  }
}

export function text(help: string, defaultValue = ''): Flag<string> {
  return flag('string', help, defaultValue, defaultValue === '' ? '' : JSON.stringify(defaultValue), value => value)
}

export function boolean(help: string, defaultValue = false): Flag<boolean> {
  const words = new Map([
    ...['1', 't', 'T', 'true', 'TRUE', 'True'].map(word => [word, true] as const),
    ...FALSE.map(word => [word, false] as const),
  ])
  const read = (value: string) => words.get(value) ?? fail(`${JSON.stringify(value)} is neither true nor false`)
  return { ...flag('', help, defaultValue, defaultValue ? 'true' : '', read), alone: 'true' }
}

export function integer(help: string, defaultValue = 0, bounds: { readonly least?: number; readonly most?: number } = {}): Flag<number> {
  const { least = -(2 ** 31), most = 2 ** 31 - 1 } = bounds
  return flag('int', help, defaultValue, defaultValue === 0 ? '' : String(defaultValue), value => {
    if (!/^[+-]?\d+$/.test(value)) fail(`${JSON.stringify(value)} is no whole number`)
    const number = Number(value)
    return number >= least && number <= most ? number : fail(`it must be from ${least} to ${most}`)
  })
}

export function port(help: string, defaultValue: number): Flag<number> {
  return integer(help, defaultValue, { least: 0, most: 65_535 })
}

export function decimal(help: string, defaultValue = 0): Flag<number> {
  return flag('float', help, defaultValue, defaultValue === 0 ? '' : String(defaultValue), value => {
    const number = Number(value)
    return value.trim() !== '' && Number.isFinite(number) ? number : fail(`${JSON.stringify(value)} is no number`)
  })
}

/** In milliseconds; written as Go does: `1m30s`. */
export function duration(help: string, defaultText = '0s'): Flag<number> {
  const read = (value: string) => {
    try {
      return durationMs(value)
    } catch {
      return fail(`${JSON.stringify(value)} is no duration, such as 10s or 1m30s`)
    }
  }
  const show = (value: number) => formatDuration(BigInt(Math.round(value * 1e6)))
  return { ...flag('duration', help, durationMs(defaultText), defaultText === '0s' ? '' : defaultText, read), show }
}

/** An address, of version 4 or 6. */
export function ip(help: string, defaultValue = ''): Flag<string> {
  return flag('ip', help, defaultValue, defaultValue, value => (isIP(value) ? value : fail(`${JSON.stringify(value)} is no IP address`)))
}

export function oneOf<const Words extends readonly string[]>(words: Words, help: string, defaultValue: Words[number]): Flag<Words[number]> {
  return flag<Words[number]>('string', help, defaultValue, JSON.stringify(defaultValue), value =>
    words.includes(value) ? value : fail(`it must be one of ${words.join(', ')}`),
  )
}

/** Words between commas; given again, it goes on. */
export function list(help: string, defaultValue: readonly string[] = []): Flag<readonly string[]> {
  return flag('strings', help, defaultValue, defaultValue.length === 0 ? '' : `[${defaultValue.join(',')}]`, (value, before = []) =>
    value === '' ? before : [...before, ...fieldsOf(value)],
  )
}

/** One word each time it is given; commas are part of it. */
export function repeated(help: string, type = 'stringArray'): Flag<readonly string[]> {
  return flag<readonly string[]>(type, help, [], '', (value, before = []) => [...before, value])
}

/** `key=value` pairs between commas; given again, it goes on. */
export function pairs(help: string, sign = '='): Flag<Readonly<Record<string, string>>> {
  return flag('mapStringString', help, {}, '', (value, before = {}) => {
    const all = new Map(Object.entries(before))
    for (const pair of value.split(',').filter(part => part.trim() !== '')) {
      const at = pair.indexOf(sign)
      if (at < 0) fail(`${JSON.stringify(pair)} is not of the form key${sign}value`)
      all.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim())
    }
    return Object.fromEntries(all)
  })
}

/** `name=true|false` pairs, as `--feature-gates`. With `bareIsTrue` a name alone counts as well, as in `--runtime-config`. */
export function switches(help: string, bareIsTrue = false): Flag<Readonly<Record<string, boolean>>> {
  const words = pairs(help)
  const truth = boolean('')
  return flag('mapStringBool', help, {}, '', (value, before = {}) => {
    const text = bareIsTrue ? value.replaceAll(/(^|,)([^=,]+)(?=,|$)/g, '$1$2=true') : value
    const read = Object.entries(words.read(text, undefined)).map(([name, word]) => [name, truth.read(word, undefined)])
    return { ...before, ...Object.fromEntries(read) }
  })
}

const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

function flag<T>(type: string, help: string, defaultValue: T, defaultText: string, read: Flag<T>['read']): Flag<T> {
  return { type, help, defaultValue, defaultText, read, show: textOf }
}

/** Lists and maps as Go writes them: `[a,b]`, `a=1,b=2`. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(',')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, one]) => `${key}=${String(one)}`)
    .sort()
    .join(',')
}

function fail(message: string): never {
  throw new FlagValueError(message)
}

/** Fields of one line of CSV: what stands in double quotes may hold commas. */
function fieldsOf(line: string): string[] {
  const fields: string[] = []
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  return fields
}
