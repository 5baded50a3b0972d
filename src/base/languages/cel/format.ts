import { EvaluationError } from './evaluation-error.ts'
import { formatDouble } from './go-numbers.ts'
import { formatDuration, formatTimestamp } from './time.ts'
import { CelDuration, CelList, CelMap, CelTimestamp, CelTypeValue, CelUint, type CelValue, typeNameOf } from './values.ts'

/**
 * How `format` writes. `plain`: what cel-go does now. `localized`: what it did in the version of the library that Kubernetes keeps to, with
 * English thousands and powers of ten, and elements of lists as literals.
 */
export type FormatStyle = 'plain' | 'localized'

const DEFAULT_PRECISION = 6
const MAX_PRECISION = 1000

/** `'%s is %d'.format([name, count])`. */
export function formatString(format: string, args: CelList, style: FormatStyle): string {
  let result = ''
  let next = 0
  for (let i = 0; i < format.length; i++) {
    const character = format[i]!
    if (character !== '%') {
      result += character
      continue
    }
    const clause = /^%(?:(%)|(?:\.(\d*))?([A-Za-z]?))/.exec(format.slice(i))!
    i += clause[0].length - 1
    if (clause[1] !== undefined) {
      result += '%'
      continue
    }
    const [, , precisionText, verb = ''] = clause
    if (verb === '') {
      if (i + 1 >= format.length) throw new EvaluationError('unexpected end of string')
      throw new EvaluationError(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(format[i + 1])}`)
    }
    if (next >= args.size) throw new EvaluationError(`index ${next} out of range`)
    const precision = precisionText === undefined ? DEFAULT_PRECISION : Number(precisionText || '0')
    if (precision > MAX_PRECISION) throw new EvaluationError(`could not parse formatting clause: precision ${precision} is too large`)
    result += clauseOf(verb, args.at(next++), precision, style)
  }
  return result
}

function clauseOf(verb: string, value: CelValue, precision: number, style: FormatStyle): string {
  switch (verb) {
    case 's':
      return style === 'plain' ? plainText(value) : localizedText(value)
    case 'd':
      return decimal(value, style)
    case 'f':
      return fixedPoint(value, precision, style)
    case 'e':
      return scientific(value, precision, style)
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      return integer(value, 2, 'only ints, uints, and bools can be formatted as binary')
    case 'x':
      return hexadecimal(value)
    case 'X':
      return hexadecimal(value).toUpperCase()
    case 'o':
      return integer(value, 8, 'octal clause can only be used on ints and uints')
    default:
      throw new EvaluationError(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`)
  }
}

function refusal(message: string, value: CelValue): EvaluationError {
  return new EvaluationError(`error during formatting: ${message}, was given ${typeNameOf(value)}`)
}

function integer(value: CelValue, radix: number, message: string): string {
  if (typeof value === 'bigint') return value.toString(radix)
  if (value instanceof CelUint) return value.value.toString(radix)
  throw refusal(message, value)
}

function decimal(value: CelValue, style: FormatStyle): string {
  if (style === 'plain' && typeof value === 'number') return notANumber(value) ?? formatDouble(value)
  return integer(value, 10, 'decimal clause can only be used on ints, uints, and doubles')
}

function hexadecimal(value: CelValue): string {
  const ofBytes = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  if (typeof value === 'string') return ofBytes(new TextEncoder().encode(value))
  if (value instanceof Uint8Array) return ofBytes(value)
  return integer(value, 16, 'only ints, uints, bytes, and strings can be formatted as hex')
}

function notANumber(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return undefined
  return value > 0 ? 'Infinity' : '-Infinity'
}

function doubleOf(value: CelValue, message: string, style: FormatStyle): number {
  if (typeof value === 'number') return value
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Infinity
  if (value === '-Infinity') return -Infinity
  if (style === 'plain' && typeof value === 'bigint') return Number(value)
  if (style === 'plain' && value instanceof CelUint) return Number(value.value)
  throw refusal(message, value)
}

function fixedPoint(value: CelValue, precision: number, style: FormatStyle): string {
  const double = doubleOf(value, 'fixed-point clause can only be used on doubles', style)
  const text = notANumber(double) ?? toFixed(double, precision)
  if (style === 'plain') return text
  if (!Number.isFinite(double)) return Number.isNaN(double) ? 'NaN' : double > 0 ? '∞' : '-∞'
  const [whole, fraction] = text.split('.') as [string, string?]
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

function scientific(value: CelValue, precision: number, style: FormatStyle): string {
  const double = doubleOf(value, 'scientific clause can only be used on doubles', style)
  const special = notANumber(double)
  if (special !== undefined) return style === 'plain' ? special : special.replace('Infinity', '∞')
  const [mantissa, exponent] = double.toExponential(Math.min(precision, 100)).split('e') as [string, string]
  const sign = exponent.startsWith('-') ? '-' : '+'
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0')
  if (style === 'plain') return `${mantissa}e${sign}${digits}`
  const raised = [...digits].map(digit => SUPERSCRIPTS[Number(digit)]!).join('')
  return `${mantissa}\u202f×\u202f10${sign === '-' ? '⁻' : ''}${raised}`
}

/** Half goes to even on the exact value of the double, as in Go. */
function toFixed(value: number, precision: number): string {
  if (Math.abs(value) < 1e21 && precision <= 100) return isTie(value, precision) ? toEven(value, precision) : value.toFixed(precision)
  const whole = BigInt(Math.trunc(value)).toString()
  return precision === 0 ? whole : `${whole}.${'0'.repeat(precision)}`
}

/** Whether a value lies exactly between two that have so many decimals. */
function isTie(value: number, precision: number): boolean {
  const decimals = value.toFixed(100).split('.')[1]!
  return decimals[precision] === '5' && /^0*$/.test(decimals.slice(precision + 1))
}

function toEven(value: number, precision: number): string {
  const cut = value.toFixed(100).slice(0, precision - 100)
  const isEven = Number(cut.replace(/\.$/, '').at(-1)) % 2 === 0
  return isEven ? cut.replace(/\.$/, '') : value.toFixed(precision)
}

function plainText(value: CelValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return notANumber(value) ?? formatDouble(value)
  if (value instanceof CelUint) return String(value.value)
  if (value instanceof CelTimestamp) return formatTimestamp(value)
  if (value instanceof CelDuration) return formatDuration(value)
  if (value instanceof CelTypeValue) return value.name
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof CelList) return `[${[...value].map(plainText).join(', ')}]`
  if (value instanceof CelMap) return mapText(value, plainText, plainText, ': ')
  throw refusal(
    'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    value,
  )
}

function localizedText(value: CelValue): string {
  if (typeof value === 'number') return formatDouble(value)
  if (value instanceof CelList) return `[${[...value].map(literalText).join(', ')}]`
  if (value instanceof CelMap) return mapText(value, literalText, literalText, ':')
  return plainText(value)
}

/** As a literal of CEL. */
function literalText(value: CelValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(DEFAULT_PRECISION) : JSON.stringify(formatDouble(value))
  if (value instanceof Uint8Array) return `b${JSON.stringify(new TextDecoder().decode(value))}`
  if (value instanceof CelTimestamp) return `timestamp("${formatTimestamp(value)}")`
  if (value instanceof CelDuration) return `duration("${formatDuration(value)}")`
  return localizedText(value)
}

function mapText(map: CelMap, keyText: (key: CelValue) => string, valueText: (value: CelValue) => string, colon: string): string {
  const entries = [...map.keys()].map(key => [keyText(key), valueText(map.get(key)!)] as const)
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${entries.map(([key, value]) => `${key}${colon}${value}`).join(', ')}}`
}
