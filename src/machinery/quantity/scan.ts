/** How a quantity's suffix was written, and so how the quantity is written back. */
export type QuantityFormat = 'decimal' | 'binary' | 'exponent'

/** A quantity taken apart, its digits still text: `-1.5Gi` is `{ negative, digits: '15', fraction: 1, base: 2, exponent: 30 }`. */
export interface ScannedQuantity {
  readonly negative: boolean
  /** The digits before the point, leading zeros stripped; '0' when there are none. */
  readonly integer: string
  readonly fraction: string
  readonly format: QuantityFormat
  readonly base: 2 | 10
  readonly exponent: number
}

/** The text is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError'
}

/** Takes a quantity apart, in one pass over its text. */
export function scanQuantity(text: string): ScannedQuantity {
  let at = 0
  const negative = text.startsWith('-')
  if (negative || text.startsWith('+')) at++
  if (text === '') throw new QuantityError(FORMAT_WRONG)
  while (text.charCodeAt(at) === ZERO) at++
  const integerEnd = skipDigits(text, at)
  const integer = text.slice(at, integerEnd) || '0'
  at = integerEnd
  let fraction = ''
  if (text[at] === '.') {
    const fractionEnd = skipDigits(text, at + 1)
    fraction = text.slice(at + 1, fractionEnd)
    at = fractionEnd
  }
  const suffixStart = at
  while (at < text.length && SUFFIX_LETTERS.includes(text[at]!)) at++
  if (text[at] === '-' || text[at] === '+') at++
  if (skipDigits(text, at) !== text.length) throw new QuantityError(FORMAT_WRONG)
  return { negative, integer, fraction, ...suffixOf(text.slice(suffixStart)) }
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const SUFFIX_WRONG = "unable to parse quantity's suffix"
const ZERO = 48
const SUFFIX_LETTERS = 'eEinumkKMGTP'

/** Suffixes of powers of ten, by a third of their exponent, from 10^-9 on. */
export const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
/** Suffixes of powers of two, by a tenth of their exponent. */
export const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const

type Suffix = Pick<ScannedQuantity, 'format' | 'base' | 'exponent'>

const SUFFIXES: ReadonlyMap<string, Suffix> = new Map<string, Suffix>([
  ...DECIMAL_SUFFIXES.map((suffix, index): [string, Suffix] => [suffix, { format: 'decimal', base: 10, exponent: index * 3 - 9 }]),
  ...BINARY_SUFFIXES.slice(1).map((suffix, index): [string, Suffix] => [suffix, { format: 'binary', base: 2, exponent: index * 10 + 10 }]),
])

function suffixOf(suffix: string): Suffix {
  const known = SUFFIXES.get(suffix)
  if (known) return known
  if (!/^[eE][+-]?[0-9]{1,18}$/.test(suffix)) throw new QuantityError(SUFFIX_WRONG)
  return { format: 'exponent', base: 10, exponent: Number(suffix.slice(1)) | 0 }
}

function skipDigits(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code < ZERO || code > 57) break
    at++
  }
  return at
}
