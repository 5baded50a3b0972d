import { isAmbiguous } from './plain-scalar.ts'

/**
 * YAML as `kubectl -o yaml` and the API server write it: keys sorted, lists not indented, text quoted only where it must be, long text
 * folded at 80 columns. Line for line what the Go library prints.
 */
export function encodeYaml(value: unknown): string {
  if (isEmptyCollection(value)) return `${emptyText(value)}\n`
  if (!isCollection(value)) return `${scalar(value, 0, 0, false)}\n`
  const lines: string[] = []
  writeCollection(lines, value, 0, '')
  return lines.join('')
}

const WIDTH = 80

type Collection = readonly unknown[] | Readonly<Record<string, unknown>>

/** Writes the entries of a map or list at `indent`; `lead` stands before the first one (the dashes of the lists around it). */
function writeCollection(lines: string[], value: Collection, indent: number, lead: string): void {
  const pad = ' '.repeat(indent)
  let before = lead === '' ? pad : lead
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      writeItem(lines, plainOf(item), indent, `${before}- `)
      before = pad
    }
    return
  }
  const object = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(object).sort(compareKeys)) {
    if (object[key] === undefined) continue
    writeEntry(lines, key, plainOf(object[key]), indent, before)
    before = pad
  }
}

function writeItem(lines: string[], item: unknown, indent: number, lead: string): void {
  if (isEmptyCollection(item)) lines.push(`${lead}${emptyText(item)}\n`)
  else if (isCollection(item)) writeCollection(lines, item, indent + 2, lead)
  else lines.push(`${lead}${scalar(item, indent + 2, lead.length, false)}\n`)
}

function writeEntry(lines: string[], key: string, value: unknown, indent: number, lead: string): void {
  const name = scalar(key, indent, lead.length, true)
  const isLongKey = name.length > 128
  const label = isLongKey ? `${lead}? ${name}\n${' '.repeat(indent)}:` : `${lead}${name}:`
  if (isEmptyCollection(value)) lines.push(`${label} ${emptyText(value)}\n`)
  else if (isCollection(value)) {
    lines.push(`${label}\n`)
    writeCollection(lines, value, Array.isArray(value) ? indent : indent + 2, '')
  } else lines.push(`${label} ${scalar(value, indent + 2, label.length + 1, false)}\n`)
}

/** A scalar that begins at `column` and whose further lines stand at `indent`. */
function scalar(value: unknown, indent: number, column: number, isKey: boolean): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return numberText(value)
  if (typeof value !== 'string') return String(value)
  const traits = traitsOf(value)
  if (value.includes('\n')) return traits.canBlock && !isKey ? literal(value, indent) : doubleQuoted(value, indent, column, isKey)
  if (isAmbiguous(value)) return doubleQuoted(value, indent, column, isKey)
  if (traits.canPlain) return folded(value, indent, column, isKey)
  if (traits.canSingle) return `'${folded(value.replaceAll("'", "''"), indent, column + 1, isKey)}'`
  return doubleQuoted(value, indent, column, isKey)
}

interface Traits {
  readonly canPlain: boolean
  readonly canSingle: boolean
  readonly canBlock: boolean
}

/** In which styles a text can be written, by libyaml's analysis of its characters. */
function traitsOf(text: string): Traits {
  const special = UNPRINTABLE.test(text) || / \n/.test(text)
  const edges = /^[ \n]|[ \n]$/.test(text)
  const indicators = /^(?:---|\.\.\.)/.test(text) || /^[#,[\]{}&*!|>'"%@`]|^[?:-](?:[ \n]|$)|:(?:[ \n]|$)|[ \n]#/.test(text)
  const breaks = text.includes('\n')
  return {
    canPlain: !special && !edges && !indicators && !breaks,
    canSingle: !special && !/\n /.test(text),
    canBlock: !special && !text.endsWith(' '),
  }
}

const UNPRINTABLE = /[^\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u

function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '2' : ''
  const chomp = text.endsWith('\n') ? (text === '\n' || text.endsWith('\n\n') ? '+' : '') : '-'
  const pad = ' '.repeat(indent)
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  return `|${hint}${chomp}\n${lines.map(line => (line === '' ? '' : pad + line)).join('\n')}`
}

/** Breaks a long text at single blanks once a line is longer than 80. */
function folded(text: string, indent: number, column: number, isKey: boolean): string {
  if (isKey || column + text.length <= WIDTH) return text
  const pad = `\n${' '.repeat(indent)}`
  let result = ''
  let at = column
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!
    const isBreak = char === ' ' && at > WIDTH && index > 0 && index < text.length - 1 && text[index - 1] !== ' ' && text[index + 1] !== ' '
    result += isBreak ? pad : char
    at = isBreak ? indent : at + 1
  }
  return result
}

function doubleQuoted(text: string, indent: number, column: number, isKey: boolean): string {
  let result = '"'
  let at = column + 1
  let wasSpace = false
  const chars = [...text]
  chars.forEach((char, index) => {
    if (char === ' ' && !isKey && !wasSpace && at > WIDTH && index > 0 && index < chars.length - 1) {
      result += `\n${' '.repeat(indent)}${chars[index + 1] === ' ' ? '\\' : ''}`
      at = indent
      wasSpace = true
      return
    }
    const written = escaped(char)
    result += written
    at += written.length
    wasSpace = char === ' '
  })
  return `${result}"`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\xa0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

function escaped(char: string): string {
  const short = ESCAPES[char]
  if (short !== undefined) return short
  if (!UNPRINTABLE.test(char)) return char
  const code = char.codePointAt(0)!
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** Whole numbers as they are, others as Go's shortest form: an exponent below 10^-4 and from 10^21 (10^6 with a fraction) on. */
function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value)
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 21 && !(exponent >= 6 && !Number.isInteger(value))) return String(value)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** The Go library's order of keys: letters behind the rest, numbers by value. */
export function compareKeys(left: string, right: string): number {
  const a = [...left]
  const b = [...right]
  for (let index = 0; index < a.length && index < b.length; index++) {
    const one = a[index]!
    const other = b[index]!
    if (one === other) continue
    const isLetter = LETTER.test(one)
    const isOtherLetter = LETTER.test(other)
    if (isLetter && isOtherLetter) return one.codePointAt(0)! - other.codePointAt(0)!
    if (isLetter || isOtherLetter) return isOtherLetter ? -1 : 1
    return compareNumbers(a, b, index)
  }
  return a.length - b.length
}

const LETTER = /^\p{L}$/u

function compareNumbers(a: readonly string[], b: readonly string[], from: number): number {
  let prefix = ''
  if (a[from] === '0' || b[from] === '0') {
    for (let index = from - 1; index >= 0 && isDigit(a[index]!); index--) {
      if (a[index] !== '0') prefix = '1'
    }
  }
  const [left, right] = [digitsFrom(a, from), digitsFrom(b, from)]
  const difference = Number(`${prefix}${left}` || '0') - Number(`${prefix}${right}` || '0')
  if (difference !== 0) return difference
  if (left.length !== right.length) return left.length - right.length
  return a[from]!.codePointAt(0)! - b[from]!.codePointAt(0)!
}

function digitsFrom(chars: readonly string[], from: number): string {
  let end = from
  while (end < chars.length && isDigit(chars[end]!)) end++
  return chars.slice(from, end).join('')
}

const isDigit = (char: string) => char >= '0' && char <= '9'

function isCollection(value: unknown): value is Collection {
  return typeof value === 'object' && value !== null
}

function isEmptyCollection(value: unknown): value is Collection {
  if (!isCollection(value)) return false
  return Array.isArray(value) ? value.length === 0 : Object.values(value).every(item => item === undefined)
}

function emptyText(value: Collection): string {
  return Array.isArray(value) ? '[]' : '{}'
}

function plainOf(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return value
}
