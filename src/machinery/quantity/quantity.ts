import { RecentMap } from '#base/collections/recent-map.ts'
import { BINARY_SUFFIXES, DECIMAL_SUFFIXES, type QuantityFormat, type ScannedQuantity, scanQuantity } from './scan.ts'

/**
 * A fixed-point number with a way of writing it: `500m`, `1Gi`, `1e3`. The amount is `mantissa × 10^scale`, exact to the nano.
 *
 * Objects keep quantities as text in the form that {@link canonicalQuantity} gives; this class is for reckoning with them.
 */
export class Quantity {
  readonly mantissa: bigint
  readonly scale: number
  readonly format: QuantityFormat
  readonly #text: string | undefined

  constructor(mantissa: bigint, scale: number, format: QuantityFormat, text?: string) {
    this.mantissa = mantissa
    this.scale = scale
    this.format = format
    this.#text = text
  }

  static readonly ZERO = new Quantity(0n, 0, 'decimal')

  /** Reads `text`; throws `QuantityError` in upstream's words. */
  static parse(text: string): Quantity {
    if (text === '0') return Quantity.ZERO
    const known = parsed.get(text)
    if (known) return known
    const scanned = scanQuantity(text)
    const keeps = isKept(scanned)
    const [mantissa, scale, format] = amountOf(scanned)
    const quantity = new Quantity(scanned.negative ? -mantissa : mantissa, scale, format, keeps ? text : undefined)
    if (text.length < 32) parsed.set(text, quantity)
    return quantity
  }

  /** A quantity of so many thousandths, as cpu is counted. */
  static milli(value: number): Quantity {
    return new Quantity(BigInt(value), -3, 'decimal')
  }

  /** A whole number, written in powers of two if `format` says so. */
  static of(value: number | bigint, format: QuantityFormat = 'decimal'): Quantity {
    return new Quantity(BigInt(value), 0, format)
  }

  get isZero(): boolean {
    return this.mantissa === 0n
  }

  get sign(): -1 | 0 | 1 {
    return this.mantissa === 0n ? 0 : this.mantissa < 0n ? -1 : 1
  }

  compare(other: Quantity): -1 | 0 | 1 {
    if (this.sign !== other.sign) return this.sign < other.sign ? -1 : 1
    const [left, right] = aligned(this, other)
    return left < right ? -1 : left > right ? 1 : 0
  }

  equals(other: Quantity): boolean {
    return this.compare(other) === 0
  }

  /** The sum, written as this one is (as `other`, if this is zero). */
  add(other: Quantity): Quantity {
    const [left, right] = aligned(this, other)
    return new Quantity(left + right, Math.min(this.scale, other.scale), this.isZero ? other.format : this.format)
  }

  subtract(other: Quantity): Quantity {
    return this.add(other.negate())
  }

  negate(): Quantity {
    return new Quantity(-this.mantissa, this.scale, this.format)
  }

  /** Rounded away from zero to a multiple of `10^scale` (-3: to the milli). */
  roundUp(scale: number): Quantity {
    if (this.scale >= scale) return this
    return new Quantity(divideUp(this.mantissa, 10n ** BigInt(scale - this.scale)), scale, this.format)
  }

  /** The amount in units, rounded away from zero; at most ±2^63. */
  toNumber(): number {
    return this.#scaled(0)
  }

  /** The amount in thousandths, rounded away from zero; at most ±2^63. */
  toMilli(): number {
    return this.#scaled(-3)
  }

  /** The amount as a float, for ratios. */
  toFloat(): number {
    return Number(this.mantissa) * 10 ** this.scale
  }

  /** The canonical text: no fraction, the suffix as large as possible, the kind of suffix that was read. */
  toString(): string {
    return this.#text ?? this.#canonical()
  }

  toJSON(): string {
    return this.toString()
  }

  #scaled(scale: number): number {
    const shift = this.scale - scale
    if (shift > 40) return this.mantissa < 0n ? -(2 ** 63) : this.mantissa > 0n ? 2 ** 63 : 0
    const value = shift >= 0 ? this.mantissa * 10n ** BigInt(shift) : divideUp(this.mantissa, 10n ** BigInt(-shift))
    return Number(value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : value)
  }

  #canonical(): string {
    if (this.mantissa === 0n) return '0'
    const sign = this.mantissa < 0n ? '-' : ''
    const magnitude = this.mantissa < 0n ? -this.mantissa : this.mantissa
    if (this.format === 'binary') {
      const whole = wholeOf(magnitude, this.scale)
      if (whole !== undefined && whole >= 1024n) return sign + binaryText(whole)
    }
    return sign + decimalText(magnitude.toString(), this.scale, this.format)
  }
}

/**
 * `text` as an object keeps it: `1000m` becomes `1`, `0.5` becomes `500m`, `1024Mi` becomes `1Gi`. Upstream keeps some texts that
 * are not quite canonical (`5.`, `+1`, `1E3`); so does this. Throws `QuantityError`.
 */
export function canonicalQuantity(text: string): string {
  const known = canonicalTexts.get(text)
  if (known !== undefined) return known
  const canonical = Quantity.parse(text.trim()).toString()
  if (text.length < 32 && canonicalTexts.size < MAX_CACHED) canonicalTexts.set(text, canonical)
  return canonical
}

/** The amount of a quantity in thousandths; for cpu. */
export function milliOf(text: string): number {
  const match = /^([0-9]{1,9})(m?)$/.exec(text)
  if (match) return match[2] === '' ? Number(match[1]) * 1000 : Number(match[1])
  return Quantity.parse(text).toMilli()
}

/** The amount of a quantity in units (bytes, pieces), rounded up. */
export function wholeValueOf(text: string): number {
  const match = /^([0-9]{1,6})(|Ki|Mi|Gi)$/.exec(text)
  if (match) return Number(match[1]) * 1024 ** (BINARY_SUFFIXES as readonly string[]).indexOf(match[2]!)
  return Quantity.parse(text).toNumber()
}

/** Whether two texts mean the same amount. */
export function isSameQuantity(left: string, right: string): boolean {
  return left === right || Quantity.parse(left).equals(Quantity.parse(right))
}

const INT64_MAX = 2n ** 63n - 1n
const NANO = -9
/** Digits before the point beyond which an amount is held to be that large: nothing is counted in more. */
const MAX_DIGITS = 60
// Hot: a cluster's objects use few different texts.
const MAX_CACHED = 4096
const canonicalTexts = new Map<string, string>()
const parsed = new RecentMap<string, Quantity>(2048)

/** Whether upstream keeps the text as it was sent: cheap to see that it is canonical, or nearly so. */
function isKept({ integer, fraction, format, exponent }: ScannedQuantity): boolean {
  const digits = integer + fraction
  if (format === 'binary') {
    const precision = fraction === '' ? 15 - integer.length - Math.trunc((exponent * 3) / 10) - 1 : -1
    return precision >= 0 && (Number(integer) & 7) !== 0
  }
  const scale = exponent - fraction.length
  return digits.length <= 18 && scale >= NANO && scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0')
}

function amountOf(scanned: ScannedQuantity): [bigint, number, QuantityFormat] {
  const { base, exponent, format } = scanned
  const [integer, fraction, sticky] = shortened(scanned)
  let mantissa = BigInt(integer + fraction)
  let scale = -fraction.length
  if (sticky) {
    mantissa = mantissa * 10n + 1n
    scale--
  }
  if (base === 10) scale += exponent
  else mantissa <<= BigInt(exponent)
  if (mantissa === 0n) return [0n, 0, format]
  if (scale < NANO) {
    const drop = NANO - scale
    mantissa = drop > MAX_DIGITS + 60 ? 1n : divideUp(mantissa, 10n ** BigInt(drop))
    scale = NANO
  }
  if (format !== 'binary') return [mantissa, scale, format]
  const one = 10n ** BigInt(-scale)
  if (mantissa > INT64_MAX * one) return [INT64_MAX, 0, format]
  return [mantissa, scale, mantissa < one ? 'decimal' : format]
}

/** The digits that matter; `sticky` when something other than zero was cut off, so that rounding up sees it. */
function shortened({ integer, fraction }: ScannedQuantity): [string, string, boolean] {
  if (integer.length > MAX_DIGITS) return [`1${'0'.repeat(MAX_DIGITS)}`, '', false]
  if (fraction.length <= MAX_DIGITS) return [integer, fraction, false]
  return [integer, fraction.slice(0, MAX_DIGITS), /[1-9]/.test(fraction.slice(MAX_DIGITS))]
}

function aligned(left: Quantity, right: Quantity): [bigint, bigint] {
  const scale = Math.min(left.scale, right.scale)
  return [left.mantissa * shift(left.scale - scale), right.mantissa * shift(right.scale - scale)]
}

function shift(exponent: number): bigint {
  return 10n ** BigInt(Math.min(exponent, 2 * MAX_DIGITS))
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by
  if (value % by === 0n) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}

/** The amount as a whole number, or undefined where it has a fraction. */
function wholeOf(magnitude: bigint, scale: number): bigint | undefined {
  if (scale >= 0) return magnitude * shift(scale)
  const unit = 10n ** BigInt(-scale)
  return magnitude % unit === 0n ? magnitude / unit : undefined
}

function binaryText(whole: bigint): string {
  let index = 0
  let rest = whole
  while (index < BINARY_SUFFIXES.length - 1 && (rest & 1023n) === 0n) {
    rest >>= 10n
    index++
  }
  return `${rest}${BINARY_SUFFIXES[index]}`
}

function decimalText(digits: string, scale: number, format: QuantityFormat): string {
  let end = digits.length
  while (digits.charCodeAt(end - 1) === 48) end--
  const exponent = scale + digits.length - end
  const rest = ((exponent % 3) + 3) % 3
  const multiple = exponent - rest
  const text = digits.slice(0, end) + '0'.repeat(rest)
  const suffix = format === 'exponent' ? undefined : DECIMAL_SUFFIXES[multiple / 3 + 3]
  return text + (suffix ?? (multiple === 0 ? '' : `e${multiple}`))
}
