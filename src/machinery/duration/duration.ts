import { quote } from '../status/go-text.ts'

/** Nanoseconds of a duration in Go's notation: `1h30m`, `-1.5s`, `300ms`. Throws in the words of Go's `time.ParseDuration`. */
export function parseDuration(text: string): bigint {
  const bad = () => new RangeError(`time: invalid duration ${quote(text)}`)
  let at = 0
  const negative = text.startsWith('-')
  if (negative || text.startsWith('+')) at++
  if (text.slice(at) === '0') return 0n
  if (at === text.length) throw bad()
  let total = 0n
  const part = /(\d*)(?:\.(\d*))?([^\d.]*)/y
  while (at < text.length) {
    part.lastIndex = at
    const [all, integer = '', fraction = '', unit = ''] = part.exec(text)!
    if (integer === '' && fraction === '') throw bad()
    if (unit === '') throw new RangeError(`time: missing unit in duration ${quote(text)}`)
    const nanos = UNITS.get(unit)
    if (nanos === undefined) throw new RangeError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`)
    if (integer.length > 20) throw bad()
    total += BigInt(integer || '0') * nanos + fractionOf(fraction, nanos)
    if (total > MAX + 1n) throw bad()
    at += all.length
  }
  if (!negative && total > MAX) throw bad()
  return negative ? -total : total
}

/** Go's notation of so many nanoseconds: `1h30m0s`, `1.5s`, `300ms`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size < SECOND) {
    const [unit, name] = size < 1000n ? [1n, 'ns'] : size < 1_000_000n ? [1000n, 'µs'] : [1_000_000n, 'ms']
    return `${sign}${decimal(size, unit as bigint)}${name}`
  }
  const hours = size / (3600n * SECOND)
  const minutes = (size / (60n * SECOND)) % 60n
  const seconds = decimal(size % (60n * SECOND), SECOND)
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}

/** Milliseconds of a duration, for timers. */
export function durationMs(text: string): number {
  return Number(parseDuration(text)) / 1e6
}

const SECOND = 1_000_000_000n
const MAX = 2n ** 63n - 1n
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n],
  ['μs', 1000n],
  ['ms', 1_000_000n],
  ['s', SECOND],
  ['m', 60n * SECOND],
  ['h', 3600n * SECOND],
])

/** `0.<digits>` of a unit, rounded down to the nanosecond. */
function fractionOf(digits: string, unit: bigint): bigint {
  if (digits === '') return 0n
  const short = digits.slice(0, 18)
  return (BigInt(short) * unit) / 10n ** BigInt(short.length)
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '')
  return fraction === '' || unit === 1n ? `${value / unit}` : `${value / unit}.${fraction}`
}
