import { duration, timestamp } from './arithmetic.ts'
import { EvaluationError } from './evaluation-error.ts'
import type { CelDuration, CelTimestamp } from './values.ts'

const NANOS_PER_SECOND = 1_000_000_000n
const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n, us: 1_000n, µs: 1_000n, μs: 1_000n, ms: 1_000_000n, s: NANOS_PER_SECOND, m: 60n * NANOS_PER_SECOND, h: 3600n * NANOS_PER_SECOND,
} // biome-ignore format: a table

/** A duration in Go's notation: `1h30m`, `-1.5s`. */
export function parseDuration(text: string): CelDuration {
  const parts = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)
  if (!parts && !/^[+-]?0$/.test(text)) throw new EvaluationError(`time: invalid duration ${JSON.stringify(text)}`)
  let total = 0n
  for (const [, whole = '', fraction = '', unit] of text.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const nanos = UNIT_NANOS[unit!]!
    total += BigInt(whole || '0') * nanos
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length)
  }
  return duration(text.startsWith('-') ? -total : total)
}

/** As `string(duration)`: seconds, `5400s`. */
export function formatDuration(value: CelDuration): string {
  const isNegative = value.nanoseconds < 0n
  const nanos = isNegative ? -value.nanoseconds : value.nanoseconds
  const fraction = String(nanos % NANOS_PER_SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${isNegative ? '-' : ''}${nanos / NANOS_PER_SECOND}${fraction === '' ? '' : `.${fraction}`}s`
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:\d\d)$/

/** A moment in RFC 3339. */
export function parseTimestamp(text: string): CelTimestamp {
  const match = RFC3339.exec(text)
  const fail = () => new EvaluationError(`invalid RFC 3339 timestamp: ${JSON.stringify(text)}`)
  if (match === null) throw fail()
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match
  const date = Date.UTC(2000, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const at = new Date(date)
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isReal =
    at.getUTCMonth() === Number(month) - 1 &&
    at.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  if (!isReal) throw fail()
  const offsetMinutes =
    zone === 'Z' || zone === 'z' ? 0 : Number(`${zone![0]}1`) * (Number(zone!.slice(1, 3)) * 60 + Number(zone!.slice(4, 6)))
  const seconds = BigInt(at.getTime() / 1000) - BigInt(offsetMinutes) * 60n
  return timestamp(seconds * NANOS_PER_SECOND + BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}

/** As `string(timestamp)`: RFC 3339 with as many digits as it needs. */
export function formatTimestamp(value: CelTimestamp): string {
  const { seconds, nanos } = split(value.nanoseconds)
  const fraction = String(nanos).padStart(9, '0').replace(/0+$/, '')
  const date = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, '')
  return `${date}${fraction === '' ? '' : `.${fraction}`}Z`
}

function split(nanoseconds: bigint): { seconds: bigint; nanos: bigint } {
  const nanos = ((nanoseconds % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND
  return { seconds: (nanoseconds - nanos) / NANOS_PER_SECOND, nanos }
}

/** What a clock on the wall shows in a time zone; in UTC without one. */
export function inZone(value: CelTimestamp, zone: string): Date {
  const { seconds } = split(value.nanoseconds)
  return new Date((Number(seconds) + zoneOffsetSeconds(Number(seconds) * 1000, zone)) * 1000)
}

export function milliseconds(value: CelTimestamp): bigint {
  return split(value.nanoseconds).nanos / 1_000_000n
}

function zoneOffsetSeconds(at: number, zone: string): number {
  if (zone === '' || zone === 'UTC') return 0
  const fixed = /^([+-]?)(\d{1,2}):(\d\d)$/.exec(zone)
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 3600 + Number(fixed[3]) * 60)
  let format: Intl.DateTimeFormat
  try {
    format = formatterOf(zone)
  } catch {
    throw new EvaluationError(`unknown time zone ${zone}`)
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)])) as Record<string, number>
  const shown = Date.UTC(part['year']!, part['month']! - 1, part['day']!, part['hour']!, part['minute']!, part['second']!)
  return (shown - at) / 1000
}

const formatters = new Map<string, Intl.DateTimeFormat>()
/** There are some 600 zones; whoever names others gets an error. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }) // biome-ignore format: one thought
  formatters.set(zone, made)
  return made
}
